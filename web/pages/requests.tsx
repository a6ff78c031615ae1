import { Page } from "../parts/page.tsx";
export function Requests(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Requests">…</Page>;
}
