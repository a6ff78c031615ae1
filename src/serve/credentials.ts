import { CredentialProblem } from "../admin/credential-problem.ts";
import type { CredentialDesk, CredentialTest, CredentialView } from "../admin/parts.ts";
import { credentialProblem, type ProviderConfig } from "../config.ts";
import type { AuditSource } from "../domain/audit.ts";
import type { Clock } from "../domain/clock.ts";
import type { StoredCredential } from "../domain/credential.ts";
import { looksLikeKey, mask, randomBase62 } from "../domain/key.ts";
import { Refusal } from "../domain/refusal.ts";
import type { AdminStore } from "../domain/store.ts";
import type { Credential } from "../gateway/credential.ts";
import type { Member } from "../gateway/credential-pool.ts";
import { MintedToken } from "../gateway/minted-token.ts";
import { requirePublic } from "../gateway/require-public.ts";
import { locate, type Upstream, type Upstreams } from "../gateway/upstreams.ts";
import type { TokenRequest } from "../providers/mint.ts";
import { bearer, type Provider } from "../providers/provider.ts";
import { Unreadable, type Vault } from "../vault/vault.ts";

const TEST_TIMEOUT_MS = 15_000;
const PROBE_EVERY_MS = 500;

interface Parts {
  readonly store: AdminStore;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly upstreams: Upstreams;
  /** Of this moment. */
  readonly providers: () => readonly ProviderConfig[];
  readonly upstreamProxy: string | undefined;
  /** Called when the gateway has been handed other credentials. */
  readonly changed: () => void;
  /** For operators. */
  readonly report: (message: string) => void;
}

/** Keeps the real keys: sealed in the store, opened in memory for the gateway, masked for everybody else. */
export class Credentials implements CredentialDesk {
  private readonly parts: Parts;
  /** Why a stored credential cannot be used, by its id. */
  private readonly problems = new Map<string, string>();
  /** Tokens outlive a change of other credentials, by the id of their own. */
  private minted = new Map<string, MintedToken>();

  private prober: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Opens what is stored and hands it to the gateway; what cannot be opened is left out and listed with the reason. */
  async load(): Promise<void> {
    const stored = await this.parts.store.listCredentials();
    this.problems.clear();
    const minted = new Map<string, MintedToken>();
    const ready = (credential: Credential, upstream: Upstream): Credential => {
      const token = this.minted.get(credential.id) ?? this.tokenOf(credential, upstream);
      if (token === undefined) return credential;
      minted.set(credential.id, token);
      const account = upstream.provider.credential.mint?.account?.(credential.secret);
      return { ...credential, minted: token, ...(account === undefined ? {} : { account }) };
    };
    for (const { provider, environmentCredential } of this.parts.providers()) {
      const upstream = this.parts.upstreams.get(provider.id);
      if (upstream === undefined) continue;
      const usable: Credential[] = [];
      for (const credential of stored) {
        if (credential.provider !== provider.id) continue;
        const secret = this.open(credential, upstream);
        const { id, name, masked, weight } = credential;
        if (secret !== undefined) usable.push(ready({ id, name, secret, masked, weight }, upstream));
      }
      if (environmentCredential !== undefined) {
        const { secret } = environmentCredential;
        const masked = shown(secret, provider);
        usable.push(ready({ id: environmentId(provider), name: "env", secret, masked, weight: 1 }, upstream));
      }
      upstream.pool.replace(usable);
    }
    this.minted = minted;
    this.parts.changed();
  }

  async list(): Promise<CredentialView[]> {
    const views: CredentialView[] = [];
    for (const { provider, environmentCredential } of this.parts.providers()) {
      if (environmentCredential === undefined) continue;
      const id = environmentId(provider);
      views.push({
        id,
        provider: provider.id,
        name: "env",
        source: "environment",
        masked: shown(environmentCredential.secret, provider),
        usable: true,
        problem: null,
        weight: 1,
        ...this.healthOf(provider.id, id),
        createdAt: null,
      });
    }
    for (const credential of await this.parts.store.listCredentials()) views.push(this.view(credential));
    return views;
  }

  async add(
    source: AuditSource,
    provider: string,
    name: string,
    secret: string,
    weight: number,
  ): Promise<CredentialView> {
    const upstream = this.parts.upstreams.get(provider);
    if (upstream === undefined) {
      const known = [...this.parts.upstreams.keys()].join(", ");
      throw new CredentialProblem(`There is no provider "${provider}" here; there are: ${known}.`);
    }
    const problem = looksLikeKey(secret)
      ? "is a LlaMaKey master key, not a provider's."
      : credentialProblem(secret, upstream.provider.credential);
    if (problem !== undefined) throw new CredentialProblem(`The ${upstream.provider.name} key ${problem}`);
    const id = `crd_${randomBase62(10)}`;
    const credential: StoredCredential = {
      id,
      provider,
      name,
      upstream: boundTo(upstream),
      sealed: this.parts.vault.sealCredential(secret, { row: id, upstream: boundTo(upstream) }),
      masked: shown(secret, upstream.provider),
      weight,
      createdAt: this.parts.clock.now(),
    };
    await this.parts.store.audited(source, "addCredential", credential);
    await this.load();
    return this.view(credential);
  }

