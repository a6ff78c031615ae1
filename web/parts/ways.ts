import { useQuery } from "@tanstack/react-query";
import { call } from "../api.ts";

interface Ways {
  readonly methods: {
    readonly password: boolean;
    readonly passkey: boolean;
    readonly oidc: { readonly name: string } | null;
  };
  readonly secure: boolean;
  readonly reason: string | null;
}

/** How people sign in here. */
export function useWays() {
  return useQuery({ queryKey: ["sign-in"], queryFn: () => call<Ways>("GET", "/sign-in") });
}

/** Where the company's identity provider is asked; it sends the browser back to the console. */
export function oidcStart(what: "sign-in" | "step-up" | "connect"): string {
  return `/api/v1/session/oidc/start?for=${what}`;
}
