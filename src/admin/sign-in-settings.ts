import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { isLoopbackHost } from "../domain/loopback.ts";
import { ROLES } from "../domain/role.ts";
import type { OidcSettings, SignInSettings } from "../domain/sign-in.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Name } from "./schemas.ts";
import { JourneyFailed } from "./sign-in/oidc.ts";

const Rule = z.object({
  claim: z.string().min(1).max(200).describe("With dots for members of it: `realm_access.roles`."),
  value: z.string().min(1).max(500).describe("`*` stands for any text."),
  role: z.enum(ROLES).nullable().default(null),
  group: z.string().max(200).nullable().default(null).describe("Name or id."),
});
const oidcShape = {
  issuer: z.url({ protocol: /^https?$/ }).max(500),
  clientId: z.string().min(1).max(500),
  name: Name.describe("What the button says."),
  scopes: z.array(z.string().regex(/^\S+$/).max(200)).max(50).default(["openid", "profile", "email"]),
  rules: z
    .array(Rule)
    .max(500)
    .default([])
    .describe("The first that fits and names a role decides the role; the same for the group."),
  createUsers: z.boolean().default(false).describe("Whoever is not known yet becomes a user."),
  onlyMatching: z.boolean().default(false).describe("Whom no rule fits is kept out."),
};
const SettingsView = z
  .object({
    oidc: z.object({ ...oidcShape, hasSecret: z.boolean() }).nullable(),
    ssoOnly: z.boolean().describe("Nothing else begins a session but links of `lmk admin link`."),
    fixed: z.boolean().describe("The environment says so; here it cannot be changed."),
    redirectUri: z.string().describe("What the identity provider has to know this gateway by."),
  })
  .openapi("SignInSettings");
const SettingsInput = z.strictObject({
  oidc: z
    .strictObject({
      ...oidcShape,
      clientSecret: z
        .string()
        .min(1)
        .max(2000)
        .nullable()
        .optional()
        .describe(
          "Null for a public client; without it, the one before stays if issuer and client are the same.",
        ),
    })
    .nullable(),
  ssoOnly: z.boolean().default(false),
});

const show = createRoute({
  ...needs("settings.read"),
  method: "get",
  path: "/settings/sign-in",
  responses: { 200: json(SettingsView, "How people sign in") },
});
const put = createRoute({
  ...needs("settings.sign_in", { stepUp: true }),
  method: "put",
  path: "/settings/sign-in",
  request: { body: jsonBody(SettingsInput) },
  responses: { 200: json(SettingsView, "How people sign in from now on") },
});

export function signInSettings(parts: AdminParts): AdminApp {
  const { store } = parts;
  const app = resource();
  app.openapi(show, async (c) => c.json(view(await parts.signIn(), parts), 200));
  app.openapi(put, async (c) => {
    if (parts.isSignInFixed)
      throw new HTTPException(409, { message: "LMK_OIDC_ISSUER says how people sign in; change it there." });
    const { oidc: given, ssoOnly } = c.req.valid("json");
    if (ssoOnly && given === null)
      throw unacceptable("ssoOnly: without an identity provider nobody could sign in.");
    const before = await store.readSignInSettings();
    const oidc = given === null ? null : settingsOf(given, before.oidc, parts);
    if (oidc !== null) await requireReachable(oidc, parts);
    const after = { oidc, ssoOnly };
    await store.audited(c.var.source, "putSignInSettings", after);
    return c.json(view(after, parts), 200);
  });
  return app;
}

function settingsOf(
  { clientSecret, ...given }: NonNullable<z.infer<typeof SettingsInput>["oidc"]>,
  before: OidcSettings | null,
  { sealClientSecret }: Pick<AdminParts, "sealClientSecret">,
): OidcSettings {
  const { protocol, hostname } = new URL(given.issuer);
  if (protocol !== "https:" && !isLoopbackHost(hostname))
    throw unacceptable("oidc.issuer: it must begin with https://.");
  if (!given.scopes.includes("openid")) throw unacceptable("oidc.scopes: openid must be one of them.");
  if (clientSecret !== undefined) {
    const sealedSecret = clientSecret === null ? null : sealClientSecret(given.issuer, clientSecret);
    return { ...given, sealedSecret };
  }
  // The secret of one provider is never sent to another.
  if (before?.issuer !== given.issuer || before.clientId !== given.clientId)
    throw unacceptable("oidc.clientSecret: give the one of this issuer and client, or null.");
  return { ...given, sealedSecret: before.sealedSecret };
}

/** A provider that cannot be asked would lock everybody out. */
async function requireReachable(
  oidc: OidcSettings,
  { oidc: provider }: Pick<AdminParts, "oidc">,
): Promise<void> {
  try {
    await provider.discover(oidc);
  } catch (error) {
    if (!(error instanceof JourneyFailed)) throw error;
    throw unacceptable(`oidc.issuer: ${error.message}.`);
  }
}

function view({ oidc, ssoOnly }: SignInSettings, { isSignInFixed, consoleUrl }: AdminParts) {
  const shown = (settings: OidcSettings) => {
    const { sealedSecret, rules, scopes, ...rest } = settings;
    return {
      ...rest,
      scopes: [...scopes],
      rules: rules.map((rule) => ({ ...rule })),
      hasSecret: isSignInFixed || sealedSecret !== null,
    };
  };
  return {
    oidc: oidc && shown(oidc),
    ssoOnly,
    fixed: isSignInFixed,
    redirectUri: `${consoleUrl}/api/v1/session/oidc/callback`,
  };
}

function unacceptable(message: string): HTTPException {
  return new HTTPException(422, { message });
}
