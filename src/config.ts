import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { parseClaimRule } from "./domain/claim-rule.ts";
import { durationMs } from "./domain/duration.ts";
import { looksLikeKey } from "./domain/key.ts";
import { type Network, parseNetwork } from "./domain/network.ts";
import type { OidcSettings, SignInSettings } from "./domain/sign-in.ts";
import { knownProviders } from "./providers/catalogue.ts";
import { compatibleServer } from "./providers/compatible.ts";
import { huggingfaceEndpoint } from "./providers/huggingface-endpoint.ts";
import { UnusableCredential } from "./providers/mint.ts";
import { takenIds } from "./providers/named.ts";
import type { CredentialRule, Provider, Timeouts } from "./providers/provider.ts";

/** Everything that is decided before the first request; read once, frozen. */
export interface Config {
  readonly host: string;
  /** 0 asks the system for a free one. */
  readonly port: number;
  /** Where clients reach the gateway, without a trailing slash; undefined until the port is known. */
  readonly publicUrl: string | undefined;
  /** A listener of its own for the console and the admin API; undefined where they share the one for calls. */
  readonly adminListen: { readonly host: string; readonly port: number } | undefined;
  /** Where browsers reach that one, without a trailing slash; undefined until its port is known. */
  readonly adminPublicUrl: string | undefined;
  /** How people sign in, where the environment says so; undefined where that is changed while it runs. */
  readonly signIn: EnvironmentSignIn | undefined;
  readonly dataDir: string;
  /** The operator token, where the environment gives it. */
  readonly adminToken: string | undefined;
  /** The key-encryption key in base64, where the environment gives it. */
  readonly vaultKey: string | undefined;
  readonly upstreamProxy: string | undefined;
  /** Reverse proxies in front of the gateway, whose word on where a call comes from is taken. */
  readonly trustedProxies: readonly Network[];
  /** How long running requests may take to end after a stop was asked for, milliseconds. */
  readonly drainMs: number;
  /** How long request log rows are kept, milliseconds. */
  readonly logRetentionMs: number;
  readonly tls: TlsConfig | undefined;
  readonly proxy: ProxyConfig | undefined;
  /** How long certificates live that the local authority makes, milliseconds. */
  readonly certificateMs: number;
  readonly providers: readonly ProviderConfig[];
  /** For the operator, one line each. */
  readonly warnings: readonly string[];
}

/** How clients reach the gateway by TLS: with a certificate of the administrator's, or one of the local authority's. */
export type TlsConfig =
  | { readonly kind: "files"; readonly cert: string; readonly key: string }
  | { readonly kind: "local" };

/** Where clients reach the gateway as a forward proxy. */
export interface ProxyConfig {
  readonly host: string;
  readonly port: number;
  /** Without a trailing slash; undefined until the port is known. */
  readonly publicUrl: string | undefined;
  /** Hosts beside the providers' that are tunnelled to: names, `*.example.com`, or `*` alone for all. */
  readonly tunnels: readonly string[];
}

/** A provider as this installation uses it. */
export interface ProviderConfig {
  readonly provider: Provider;
  readonly upstream: string;
  /** The real key from the environment; read-only, never written to disk. */
  readonly environmentCredential: { readonly variable: string; readonly secret: string } | undefined;
}

export interface EnvironmentSignIn {
  readonly settings: SignInSettings;
  /** Of the identity provider; null for a public client. */
  readonly clientSecret: string | null;
}

/** Settings that cannot be used: one line each, saying what is wrong and what to do. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Settings by name; `LMK_<PROVIDER>_UPSTREAM`, `..._TIMEOUTS`, `LMK_SERVER_<NAME>` and
 * `LMK_HF_ENDPOINT_<NAME>` are found by shape.
 */
