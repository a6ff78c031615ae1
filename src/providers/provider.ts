import type { Exceeded } from "../domain/limits.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { DemandFormat } from "./formats/demand.ts";
import type { UsageFormat } from "./formats/usage.ts";
import type { HostName } from "./host-name.ts";
import type { MintRule } from "./mint.ts";
import type { OwnedObjects } from "./owned.ts";

/**
 * What the gateway knows of a provider: data, with a function only where a format needs one.
 * Facts about one provider stand in its own file and nowhere else.
 */
export interface Provider {
  /** First segment of its paths at the gateway: `/openai/...`. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /**
   * The base that paths are appended to, version prefix included where the provider's SDKs include it.
   * Undefined where only the administrator knows it (`LMK_<ID>_UPSTREAM`).
   */
  readonly upstream: string | undefined;
  readonly version: VersionRule;
  readonly credential: CredentialRule;
  readonly errors: ErrorFormat;
  /** Request headers that name the caller's own account at the provider, which the gateway's key is not part of. */
  readonly accountHeaders: readonly string[];
  /** The one of them that names the gateway's own account, where paths want it. */
  readonly account?: AccountRule;
  /** Endpoints that mint credentials, or let a client go around the gateway: refused. See `Denial`. */
  readonly denied: readonly Denial[];
  /** Multipart endpoints whose form names a model, so that it must be read before it is forwarded. */
  readonly modelForms: readonly RegExp[];
  /** `ask`: its chat streams carry usage only where the request asks for it, and it takes that question. */
  readonly streamUsage: "ask" | "given";
  /** Endpoints whose bodies are files, of whatever type their SDK says: they are not read. Matched as in `Denial`. */
  readonly fileBodies?: RegExp;
  /**
   * Endpoints that take files as well as JSON: a body of no stated type is not refused for being no clear JSON. Matched
   * as in `Denial`.
   */
  readonly rawBodies?: RegExp;
  /** The query parameter that may name the model beside the body, if that is not called `model`. */
  readonly modelParameter?: string;
  /** Paths that name the model, in the first group; matched against the decoded path as it is sent. */
  readonly modelInPath?: RegExp;
  /** The parameter of the query that names the model, where no body is asked for one. */
  readonly modelInQuery?: string;
  /** Request headers that choose a service tier, and so the price. */
  readonly tierHeaders?: readonly string[];
  /** Endpoints that cost nothing although something is sent there; beside all that is only read or deleted. As in `Denial`. */
  readonly free?: RegExp;
  /** Endpoints that start work whose cost shows only later: batches, fine-tunes, videos. As in `Denial`. */
  readonly deferred?: RegExp;
  /** How answers tell what they used, first match wins; an endpoint without one is not metered. */
  readonly meters: readonly MeterRule[];
  /** What it keeps for the account of a credential, so that no other credential finds it. */
  readonly objects?: ObjectRule;
  /** Absolute links in answers that an SDK would follow with the master key, or past the gateway. */
  readonly links: readonly LinkRule[];
  /** What it keeps in the account of its key, which users of the gateway share. */
  readonly owned?: OwnedObjects;
  /** Spellings of paths that some SDK uses and the provider does not know; the first that matches is mended. */
  readonly rewrites?: readonly (readonly [pattern: RegExp, replacement: string])[];
  /** Paths that live at other hosts of the provider; the first that matches. Unused where the upstream was replaced. */
  readonly hosts?: readonly HostRule[];
  /** Hosts that its SDKs call by name, beside that of `upstream`. */
  readonly names?: readonly HostName[];
  /** Domains of which customers have hosts of their own: no name in them is ever tunnelled to, so that no key leaves. */
  readonly domains?: readonly string[];
  /** Calls that some SDK sends here although they are meant for another provider. */
  readonly handovers?: readonly Handover[];
  /** Paths of clients that have no more than a key, and leave out whose account they are of. */
  readonly accountPath?: AccountPathRule;
  /** Paths in which an encoded slash may stand, because SDKs write ids that contain one so. */
  readonly encodedSlashes?: RegExp;
  /** Endpoints that send the client elsewhere with a link of its own: it follows without any key. */
  readonly clientRedirects?: RegExp;
  /** Where its SDKs give their key for a token that they then send. */
  readonly clientTokens?: ClientTokens;
  /** Answer headers that may hold the provider's own id of a request, best first. */
  readonly requestIdHeaders: readonly string[];
  readonly disconnect?: DisconnectRule;
  readonly timeouts: Timeouts;
  /** `free` for servers of one's own or billed by the hour, unless the administrator decides otherwise; else list prices. */
  readonly pricing?: "free";
  /** What no list has a price for, and why, for administrators: such calls are logged without a cost. */
  readonly unlisted?: string;
  readonly client: ClientSettings;
}

