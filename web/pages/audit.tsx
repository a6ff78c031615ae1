import { Page } from "../parts/page.tsx";
export function Audit(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Audit">…</Page>;
}