const SETTINGS = [
  "LMK_LISTEN",
  "LMK_PUBLIC_URL",
  "LMK_ADMIN_LISTEN",
  "LMK_ADMIN_PUBLIC_URL",
  "LMK_OIDC_ISSUER",
  "LMK_OIDC_CLIENT_ID",
  "LMK_OIDC_CLIENT_SECRET",
  "LMK_OIDC_NAME",
  "LMK_OIDC_SCOPES",
  "LMK_OIDC_RULES",
  "LMK_OIDC_CREATE_USERS",
  "LMK_OIDC_ONLY_MATCHING",
  "LMK_OIDC_ONLY",
  "LMK_DATA_DIR",
  "LMK_ADMIN_TOKEN",
  "LMK_VAULT_KEY",
  "LMK_UPSTREAM_PROXY",
  "LMK_TRUSTED_PROXIES",
  "LMK_DRAIN",
  "LMK_LOG_RETENTION",
  "LMK_TLS",
  "LMK_TLS_CERT",
  "LMK_TLS_KEY",
  "LMK_TLS_LIFETIME",
  "LMK_PROXY_LISTEN",
  "LMK_PROXY_URL",
  "LMK_PROXY_TUNNEL",
];

/** Variables of ours that others read: the launcher, the command line and the demo. */
const FOREIGN_SETTINGS = [
  "LMK_KEY",
  "LMK_TOKEN",
  "LMK_URL",
  "LMK_BUN",
  "LMK_PARENT_PID",
  "LMK_DEMO_DIR",
  "LMK_PRICES_URL",
  "LMK_EXPORTED",
];

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings from the environment, and from `.env` in this folder for what the environment leaves unset or empty.
 * @throws ConfigError naming every setting that cannot be used.
 */
export function readConfig(environment: Environment, folder: string): Config {
  return new Reader(environment, readEnvFile(folder), folder).config();
}