/** How a path without, or with a superfluous, version prefix finds its way. */
export type VersionRule =
  | { readonly kind: "none" }
  /** The upstream base ends in this prefix: it, or another spelling of it, is dropped from paths that repeat it. */
  | { readonly kind: "in-base"; readonly prefix: string; readonly also?: readonly string[] }
  /** Paths carry this prefix, or one of the others: it is added to those of these endpoints that have none. */
  | {
      readonly kind: "in-path";
      readonly prefix: string;
      readonly also?: readonly string[];
      readonly endpoints: readonly string[];
    };

export interface CredentialRule {
  /** Environment variables that administrators keep this key in, first found wins. */
  readonly env: readonly string[];
  /** `false` for servers of one's own, which often want none. */
  readonly required: boolean;
  /**
   * Where the key goes in a request to the provider.
   * @param client The client's own headers: a few providers want the form that their SDK chose.
   * @param path The path as it is sent: a few want another form at some of them.
   */
  place(secret: string, client: Headers, path: string): readonly [header: string, value: string];
  /** How a token is made of a credential that is not sent itself. Tokens are sent as bearer tokens. */
  readonly mint?: MintRule;
  /** A `GET` that costs nothing and that only a valid key can make; for `lmk credential test`. */
  readonly probe: string;
  /** A `GET` for a user's first try, where the probe is not open to users. */
  readonly firstCall?: string;
  /** Headers that the probe needs beside the key. */
  readonly probeHeaders?: Readonly<Record<string, string>>;
}

export interface AccountRule {
  readonly header: string;
  /** Matched against the path as it is sent. */
  readonly path: RegExp;
  /** The environment variable that administrators keep it in. */
  readonly variable: string;
  /** What that variable holds, once the settings are read. */
  readonly value?: string;
}

export interface AccountPathRule {
  /** Matched against the path with its version; the account's part is put behind the first group. */
  readonly path: RegExp;
  /** @param account What the credential says: see `MintRule.account`. */
  part(account: string, location: string): string;
  /** The environment variable that administrators keep the location in. */
  readonly variable: string;
  /** Where calls go that say nothing of it. */
  readonly location: string;
}

export interface ClientTokens {
  /** The addresses at the gateway that are asked for them, whole. */
  readonly paths: readonly string[];
  /** The grants that its SDKs use (RFC 6749, RFC 8693), and the parameter of each that holds the master key. */
  readonly grants: Readonly<Record<string, string>>;
}

export interface ErrorFormat {
  /**
   * The body that this provider's SDKs parse, as JSON.
   * @param status The status that is answered with.
   */
  body(refusal: Refusal, requestId: string, status: number): unknown;
  /** Where its SDKs look for the id of a request. */
  readonly requestIdHeader: string | undefined;
  /** The status instead of the refusal's own, where an SDK would take that one for something else. */
  statusOf?(refusal: Refusal): number;
  /** What its SDKs read of a limit that was reached, beside `retry-after`. */
  readonly limitHeaders?: LimitHeaders;
}

/** @param now Epoch milliseconds. */
export type LimitHeaders = (exceeded: Exceeded, now: number) => Readonly<Record<string, string>>;

export interface Denial {
  /** `*` for all. */
  readonly method: string;
  /** Matches the path after the version prefix, lower-cased, without the query. */
  readonly path: RegExp;
  /** Shown to the client. */
  readonly why: string;
}

export interface MeterRule {
  /** Streams of it carry usage where `stream_options.include_usage` asks for it. */
  readonly askable?: boolean;
  /** Any where it is not given. */
  readonly method?: string;
  /** Matches as `Denial.path` does. */
  readonly path: RegExp;
  readonly format: UsageFormat;
  /** How its requests say what they can cost; one of which nothing is said can cost anything. */
  readonly demand?: DemandFormat;
}

export interface ObjectRule {
  /** Endpoints that make or use such objects, matched as in `Denial`. */
  readonly path: RegExp;
  /** Those of them whose `POST` asks a model, and makes an object beside: any credential will do for it. */
  readonly balanced?: RegExp;
}