  async setWeight(source: AuditSource, id: string, weight: number): Promise<CredentialView | null> {
    if (!(await this.parts.store.audited(source, "updateCredential", id, { weight }))) return null;
    await this.load();
    const credential = (await this.parts.store.listCredentials()).find((one) => one.id === id);
    return credential === undefined ? null : this.view(credential);
  }

  async remove(source: AuditSource, id: string): Promise<boolean> {
    const removed = await this.parts.store.audited(source, "removeCredential", id);
    await this.load();
    return removed;
  }

  async test(source: AuditSource, id: string): Promise<CredentialTest | null> {
    for (const upstream of this.parts.upstreams.values()) {
      const member = upstream.pool.find(id);
      if (member === undefined) continue;
      const result = await this.probe(upstream, member);
      const { ok, status } = result;
      await this.parts.store.noteAudit(source, {
        action: "credential.test",
        target: { kind: "credential", id, name: member.credential.name },
        before: null,
        // Not the message: it may quote what a token server said.
        after: { provider: upstream.provider.id, ok, status },
      });
      return result;
    }
    return null;
  }

  async testProvider(source: AuditSource, id: string): Promise<CredentialTest | null> {
    const upstream = this.parts.upstreams.get(id);
    if (upstream === undefined) return null;
    const result = await this.look(upstream);
    await this.parts.store.noteAudit(source, {
      action: "provider.test",
      target: { kind: "provider", id, name: upstream.provider.name },
      before: null,
      after: { upstream: upstream.base, ok: result.ok, status: result.status },
    });
    return result;
  }

  private async look(upstream: Upstream): Promise<CredentialTest> {
    const { provider, pool } = upstream;
    const [member] = pool.members;
    if (member !== undefined) return this.probe(upstream, member);
    if (provider.credential.required)
      return { ok: false, status: null, message: `${provider.name} has no credential yet.`, durationMs: 0 };
    const { status, durationMs, refusal } = await this.ask(upstream, undefined);
    const ok = status !== null && status >= 200 && status < 300;
    const wants =
      status === 401 || status === 403 ? "wants a credential" : "gives an answer that settles nothing";
    const said = ok ? "answers" : wants;
    const message = status === null ? refusal : `${provider.name} ${said} (status ${status}).`;
    return { ok, status, message, durationMs };
  }

  /** Asks providers from time to time whether they take again what they rejected, and are well again. */
  startProbing(): void {
    this.prober = setInterval(() => {
      for (const upstream of this.parts.upstreams.values()) this.probeDue(upstream);
    }, PROBE_EVERY_MS);
  }

  stopProbing(): void {
    clearInterval(this.prober);
  }

  /** A credential that is alone is sent as it is whatever became of it, so nobody needs to ask. */
  private probeDue(upstream: Upstream): void {
    const { pool } = upstream;
    if (!pool.isShared) return;
    const now = this.parts.clock.now();
    for (const member of pool.members) {
      if (member.probeAt > now) continue;
      // Not again while this one is under way.
      member.probeAt = Number.POSITIVE_INFINITY;
      void this.probe(upstream, member);
    }
  }

  private async probe(upstream: Upstream, member: Member): Promise<CredentialTest> {
    const { provider, pool } = upstream;
    const { status, durationMs, refusal } = await this.ask(upstream, member.credential);
    const result = (ok: boolean, message: string): CredentialTest => ({ ok, status, message, durationMs });
    if (status !== null && status >= 200 && status < 300) {
      // What too many requests brought about, one that costs nothing does not mend.
      if (member.health !== "limited") pool.worked(member);
      return result(true, `${provider.name} accepts it.`);
    }
    this.stillOut(upstream, member, status);
    if (status === null) return result(false, refusal);
    const verdict = status === 401 || status === 403 ? "rejects it" : "gives an answer that settles nothing";
    return result(false, `${provider.name} ${verdict} (status ${status}).`);
  }

  /** A call that costs nothing. @returns no status and a reason where there was no answer. */
  private async ask(upstream: Upstream, credential: Credential | undefined): Promise<Asked> {
    const { provider } = upstream;
    const { at, path } = locate(upstream, provider.credential.probe);
    const headers = new Headers({ accept: "application/json", ...provider.credential.probeHeaders });
    const started = performance.now();
    const took = () => Math.round(performance.now() - started);
    try {
      if (upstream.mustBePublic) await requirePublic(upstream, this.parts.clock.now());
      const signal = AbortSignal.timeout(TEST_TIMEOUT_MS);
      const token = await credential?.minted?.get(signal);
      if (token !== undefined) headers.set(...bearer(token));
      else if (credential !== undefined)
        headers.set(...provider.credential.place(credential.secret, headers, path));
      const proxy = this.parts.upstreamProxy;
      const reply = await fetch(at.base + path, {
        headers,
        redirect: "manual",
        signal,
        ...(proxy === undefined ? {} : { proxy }),
      });
      await reply.body?.cancel();
      return { status: reply.status, durationMs: took(), refusal: "" };
    } catch (error) {
      const refusal =
        error instanceof Refusal ? error.message : `${provider.name} could not be reached at ${at.origin}.`;
      return { status: null, durationMs: took(), refusal };
    }
  }

