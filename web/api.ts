/** The admin API as the console sees it: shapes, and the one way to call it. Money comes as decimal dollars. */

/** An answer of RFC 9457; its `detail` is written for whoever reads the page. */
export class Problem extends Error {
  override name = "Problem";
  readonly status: number;
  readonly title: string;
  /** What tells answers of one status apart. */
  readonly code: string | undefined;

  constructor(status: number, title: string, detail: string, code?: string) {
    super(detail);
    this.status = status;
    this.title = title;
    this.code = code;
  }
}

export interface Call {
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

let csrf = "";
/** Told by the session, and sent with whatever changes something. */
export function setCsrf(token: string): void {
  csrf = token;
}

let showSelf: (() => Promise<boolean>) | undefined;
/** @param ask Lets the user show once more who they are; true where they did. */
export function whenStepUp(ask: () => Promise<boolean>): () => void {
  showSelf = ask;
  return () => {
    showSelf = undefined;
  };
}

const listeners = new Set<() => void>();
/** Called when an answer says that nobody is signed in any more. */
export function whenSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let changed: (() => Promise<void>) | undefined;
/** Called after every call that may have changed something for somebody who is signed in. */
export function whenChanged(listener: () => Promise<void>): void {
  changed = listener;
}

/** @throws Problem */
export async function call<T>(method: string, path: string, options: Call = {}): Promise<T> {
  const { query, body, headers, signal } = options;
  const isChange = method !== "GET" && !/^\/session(\/|$)/.test(path);
  const answer = await send(method, path + queryText(query), {
    method,
    credentials: "same-origin",
    headers: {
      accept: "application/json",
      ...(method === "GET" ? {} : { "x-lmk-csrf": csrf }),
      ...(method === "POST" ? { "idempotency-key": crypto.randomUUID() } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).finally(() => {
    // Where no answer came back the change may have been made all the same.
    if (isChange) void changed?.();
  });
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  const parsed: unknown = /json/.test(answer.headers.get("content-type") ?? "") ? JSON.parse(text) : text;
  if (answer.ok) return parsed as T;
  if (answer.status === 401 && !path.startsWith("/session")) for (const listener of listeners) listener();
  const { title, detail, code } = (typeof parsed === "object" && parsed !== null ? parsed : {}) as {
    title?: string;
    detail?: string;
    code?: string;
  };
  // What gives access is changed only by those who have shown lately who they are.
  if (code === "step_up_required" && (await showSelf?.())) return call(method, path, options);
  throw new Problem(
    answer.status,
    title ?? "Error",
    detail ?? `The gateway answered ${answer.status}.`,
    code,
  );
}

async function send(method: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`/api/v1${path}`, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "No connection", `The gateway does not answer (${method} ${path.split("?")[0]}).`);
  }
}

function queryText(query: Call["query"] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === null || value === "" ? [] : [[name, String(value)] as [string, string]],
  );
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs)}`;
}

/** A page of a list; `next` is what asks for the one behind it. */
export interface Page<T> {
  readonly items: T[];
  readonly next?: string | number | null;
}

/** What a list has, however many pages it comes in; for menus and for what people look through as a whole. */
export async function all<T>(path: string, query: Call["query"] = {}, most = 5000): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | number | null | undefined;
  do {
    const page: Page<T> = await call("GET", path, {
      query: { limit: 1000, ...query, ...(cursor == null ? {} : { cursor }) },
    });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor != null && items.length < most);
  return items;
}

export type Role = "owner" | "admin" | "auditor" | "member";

export interface Session {
  readonly user: { readonly id: string; readonly name: string; readonly role: Role; readonly group?: Named };
  readonly permissions: readonly string[];
  readonly csrf: string;
  readonly hasPassword: boolean;
  /** How many. */
  readonly passkeys: number;
}

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Lifetime {
  readonly state: "active" | "revoked" | "expired" | "frozen";
  readonly createdAt: string;
  readonly revokedAt: string | null;
  readonly expiresAt: string | null;
}

export interface Group extends Named, Lifetime {}
export interface User extends Named, Lifetime {
  readonly group: Named;
  readonly role?: Role;
}
export interface Key extends Named, Lifetime {
  readonly user: Named;
  readonly group: Named;
  readonly previousSecretExpiresAt: string | null;
  readonly frozenAt?: string | null;
  readonly frozenWhy?: string | null;
  /** Where it was seen although it does not belong there. */
  readonly leak?: {
    readonly at: string;
    readonly place: "prompt" | "url";
    readonly requestId: string;
  } | null;
}
export interface NewKey {
  readonly key: Key;
  readonly secret: string;
}

export interface Credential extends Named {
  readonly provider: string;
  readonly source: "environment" | "stored";
  readonly masked: string;
  readonly usable: boolean;
  readonly problem: string | null;
  readonly rejection: { readonly at: string; readonly message: string } | null;
  readonly weight: number;
  readonly state: "ready" | "limited" | "failing" | "rejected" | "unusable";
  readonly coolingUntil: string | null;
  readonly lastError: {
    readonly at: string;
    readonly status: number | null;
    readonly message: string;
  } | null;
  readonly inFlight: number;
  readonly share: number;
  readonly createdAt: string | null;
}
export interface CredentialTest {
  readonly ok: boolean;
  readonly status: number | null;
  readonly message: string;
  readonly durationMs: number;
}
export interface Provider extends Named {
  readonly upstream: string;
  /** `stored`: it was added here, and can be removed here. */
  readonly source?: "built_in" | "environment" | "stored";
  readonly credentials: number;
  readonly ready: boolean;
  readonly unlisted: string | null;
}

export interface LoggedRequest {
  readonly seq: number;
  readonly id: string;
  readonly at: string;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly userId: string | null;
  readonly userName: string | null;
  readonly groupId: string | null;
  readonly groupName: string | null;
  readonly provider: string | null;
  readonly method: string;
  readonly endpoint: string;
  readonly model: string | null;
  readonly status: number;
  readonly refusal: string | null;
  readonly shadowRefusal: string | null;
  readonly ending: string;
  readonly firstByteMs: number | null;
  readonly durationMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly upstreamRequestId: string | null;
  readonly address: string | null;
  readonly usage: Readonly<Record<string, number>> | null;
  readonly evidence: string | null;
  readonly costNanos: string | null;
  readonly priceBook: string | null;
}

export interface Budget {
  readonly id: string;
  readonly scope: string;
  readonly name: string;
  readonly amount: string;
  readonly per: string;
  readonly provider: string | null;
  readonly model: string | null;
  readonly thresholds: readonly number[];
  readonly shadow: boolean;
  readonly posted: string | null;
  readonly reserved: string | null;
  readonly left: string | null;
  readonly periodEnd: string | null;
}

export interface PolicyDocument {
  readonly providers?: string[];
  readonly endpoints?: string[];
  readonly models?: string[];
  readonly networks?: string[];
  readonly expiresAt?: string;
  readonly limits?: { requestsPerMinute?: number; tokensPerMinute?: number; concurrentRequests?: number };
  readonly sharing?: "own" | "group" | "all";
  readonly capOutput?: boolean;
  readonly deferred?: boolean;
  readonly ownKeys?: number;
  readonly leakedKeys?: "report" | "freeze";
  readonly shadow?: boolean;
  readonly budgets?: readonly object[];
}
export interface ScopePolicy {
  readonly scope: string;
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly policy: PolicyDocument;
}
export interface Explanation {
  readonly allowed: boolean;
  readonly refusal: { readonly code: string; readonly message: string; readonly by: string } | null;
  readonly endpoint: string | null;
  readonly model: string | null;
  readonly answers: readonly {
    readonly question: string;
    readonly scope: string;
    readonly verdict: string;
    readonly message: string | null;
  }[];
  readonly budgets: readonly Pick<Budget, "id" | "scope" | "name" | "amount" | "per" | "left">[];
  readonly admission: {
    readonly verdict: "admitted" | "capped" | "waits";
    readonly ceiling: string | null;
    readonly outputCap: number | null;
  } | null;
  readonly limits: readonly { readonly scope: string; readonly limits: Readonly<Record<string, number>> }[];
}

export interface Price {
  readonly provider: string;
  readonly model: string;
  readonly serviceTier: string | null;
  readonly source: "override" | "snapshot" | "flat" | "free";
  readonly prices: Readonly<Record<string, string>>;
  readonly perCall: string | null;
  readonly tiers: readonly { readonly over: number; readonly prices: Readonly<Record<string, string>> }[];
  readonly createdAt: string | null;
}
export interface PricingDefault {
  readonly provider: string;
  readonly kind: "priced" | "flat" | "free" | "refuse";
  readonly price: string | null;
  readonly decided: boolean;
  readonly listed: boolean;
}
export interface Unpriced {
  readonly provider: string;
  readonly model: string | null;
  readonly requests: number;
  readonly lastAt: string;
  readonly units: readonly string[];
}
export interface PriceSnapshot {
  readonly hash: string;
  readonly priceBook: string;
  readonly pinnedAt: string | null;
  readonly sources: readonly Readonly<Record<string, string>>[];
}

export interface AuditRow {
  readonly seq: number;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly name: string };
  readonly address: string | null;
  readonly action: string;
  readonly target: { readonly kind: string; readonly id: string; readonly name: string };
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly hash: string;
}

export interface Settings {
  readonly timeZone: string;
  readonly webhook: { readonly url: string; readonly allowPrivate: boolean } | null;
}

/** What whoever asks may do, and what is left. */
export interface Me {
  readonly keys: readonly Key[];
  readonly providers: readonly (Named & { readonly url: string })[];
  readonly models: readonly { readonly scope: string; readonly patterns: readonly string[] }[];
  readonly limits: readonly ({ readonly scope: string } & Readonly<Record<string, string | number>>)[];
  readonly budgets: readonly {
    readonly id: string;
    readonly scope: string;
    readonly name: string;
    readonly amount: string;
    readonly per: string;
    readonly provider: string | null;
    readonly model: string | null;
    readonly left: string | null;
    readonly periodEnd: string | null;
  }[];
  /** So many active keys may one make oneself; null for no limit. */
  readonly maxKeys: number | null;
  readonly today: {
    readonly requests: number;
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly cost: string;
  };
}

/** Somebody's wish for more. */
export interface AskForMore {
  readonly id: string;
  readonly user: Named;
  readonly kind: "budget" | "limit" | "model" | "provider" | "other";
  readonly scope: string | null;
  readonly budget: Named | null;
  readonly name: string | null;
  readonly amount: string | null;
  readonly reason: string;
  readonly state: "open" | "granted" | "denied";
  readonly createdAt: string;
  readonly decidedBy: string | null;
  readonly answer: string | null;
}
