import { Page } from "../parts/page.tsx";
export function Settings(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Settings">…</Page>;
}
