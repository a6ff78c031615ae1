import type { Command } from "commander";
import { z } from "zod";
import { formatClaimRule, parseClaimRule } from "../domain/claim-rule.ts";
import { ROLES } from "../domain/role.ts";
import type { ClaimRule } from "../domain/sign-in.ts";
import { connect } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { table } from "./table.ts";

const PATH = "/api/v1/settings/sign-in";

const Rule = z.object({
  claim: z.string(),
  value: z.string(),
  role: z.enum(ROLES).nullable(),
  group: z.string().nullable(),
});
const Settings = z.looseObject({
  oidc: z
    .looseObject({
      issuer: z.string(),
      clientId: z.string(),
      name: z.string(),
      scopes: z.array(z.string()),
      rules: z.array(Rule),
      createUsers: z.boolean(),
      onlyMatching: z.boolean(),
      hasSecret: z.boolean(),
    })
    .nullable(),
  ssoOnly: z.boolean(),
  fixed: z.boolean(),
  redirectUri: z.string(),
});
type Settings = z.infer<typeof Settings>;

interface SetOptions {
  issuer?: string;
  clientId?: string;
  clientSecret: boolean;
  publicClient?: boolean;
  name?: string;
  scopes?: string;
  rule: ClaimRule[];
  createUsers?: boolean;
  onlyMatching?: boolean;
  ssoOnly?: boolean;
}

export function addSignInVerbs(admin: Command, io: Io): void {
  const signIn = admin.command("sign-in").description("how people sign in: the company's identity provider");

  signIn
    .command("show")
    .description("what is set, and what the identity provider has to know")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const settings = await connect(io, command).get(PATH, Settings);
      await io.print(json ? jsonText(settings) : inWords(settings));
    });

  signIn
    .command("set")
    .description("sign in with an OpenID Connect provider; the client secret is read from standard input")
    .option("--issuer <url>", "the provider, as it names itself")
    .option("--client-id <id>")
    .option("--no-client-secret", "keep the secret that is stored")
    .option("--public-client", "there is no secret")
    .option("--name <name>", "what the button says")
    .option("--scopes <scopes>", "separated by spaces")
    .option(
      "--rule <rule>",
      'what a claim gives, in order: "groups=llm-admins role=admin group=research"',
      (text: string, before: ClaimRule[]) => [...before, ruleOf(text)],
      [],
    )
    .option("--create-users", "whoever is not known yet becomes a user")
    .option("--no-create-users")
    .option("--only-matching", "whom no rule fits is kept out")
    .option("--no-only-matching")
    .option("--sso-only", "nothing else begins a session but links of lmk admin link")
    .option("--no-sso-only")
    .action((options: SetOptions, command: Command) => set(io, options, command));

  signIn
    .command("unset")
    .description("no identity provider any more; users stay")
    .action(async (_options: unknown, command: Command) => {
      await connect(io, command).put(PATH, { oidc: null, ssoOnly: false }, Settings);
      io.note("People sign in with links, passkeys and passwords.");
    });
}

/** What is not named stays as it is. */
async function set(io: Io, options: SetOptions, command: Command): Promise<void> {
  const api = connect(io, command);
  const { oidc: before, ssoOnly } = await api.get(PATH, Settings);
  const issuer = options.issuer ?? before?.issuer;
  const clientId = options.clientId ?? before?.clientId;
  if (issuer === undefined || clientId === undefined) throw new Failure("Give --issuer and --client-id.");
  const secret = options.publicClient
    ? { clientSecret: null }
    : options.clientSecret
      ? { clientSecret: (await io.readSecret("Client secret: ")).trim() }
      : {};
  const after = await api.put(
    PATH,
    {
      oidc: {
        issuer,
        clientId,
        ...secret,
        name: options.name ?? before?.name ?? "single sign-on",
        scopes: options.scopes?.split(/[\s,]+/) ?? before?.scopes,
        rules: options.rule.length > 0 ? options.rule : (before?.rules ?? []),
        createUsers: options.createUsers ?? before?.createUsers ?? false,
        onlyMatching: options.onlyMatching ?? before?.onlyMatching ?? false,
      },
      ssoOnly: options.ssoOnly ?? ssoOnly,
    },
    Settings,
  );
  await io.print(inWords(after));
}

function ruleOf(text: string): ClaimRule {
  const rule = parseClaimRule(text);
  if (typeof rule === "string") throw new Failure(`--rule: ${rule}`);
  return rule;
}

function inWords({ oidc, ssoOnly, fixed, redirectUri }: Settings): string {
  const where = ["redirect URI", redirectUri];
  if (oidc === null) return table([["identity provider", "none"], where]);
  return table([
    ["identity provider", `${oidc.name} (${oidc.issuer})`],
    ["client", `${oidc.clientId}${oidc.hasSecret ? "" : ", public"}`],
    ["scopes", oidc.scopes.join(" ")],
    ...oidc.rules.map((rule) => ["rule", formatClaimRule(rule)]),
    ["new users", oidc.createUsers ? "are made at their first sign-in" : "are not made"],
    ["without a rule that fits", oidc.onlyMatching ? "kept out" : "member"],
    ["other ways in", ssoOnly ? "closed, but for lmk admin link" : "open"],
    ["set by", fixed ? "the environment" : "an owner"],
    where,
  ]);
}