export interface LinkRule {
  /** Endpoints whose answers hold it, matched as in `Denial`. */
  readonly path: RegExp;
  /** JSON members that hold a link, by the names that lead to them; arrays are no step: `data.results_url`. */
  readonly fields?: readonly string[];
  /** Answer headers that hold one, lower-case. */
  readonly headers?: readonly string[];
  /** Link hosts that have a place of their own here; all other links keep their path. */
  readonly places?: readonly (readonly [host: RegExp, place: string])[];
  /** The client follows this link without any key: it carries a signed, expiring permission for just this address. */
  readonly followedWithoutKey?: true;
}

export interface HostRule {
  /** Matched against the path that the version rule gave. */
  readonly path: RegExp;
  /** Where such a path is sent; `$1` is the pattern's first group, so that one must be sure to stay in the domain. */
  readonly base: string;
  /** What the pattern matched only chooses the host: it is taken off the path. */
  readonly takesOff?: true;
  /** This host is sent no key. */
  readonly withoutKey?: true;
}

/** What a provider does, and bills, when a client leaves before its answer is whole. Unknown where it is not said. */
export interface DisconnectRule {
  /** It `stops` and bills what it wrote; or it goes on and `bills` the whole answer, which is then read to its end. */
  readonly provider: "stops" | "bills";
  /** Models that think without showing it, so that what was seen does not tell what was written. */
  readonly hidden?: RegExp;
  /** Each piece of a stream says what was written until then, hidden or not. */
  readonly tells?: boolean;
}

export interface Handover {
  /** The provider that these calls are meant for; where it is not set up, they stay. */
  readonly to: string;
  /** Tested against path and query as they came behind the provider's id. */
  readonly when: RegExp;
  /** How the path is written there, if differently. */
  readonly rewrite?: readonly [pattern: RegExp, replacement: string];
}

/** All in milliseconds. */
export interface Timeouts {
  /** Until the upstream's address answers. */
  readonly connectMs: number;
  /** From the request's last byte to the answer's head: models think for minutes. */
  readonly firstByteMs: number;
  /** Between two pieces of an answer. */
  readonly idleMs: number;
  /** The whole exchange. */
  readonly totalMs: number;
}

/** What a user's shell needs so that unchanged SDKs come to the gateway. */
export interface ClientSettings {
  /** Variables that hold the key. */
  readonly keys: readonly (string | KeyVariable)[];
  /** Variables that hold the base address, each with the path that its SDKs expect after the provider's prefix. */
  readonly bases: readonly (readonly [variable: string, path: string])[];
  /** Variables of its SDKs' own that name a proxy. */
  readonly proxies?: readonly string[];
}

/** A key variable that is not simply set; those that are `broad` or `unguided` are written down commented out. */
export interface KeyVariable {
  readonly name: string;
  /** Put in front of the key: some SDKs look how it begins. One of those that `domain/key.ts` knows. */
  readonly prefix?: "hf_";
  /** Set to this instead of the key. */
  readonly value?: string;
  /** Said above it instead of why it is commented out: letters, digits, spaces and `._@+-,:` only. */
  readonly title?: string;
  /** Programs that have nothing to do with the gateway read it too. */
  readonly broad?: true;
  /** Its SDKs take their base address from the code alone: set without it, they would send the master key past us. */
  readonly unguided?: true;
  /** Not set in proxy mode either: its SDKs want one of several. */
  readonly inProxyMode?: false;
}

export const defaultTimeouts: Timeouts = {
  connectMs: 10_000,
  firstByteMs: 15 * 60_000,
  idleMs: 5 * 60_000,
  totalMs: 60 * 60_000,
};

/** What holds unless a provider's file says otherwise. */
export const defaults = {
  accountHeaders: [],
  denied: [],
  modelForms: [],
  streamUsage: "given",
  meters: [],
  links: [],
  requestIdHeaders: ["x-request-id"],
  timeouts: defaultTimeouts,
} satisfies Partial<Provider>;

/** `Authorization: Bearer <key>`, whatever the client used. */
export function bearer(secret: string): readonly [string, string] {
  return ["authorization", `Bearer ${secret}`];
}

/** The key alone in a header of its own. */
export function inHeader(name: string): (secret: string) => readonly [string, string] {
  return (secret) => [name, secret];
}