function readEnvFile(folder: string): Environment {
  const file = resolve(folder, ".env");
  if (!existsSync(file)) return {};
  try {
    return parseEnv(readFileSync(file, "utf8")) as Environment;
  } catch (error) {
    throw new ConfigError([
      `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    ]);
  }
}

class Reader {
  private readonly problems: string[] = [];
  private readonly warnings: string[] = [];
  private readonly known = new Set([...SETTINGS, ...FOREIGN_SETTINGS]);

  private readonly environment: Environment;
  private readonly file: Environment;
  private readonly folder: string;

  constructor(environment: Environment, file: Environment, folder: string) {
    this.environment = environment;
    this.file = file;
    this.folder = folder;
  }

  config(): Config {
    const { folder } = this;
    const { host, port } = this.listen("LMK_LISTEN", "127.0.0.1:8000");
    const publicUrl = this.publicUrl("LMK_PUBLIC_URL", "LMK_LISTEN", host);
    const adminListen =
      this.value("LMK_ADMIN_LISTEN") === undefined
        ? undefined
        : this.listen("LMK_ADMIN_LISTEN", "127.0.0.1:8001");
    const adminPublicUrl =
      adminListen && this.publicUrl("LMK_ADMIN_PUBLIC_URL", "LMK_ADMIN_LISTEN", adminListen.host);
    const config: Config = {
      host,
      port,
      publicUrl,
      adminListen,
      adminPublicUrl,
      signIn: this.signIn(),
      dataDir: resolve(folder, this.value("LMK_DATA_DIR") ?? "llamakey-data"),
      adminToken: this.adminToken(),
      vaultKey: this.value("LMK_VAULT_KEY"),
      upstreamProxy: this.url("LMK_UPSTREAM_PROXY", true),
      trustedProxies: this.networks("LMK_TRUSTED_PROXIES"),
      drainMs: this.duration("LMK_DRAIN", 30_000),
      logRetentionMs: this.duration("LMK_LOG_RETENTION", 90 * 24 * 3_600_000),
      tls: this.tls(),
      proxy: this.proxy(publicUrl),
      certificateMs: this.certificateLifetime(),
      providers: this.providers(),
      warnings: this.warnings,
    };
    this.warnOfUnknownSettings();
    if (this.problems.length > 0) throw new ConfigError(this.problems);
    return Object.freeze(config);
  }

  /** The environment before the file; an empty value counts as unset. */
  private value(name: string): string | undefined {
    return this.environment[name]?.trim() || this.file[name]?.trim() || undefined;
  }

  private names(): Set<string> {
    return new Set([...Object.keys(this.environment), ...Object.keys(this.file)]);
  }

  private listen(name: string, fallback: string): { host: string; port: number } {
    return this.hostAndPort(name, this.value(name) ?? fallback);
  }

  private hostAndPort(name: string, text: string): { host: string; port: number } {
    const match = /^(?:(?<host>\[[0-9a-fA-F:]+\]|[^:[\]]*):)?(?<port>\d{1,5})$/.exec(text);
    const port = Number(match?.groups?.["port"]);
    if (match === null || port > 65_535) {
      this.problems.push(`${name} is "${text}"; it must be host:port, for example 127.0.0.1:8000.`);
    }
    return { host: match?.groups?.["host"]?.replace(/^\[|\]$/g, "") || "127.0.0.1", port };
  }

  private publicUrl(name: string, listens: string, host: string): string | undefined {
    const url = this.url(name);
    if (url === undefined && !isLoopback(host)) {
      this.problems.push(
        `${listens} opens ${host} to other machines; set ${name} to the address that they use, for example https://llm.example.com.`,
      );
    }
    return url;
  }

  private tls(): TlsConfig | undefined {
    const [kind, cert, key] = ["LMK_TLS", "LMK_TLS_CERT", "LMK_TLS_KEY"].map((name) => this.value(name));
    if (kind !== undefined && kind !== "local")
      this.problems.push(`LMK_TLS is "${kind}"; it must be local, or be left out.`);
    if (cert === undefined && key === undefined) return kind === undefined ? undefined : { kind: "local" };
    if (kind !== undefined)
      this.problems.push(
        "LMK_TLS=local makes certificates by itself; leave LMK_TLS_CERT and LMK_TLS_KEY out.",
      );
    if (cert === undefined || key === undefined) {
      this.problems.push(
        "LMK_TLS_CERT and LMK_TLS_KEY belong together: files with a certificate and its key.",
      );
      return undefined;
    }
    return { kind: "files", cert: resolve(this.folder, cert), key: resolve(this.folder, key) };
  }

  private proxy(publicUrl: string | undefined): ProxyConfig | undefined {
    const text = this.value("LMK_PROXY_LISTEN");
    const tunnels = this.tunnels();
    const url = this.url("LMK_PROXY_URL");
    if (text === undefined) return undefined;
    const { host, port } = this.hostAndPort("LMK_PROXY_LISTEN", text);
    if (url === undefined && publicUrl === undefined && !isLoopback(host)) {
      this.problems.push(
        `LMK_PROXY_LISTEN opens ${host} to other machines; set LMK_PROXY_URL to the address that they use, for example http://llm.example.com:3128.`,
      );
    }
    return { host, port, publicUrl: url, tunnels };
  }

  private tunnels(): string[] {
    const names = (this.value("LMK_PROXY_TUNNEL") ?? "none")
      .split(",")
      .map((one) => one.trim().toLowerCase());
    const given = names.filter((one) => one !== "" && one !== "none");
    for (const one of given) {
      if (one === "*" || /^(?:\*\.)?(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*$/.test(one)) continue;
      this.problems.push(
        `LMK_PROXY_TUNNEL has "${one}"; it must be names of hosts, *.example.com for all below one, * for all, or none.`,
      );
    }
    if (given.length > 0 && this.value("LMK_UPSTREAM_PROXY") !== undefined) {
      this.problems.push("LMK_PROXY_TUNNEL cannot be used with LMK_UPSTREAM_PROXY: tunnels are direct.");
    }
    return given;
  }

  private certificateLifetime(): number {
    const ms = this.duration("LMK_TLS_LIFETIME", 7 * 24 * 3_600_000);
    if (ms >= 3_000 && ms <= 90 * 24 * 3_600_000) return ms;
    this.problems.push("LMK_TLS_LIFETIME must be at most 90d.");
    return ms;
  }

  private signIn(): EnvironmentSignIn | undefined {
    const issuer = this.url("LMK_OIDC_ISSUER");
    const given = SETTINGS.filter((name) => name.startsWith("LMK_OIDC_") && this.value(name) !== undefined);
    if (issuer === undefined) {
      if (given.length > 0)
        this.problems.push(`${given.join(", ")} needs LMK_OIDC_ISSUER, which is not set.`);
      return undefined;
    }
    const clientId = this.value("LMK_OIDC_CLIENT_ID");
    if (clientId === undefined)
      this.problems.push("LMK_OIDC_ISSUER needs LMK_OIDC_CLIENT_ID, which is not set.");
    const { protocol, hostname } = URL.canParse(issuer)
      ? new URL(issuer)
      : { protocol: "https:", hostname: "" };
    if (protocol !== "https:" && !isLoopback(hostname))
      this.problems.push("LMK_OIDC_ISSUER must begin with https://.");
    const rules = (this.value("LMK_OIDC_RULES") ?? "").split(";").filter((text) => text.trim() !== "");
    const oidc: OidcSettings = {
      issuer: this.value("LMK_OIDC_ISSUER") ?? issuer,
      clientId: clientId ?? "",
      sealedSecret: null,
      name: this.value("LMK_OIDC_NAME") ?? "single sign-on",
      scopes: (this.value("LMK_OIDC_SCOPES") ?? "openid profile email").split(/[\s,]+/),
      rules: rules.flatMap((text) => {
        const rule = parseClaimRule(text);
        if (typeof rule !== "string") return [rule];
        this.problems.push(`LMK_OIDC_RULES: ${rule}`);
        return [];
      }),
      createUsers: this.flag("LMK_OIDC_CREATE_USERS"),
      onlyMatching: this.flag("LMK_OIDC_ONLY_MATCHING"),
    };
    const settings = { oidc, ssoOnly: this.flag("LMK_OIDC_ONLY") };
    return { settings, clientSecret: this.value("LMK_OIDC_CLIENT_SECRET") ?? null };
  }

  private flag(name: string): boolean {
    const text = this.value(name) ?? "false";
    if (text !== "true" && text !== "false")
      this.problems.push(`${name} is "${text}"; it must be true or false.`);
    return text === "true";
  }

  private adminToken(): string | undefined {
    const token = this.value("LMK_ADMIN_TOKEN");
    if (token !== undefined && token.length < 24) {
      this.problems.push(
        "LMK_ADMIN_TOKEN is too short; use 24 characters or more (openssl rand -base64 24).",
      );
    }
    return token;
  }

  private providers(): ProviderConfig[] {
    const providers = [...knownProviders, ...this.named()];
    const configured: ProviderConfig[] = [];
    for (const known of providers) {
      const variable = settingName(known.id);
      const upstream = this.url(`LMK_${variable}_UPSTREAM`) ?? known.upstream;
      this.known.add(`LMK_${variable}_UPSTREAM`).add(`LMK_${variable}_TIMEOUTS`);
      const provider = this.asSet(known, variable);
      const environmentCredential = this.credential(provider);
      if (upstream === undefined) {
        if (environmentCredential !== undefined) {
          this.warnings.push(
            `${environmentCredential.variable} is set, but ${known.name} has no common address: set LMK_${variable}_UPSTREAM to yours.`,
          );
        }
        continue;
      }
      configured.push({ provider, upstream, environmentCredential });
    }
    return configured;
  }

  /** The provider's file with what the settings say of it. */
  private asSet(known: Provider, variable: string): Provider {
    const timeouts = this.timeouts(`LMK_${variable}_TIMEOUTS`, known.timeouts);
    const { mint } = known.credential;
    const value = known.account && this.value(known.account.variable);
    let { credential } = known;
    if (mint?.auth !== undefined) {
      this.known.add(`LMK_${variable}_AUTH`);
      credential = { ...credential, mint: { ...mint, auth: this.url(`LMK_${variable}_AUTH`) ?? mint.auth } };
    }
    const account = known.account && value ? { account: { ...known.account, value } } : {};
    return { ...known, timeouts, credential, ...account, ...this.accountPath(known) };
  }

  private accountPath({ accountPath, name }: Provider): Pick<Provider, "accountPath"> {
    if (accountPath === undefined) return {};
    const location = this.value(accountPath.variable);
    if (location === undefined) return { accountPath };
    // It becomes a part of paths and of a host's name.
    if (/^[a-z]+(?:-[a-z]+\d+)?$/.test(location)) return { accountPath: { ...accountPath, location } };
    this.warnings.push(
      `${accountPath.variable} is no location of ${name}; calls that name none go to ${accountPath.location}.`,
    );
    return { accountPath };
  }

  /** Those that an administrator names: servers of one's own, and dedicated endpoints. */
  private named(): Provider[] {
    const servers: Provider[] = [];
    const taken = new Set(takenIds);
    for (const name of [...this.names()].sort()) {
      const [, kind, id] = /^LMK_(SERVER|HF_ENDPOINT)_([A-Z0-9]+(?:_[A-Z0-9]+)*)$/.exec(name) ?? [];
      if (id === undefined || (id.endsWith("_KEY") && this.names().has(name.slice(0, -"_KEY".length))))
        continue;
      const upstream = this.url(name);
      if (upstream === undefined) continue;
      const make = kind === "SERVER" ? compatibleServer : huggingfaceEndpoint;
      const server = make(id.toLowerCase().replaceAll("_", "-"), upstream);
      if (taken.has(server.id)) {
        this.problems.push(`${name} cannot be used: "${server.id}" is taken. Choose another name.`);
        continue;
      }
      taken.add(server.id);
      servers.push(server);
    }
    return servers;
  }

  private credential(provider: Provider): ProviderConfig["environmentCredential"] {
    for (const variable of provider.credential.env) {
      for (const source of [this.environment, this.file]) {
        const secret = source[variable]?.trim();
        if (!secret) continue;
        if (looksLikeKey(secret)) {
          this.warnings.push(
            `${variable} holds a LlaMaKey master key, so this shell has sourced a client's exports; ignored.`,
          );
          continue;
        }
        const problem = credentialProblem(secret, provider.credential);
        if (problem === undefined) return { variable, secret };
        this.problems.push(`${variable} ${problem}`);
        return undefined;
      }
    }
    return this.credentialInFile(provider) ?? this.credentialInParts(provider);
  }

  /** A file that cannot be used is only warned of: other programs read these variables, too. */
  private credentialInFile({ name, credential }: Provider): ProviderConfig["environmentCredential"] {
    for (const variable of credential.mint?.files ?? []) {
      const file = this.value(variable);
      if (file === undefined) continue;
      const secret = readText(resolve(this.folder, file));
      const problem =
        secret === undefined
          ? "names a file that cannot be read."
          : secret.includes('"lmk_')
            ? "names a file that lmk env has written for a client."
            : credentialProblem(secret, credential);
      if (secret !== undefined && problem === undefined) return { variable, secret };
      this.warnings.push(`${variable} ${problem} It is not used for ${name}.`);
    }
    return undefined;
  }

  /** All variables of a credential that is made up of several, as the JSON that it would be stored as. */
  private credentialInParts({ credential }: Provider): ProviderConfig["environmentCredential"] {
    const parts = (credential.mint?.variables ?? []).map(
      ([variable, member]) => [variable, member, this.value(variable)] as const,
    );
    const missing = parts.filter(([, , value]) => value === undefined).map(([variable]) => variable);
    if (missing.length === parts.length) return undefined;
    const variable = parts.map(([name]) => name).join(" and ");
    if (missing.length > 0)
      this.problems.push(`${variable} belong together; ${missing.join(", ")} is not set.`);
    else if (parts.some(([, , value = ""]) => looksLikeKey(value))) {
      this.warnings.push(
        `${variable} hold a LlaMaKey master key, so this shell has sourced a client's exports; ignored.`,
      );
    } else {
      const secret = JSON.stringify(Object.fromEntries(parts.map(([, member, value]) => [member, value])));
      return { variable, secret };
    }
    return undefined;
  }

  private url(name: string, mayHaveLogin = false): string | undefined {
    const text = this.value(name);
    if (text === undefined) return undefined;
    const problem = urlProblem(text, mayHaveLogin);
    // A URL with a login in it is not quoted: it holds a password.
    const quoted = text.includes("@") ? "is set, but" : `is "${text}";`;
    if (problem !== undefined) this.problems.push(`${name} ${quoted} ${problem}`);
    return text.replace(/\/+$/, "");
  }

  private networks(name: string): Network[] {
    const texts = (this.value(name) ?? "").split(",").filter((text) => text.trim() !== "");
    return texts.flatMap((text) => {
      const network = parseNetwork(text);
      if (network === undefined) {
        this.problems.push(
          `${name} has "${text.trim()}"; it must be addresses or CIDR blocks, for example 10.0.0.5,192.168.7.0/24.`,
        );
      }
      return network ?? [];
    });
  }

  private duration(name: string, fallback: number): number {
    const text = this.value(name);
    if (text === undefined) return fallback;
    const ms = durationMs(text);
    if (ms !== undefined) return ms;
    this.problems.push(`${name} is "${text}"; it must be a duration such as 30s, 15m, 2h or 90d.`);
    return fallback;
  }

  /** `first-byte=20m,idle=60s`; what it does not name stays as the provider's file has it. */
  private timeouts(name: string, defaults: Timeouts): Timeouts {
    const text = this.value(name);
    if (text === undefined) return defaults;
    const timeouts: Record<string, number> = {};
    for (const part of text.split(",")) {
      const [key = "", value = ""] = part.split("=").map((side) => side.trim());
      const field = TIMEOUT_FIELDS[key];
      const ms = durationMs(value);
      if (field === undefined || ms === undefined) {
        this.problems.push(
          `${name} has "${part.trim()}"; write for example connect=10s,first-byte=15m,idle=5m,total=1h.`,
        );
      } else timeouts[field] = ms;
    }
    return { ...defaults, ...timeouts };
  }

  private warnOfUnknownSettings(): void {
    for (const name of this.names()) {
      if (!name.startsWith("LMK_") || /^LMK_(?:SERVER|HF_ENDPOINT)_/.test(name) || this.known.has(name))
        continue;
      this.warnings.push(`${name} is not a setting; is it misspelt?`);
    }
  }
}

const TIMEOUT_FIELDS: Record<string, keyof Timeouts | undefined> = {
  connect: "connectMs",
  "first-byte": "firstByteMs",
  idle: "idleMs",
  total: "totalMs",
};

/** Why this cannot be a provider's key, or undefined where it may be one. Never quotes it. */
export function credentialProblem(secret: string, { mint }: CredentialRule): string | undefined {
  try {
    // Made to see that one can be; it is sent nowhere.
    if (mint?.request(secret, mint.auth ?? "", 0) !== undefined) return undefined;
  } catch (error) {
    if (error instanceof UnusableCredential) return error.message;
    throw error;
  }
  if (/^["'].*["']$/.test(secret)) return "is wrapped in quotation marks; remove them.";
  if (/[^\x21-\x7e]/.test(secret)) return "contains spaces or characters that no key has; copy it again.";
  if (secret.length < 8) return "is too short to be a key; copy it again.";
  return undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function urlProblem(text: string, mayHaveLogin: boolean): string | undefined {
  if (!URL.canParse(text)) return "it must be a URL such as https://api.example.com/v1.";
  const url = new URL(text);
  if (url.protocol !== "https:" && url.protocol !== "http:") return "it must begin with https:// or http://.";
  if (!mayHaveLogin && (url.username !== "" || url.password !== ""))
    return "it must not contain a user name or password.";
  if (url.search !== "" || url.hash !== "") return "it must not have a query or a fragment.";
  return undefined;
}

function settingName(providerId: string): string {
  return providerId.toUpperCase().replaceAll("-", "_");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}
