import { Page } from "../parts/page.tsx";
export function SignIn(_: { id?: string | undefined; tab?: string | undefined; scope?: string | undefined }) {
  return <Page title="SignIn">…</Page>;
}
