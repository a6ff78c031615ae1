import { Page } from "../parts/page.tsx";
export function Welcome(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Welcome">…</Page>;
}
