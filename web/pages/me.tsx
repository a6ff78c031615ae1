import { Page } from "../parts/page.tsx";
export function Me(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Me">…</Page>;
}
