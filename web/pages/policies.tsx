import { Page } from "../parts/page.tsx";
export function Policies(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Policies">…</Page>;
}
