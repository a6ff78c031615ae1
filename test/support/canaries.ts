/** Secrets of every kind that a gateway holds or gives, planted in one, and the search for them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BrowserSession, signedIn } from "./browser-session.ts";
import { atEnd } from "./cleanup.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { CLIENT_ID, CLIENT_SECRET, startIdentityProvider } from "./identity-provider.ts";
import { serviceAccount } from "./token-server.ts";

export interface Canaries {
  readonly gateway: Gateway;
  /** By what they are. */
  readonly secrets: Readonly<Record<string, string>>;
  /** An owner who is signed in; their cookie is among the secrets. */
  readonly owner: BrowserSession;
}

const SIGN_IN_PASSWORD = "PLANTED sentence of eleven quiet llamas";
const fake = (name: string) => `${name}PLANTED${Bun.hash(name).toString(36)}qwertzuiopasdfghjklyxcvbnm`;
/** Where calls end: it answers with all that it was sent, as careless servers do. */
function startEcho(): string {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) =>
      Response.json(
        { error: { message: JSON.stringify([...request.headers]), body: await request.text() } },
        { status: 401 },
      ),
  });
  atEnd(() => server.stop(true));
  return server.url.origin;
}

/** A gateway that knows 21 secrets, each of them by the way that its kind takes. */
export async function plantCanaries(): Promise<Canaries> {
  const echo = startEcho();
  const environment = {
    OPENAI_API_KEY: fake("sk-env-openai"),
    ANTHROPIC_API_KEY: fake("sk-ant-env"),
    GEMINI_API_KEY: fake("AIzaEnv"),
    HF_TOKEN: fake("hf_env"),
    VECTARA_CLIENT_SECRET: fake("vectara-client"),
  };
  const gateway = await startGateway({
    env: {
      ...environment,
      VECTARA_CLIENT_ID: "app-client",
      LMK_OPENAI_UPSTREAM: `${echo}/v1`,
      LMK_ANTHROPIC_UPSTREAM: echo,
      LMK_MISTRAL_UPSTREAM: echo,
      LMK_GEMINI_UPSTREAM: echo,
      LMK_HUGGINGFACE_UPSTREAM: echo,
      LMK_VECTARA_UPSTREAM: echo,
      LMK_VECTARA_AUTH: echo,
    },
  });
  const account = serviceAccount(`${echo}/token`);
  const secrets: Record<string, string> = { ...environment, "first user's master key": gateway.key };
  const add = (provider: string, secret: string) =>
    gateway.api<{ id: string }>("POST", "/credentials", { provider, name: `planted ${provider}`, secret });

  secrets["stored provider key"] = fake("sk-stored-openai");
  await add("openai", secrets["stored provider key"]);
  secrets["removed provider key"] = fake("sk-removed-mistral");
  const { id } = await add("mistral", secrets["removed provider key"]);
  await gateway.api("DELETE", `/credentials/${id}`);
  secrets["refused provider key"] = fake("sk-refused");
  await add("nobody", secrets["refused provider key"]).catch(() => undefined);
  // A line out of its middle: all of them are as long.
  secrets["service account's private key"] = account.privateKey.split("\n")[9] ?? "";
  await add("vertex", account.json);

  const { issuer } = await startIdentityProvider({}, [gateway.url]);
  secrets["OIDC client secret"] = CLIENT_SECRET;
  await gateway.api("PUT", "/settings/sign-in", {
    oidc: { issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, name: "Example Inc.", rules: [] },
  });
  const settings = await gateway.api<{ webhookSecret: string }>("PATCH", "/settings", {
    webhook: { url: `${echo}/hook`, allowPrivate: true },
  });
  secrets["webhook secret"] = settings.webhookSecret;

  const made = await gateway.addUser("ann");
  const rotated = await gateway.api<{ secret: string }>("POST", `/keys/${made.key.id}/rotate`, {
    overlapSeconds: 600,
  });
  secrets["rotated master key"] = made.secret;
  secrets["master key"] = rotated.secret;
  const claim = await gateway.api<{ url: string }>("POST", "/claims", { user: "ann" });
  secrets["claim link"] = claim.url.split("#")[1]?.split(".")[1] ?? "";

  await gateway.api("POST", "/users", { name: "olga", role: "owner" });
  const link = await gateway.api<{ url: string }>("POST", "/users/olga/sign-in-link", {});
  secrets["sign-in link"] = link.url.split("#link=")[1] ?? "";
  const owner = await signedIn(gateway, "olga");
  secrets["session cookie"] = owner.cookie.split("=")[1] ?? "";
  secrets["password"] = SIGN_IN_PASSWORD;
  await owner.send("PUT", "/me/password", { password: SIGN_IN_PASSWORD });
  const token = await owner.send<{ secret: string }>("POST", "/tokens", {
    name: "planted",
    scopes: ["usage.read"],
    expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
  });
  secrets["personal token"] = token.body.secret;
  secrets["operator token"] = gateway.adminToken;
  secrets["vault key"] = readFileSync(join(gateway.dataDir, "vault.key"), "utf8").trim();
  for (const [name, secret] of Object.entries(secrets))
    if (typeof secret !== "string" || secret.length < 20) throw new Error(`There is no ${name}.`);
  await misuse(gateway, secrets);
  return { gateway, secrets, owner };
}

/** Calls that go wrong with a secret in them, and whatever they were answered. */
async function misuse(gateway: Gateway, secrets: Readonly<Record<string, string>>): Promise<void> {
  const key = secrets["master key"] ?? "";
  for (const path of ["/openai/v1/models", "/anthropic/v1/models", "/gemini/v1beta/models", "/nobody/v1"])
    await fetch(`${gateway.url}${path}?key=${key}`, { headers: { "x-api-key": key } });
  for (const secret of Object.values(secrets)) {
    await fetch(`${gateway.url}/openai/v1/models`, { headers: { authorization: `Bearer ${secret}` } });
    await new BrowserSession(gateway.url).send("POST", "/session/password", {
      name: "olga",
      password: secret,
    });
  }
}

/** The names of those that stand in this text, whole or a good part of them, as they are or in base64 or hex. */
export function found(text: string, secrets: Readonly<Record<string, string>>): string[] {
  return Object.entries(secrets)
    .filter(([, secret]) => spellings(secret).some((one) => text.includes(one)))
    .map(([name]) => name);
}

function spellings(secret: string): string[] {
  // Beginnings and ends may be shown, masked: that is what they are for.
  const middle = secret.slice(Math.max(0, (secret.length >> 1) - 10), (secret.length >> 1) + 10);
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), Buffer.from(middle)])
      .toString("base64")
      .slice(4, -4),
  );
  const hex = Buffer.from(middle).toString("hex");
  const raw = /^[A-Za-z0-9+/]{43}=$/.test(secret) ? [Buffer.from(secret, "base64").toString("latin1")] : [];
  return [middle, encodeURIComponent(middle), ...base64, hex, ...raw];
}