  /** Asked again later; what only a probe was told changes nothing of a credential that serves. */
  private stillOut({ pool }: Upstream, member: Member, status: number | null): void {
    if (member.health !== "rejected" || member.lastError === null) return;
    pool.rejected(member, {
      ...member.lastError,
      at: this.parts.clock.now(),
      status: status ?? member.lastError.status,
    });
  }

  /** Undefined for a credential that is sent itself. */
  private tokenOf({ id, name, secret }: Credential, upstream: Upstream): MintedToken | undefined {
    const { clock, upstreamProxy, report } = this.parts;
    const { provider } = upstream;
    const request = (now: number) => provider.credential.mint?.request(secret, authOf(provider), now);
    if (request(clock.now()) === undefined) return undefined;
    return new MintedToken({
      name: provider.name,
      clock,
      proxy: upstreamProxy,
      request: (now) => request(now) as TokenRequest,
      rejected: (message) => {
        const member = upstream.pool.find(id);
        if (member !== undefined) upstream.pool.rejected(member, { at: clock.now(), status: null, message });
        report(`${provider.name} gives no token for the credential "${name}". ${message}`);
      },
    });
  }

  private open(credential: StoredCredential, upstream: Upstream): string | undefined {
    if (credential.upstream !== boundTo(upstream)) {
      this.problems.set(
        credential.id,
        `It was given for ${credential.upstream}; add it again for ${boundTo(upstream)}.`,
      );
      return undefined;
    }
    try {
      const { id, sealed, upstream: address } = credential;
      const secret = this.parts.vault.openCredential(sealed, { row: id, upstream: address });
      const problem = credentialProblem(secret, upstream.provider.credential);
      if (problem === undefined) return secret;
      this.problems.set(id, `It ${problem}`);
      return undefined;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.problems.set(
        credential.id,
        "It cannot be opened: its row was changed or moved. Remove it and add it again.",
      );
      return undefined;
    }
  }

  private view(credential: StoredCredential): CredentialView {
    const isConfigured = this.parts.upstreams.has(credential.provider);
    const problem = isConfigured
      ? (this.problems.get(credential.id) ?? null)
      : `The provider "${credential.provider}" is not set up here any more.`;
    return {
      id: credential.id,
      provider: credential.provider,
      name: credential.name,
      source: "stored",
      masked: credential.masked,
      usable: problem === null,
      problem,
      weight: credential.weight,
      ...this.healthOf(credential.provider, credential.id),
      createdAt: new Date(credential.createdAt).toISOString(),
    };
  }

  private healthOf(provider: string, id: string): HealthView {
    const pool = this.parts.upstreams.get(provider)?.pool;
    const member = pool?.find(id);
    if (pool === undefined || member === undefined) return NO_HEALTH;
    const now = this.parts.clock.now();
    const isOut = ({ health, coolingUntil }: Member) => health === "rejected" || coolingUntil > now;
    const serving = pool.members.filter((one) => !isOut(one));
    const { lastError, inFlight, coolingUntil } = member;
    const error = lastError && { ...lastError, at: new Date(lastError.at).toISOString() };
    const state = isOut(member) ? member.health : "ready";
    return {
      state,
      coolingUntil: coolingUntil > now ? new Date(coolingUntil).toISOString() : null,
      lastError: error,
      rejection: error !== null && state === "rejected" ? { at: error.at, message: error.message } : null,
      inFlight,
      share: isOut(member) ? 0 : member.weight / serving.reduce((sum, { weight }) => sum + weight, 0),
    };
  }
}

interface Asked {
  /** Null where there was no answer. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Why there was none. */
  readonly refusal: string;
}

type HealthView = Pick<
  CredentialView,
  "state" | "coolingUntil" | "lastError" | "rejection" | "inFlight" | "share"
>;

const NO_HEALTH: HealthView = {
  state: "unusable",
  coolingUntil: null,
  lastError: null,
  rejection: null,
  inFlight: 0,
  share: 0,
};

function environmentId({ id }: Provider): string {
  return `env_${id}`;
}

/** A stored credential is good for these addresses alone. */
function boundTo({ base, provider }: Upstream): string {
  const auth = authOf(provider);
  return auth === "" ? base : `${base} and ${auth}`;
}

function authOf({ credential }: Provider): string {
  return credential.mint?.auth ?? "";
}

/** Whose it is where the credential says so, else the key itself, masked. */
export function shown(secret: string, provider: Provider): string {
  return provider.credential.mint?.request(secret, authOf(provider), 0)?.name ?? mask(secret);
}
