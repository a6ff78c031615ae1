import { Page } from "../parts/page.tsx";
export function Home(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="Home">…</Page>;
}
