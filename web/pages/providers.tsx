import { Page } from "../parts/page.tsx";
export function Providers(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Providers">…</Page>;
}
