/** A real OpenID Connect provider (oidc-provider), and a browser that signs in there. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Provider from "oidc-provider";
import { atEnd } from "./cleanup.ts";

export const CLIENT_ID = "llamakey";
export const CLIENT_SECRET = "fake-client-secret-0123456789abcdef";

/** Accounts by the name that one signs in with; `sub` is the name unless the claims say otherwise. */
export type Accounts = Record<string, Record<string, unknown>>;

export interface IdentityProvider {
  readonly issuer: string;
  readonly accounts: Accounts;
}

/** @param redirectOrigins Where browsers are sent back to. */
export async function startIdentityProvider(
  accounts: Accounts,
  redirectOrigins: readonly string[],
): Promise<IdentityProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: redirectOrigins.map((origin) => `${origin}/api/v1/session/oidc/callback`),
        response_types: ["code"],
        grant_types: ["authorization_code"],
      },
    ],
    claims: {
      openid: ["sub", "auth_time"],
      profile: ["preferred_username", "name", "groups"],
      email: ["email", "email_verified"],
    },
    // Groups and names come from the userinfo endpoint, as with many providers.
    conformIdTokenClaims: true,
    pkce: { required: () => true },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: async () => ({ sub: id, ...accounts[id] }),
    }),
    cookies: { keys: ["fake-cookie-key"] },
  });
  server.on("request", provider.callback());
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { issuer, accounts };
}

/**
 * Signs in at the provider as this account, consenting to whatever is asked.
 * @returns where the provider sends the browser back to.
 */
export async function signInThere(authorizationUrl: string, account: string): Promise<string> {
  const cookies = new Map<string, string>();
  const origin = new URL(authorizationUrl).origin;
  let url = authorizationUrl;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 12; step++) {
    const response = await fetch(url, {
      method: form === undefined ? "GET" : "POST",
      redirect: "manual",
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { body: form }),
    });
    for (const set of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    form = undefined;
    const location = response.headers.get("location");
    if (location !== null) {
      url = new URL(location, url).href;
      if (new URL(url).origin !== origin) return url;
      continue;
    }
    const page = await response.text();
    const action = /<form[^>]+action="([^"]+)"/.exec(page)?.[1];
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`The provider shows no form:\n${page}`);
    url = new URL(action, url).href;
    form = new URLSearchParams({ prompt, ...(prompt === "login" && { login: account, password: "any" }) });
  }
  throw new Error("The provider sends the browser round and round.");
}
