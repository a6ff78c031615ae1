import { Page } from "../parts/page.tsx";
export function Keys(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Keys">…</Page>;
}
