import { Page } from "../parts/page.tsx";
export function Users(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Users">…</Page>;
}
