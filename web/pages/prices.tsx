import { Page } from "../parts/page.tsx";
export function Prices(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Prices">…</Page>;
}
