import type {
  Acquired,
  CallSize,
  Exceeded,
  LimitedScope,
  Limiter,
  LimitKind,
  Permit,
  TokensUsed,
} from "../domain/limits.ts";
import { RecentOutput } from "./recent-output.ts";
import { SlidingWindow, WINDOW_MS } from "./sliding-window.ts";

/** Nobody knows when a running call will end. */
const CONCURRENCY_RETRY_MS = 1000;
/** Roughly, for text: only a count by the model's own tokeniser would be exact. */
const BYTES_PER_TOKEN = 4;

/** What a scope has used. */
class Counts {
  readonly requests = new SlidingWindow();
  readonly tokens = new SlidingWindow();
  running = 0;

  isIdle(now: number): boolean {
    return this.running === 0 && this.requests.total(now) === 0 && this.tokens.total(now) === 0;
  }
}

/** One scope's part of a permit. */
interface Share {
  readonly counts: Counts;
  /** Where it was counted; undefined where the scope does not limit that. */
  readonly requestMark: number | undefined;
  readonly tokenMark: number | undefined;
  readonly tokens: number;
}

/**
 * Limits of one process, exact to a tenth of a second: see `SlidingWindow`.
 *
 * Of a scope it keeps what it used in the last minute, and nothing of one that was idle for so long.
 */
export class MemoryLimiter implements Limiter {
  private readonly countsById = new Map<string, Counts>();
  private readonly output = new RecentOutput();
  private sweepAt = 0;

  acquire(scopes: readonly LimitedScope[], call: CallSize, now: number): Acquired {
    this.sweep(now);
    const tokens = this.estimate(scopes, call);
    let refused: Exceeded | undefined;
    let shadowed: Exceeded[] | undefined;
    for (const scope of scopes) {
      const exceeded = this.exceeded(scope, tokens, now);
      if (exceeded === undefined) continue;
      if (scope.shadow === true) {
        shadowed ??= [];
        shadowed.push(exceeded);
      } else if (refused === undefined || exceeded.retryAfterMs > refused.retryAfterMs) refused = exceeded;
    }
    // All or none: nothing has been counted so far.
    if (refused !== undefined) return { refused };
    const shares = new Array<Share>(scopes.length);
    for (let n = 0; n < scopes.length; n++) shares[n] = this.take(scopes[n] as LimitedScope, tokens, now);
    return { permit: new MemoryPermit(shares, shadowed ?? NONE, call, this.output) };
  }

  /** How many scopes it remembers. */
  get size(): number {
    return this.countsById.size;
  }

  private estimate(scopes: readonly LimitedScope[], call: CallSize): number {
    if (!call.usesTokens || !areTokensLimited(scopes)) return 0;
    const output = this.output.estimate(call.keyId, call.model);
    return Math.ceil(call.inputBytes / BYTES_PER_TOKEN + Math.min(call.outputCap ?? output, output));
  }

  /** The limit that it will have to wait longest for. */
  private exceeded(scope: LimitedScope, tokens: number, now: number): Exceeded | undefined {
    const counts = this.countsById.get(scope.id) ?? UNUSED;
    const { requestsPerMinute, tokensPerMinute, concurrentRequests } = scope.limits ?? {};
    const requests =
      requestsPerMinute === undefined
        ? undefined
        : windowExceeded(scope, "requests", counts.requests, 1, requestsPerMinute, now);
    const ofTokens =
      tokensPerMinute === undefined || tokens === 0
        ? undefined
        : windowExceeded(scope, "tokens", counts.tokens, tokens, tokensPerMinute, now);
    const concurrency =
      concurrentRequests === undefined || counts.running < concurrentRequests
        ? undefined
        : concurrencyExceeded(scope, concurrentRequests);
    return later(later(requests, ofTokens), concurrency);
  }

  private take(scope: LimitedScope, tokens: number, now: number): Share {
    let counts = this.countsById.get(scope.id);
    if (counts === undefined) {
      counts = new Counts();
      this.countsById.set(scope.id, counts);
    }
    counts.running++;
    const { requestsPerMinute, tokensPerMinute } = scope.limits ?? {};
    const taken = Math.min(tokens, tokensPerMinute ?? 0);
    return {
      counts,
      requestMark: requestsPerMinute === undefined ? undefined : counts.requests.add(now, 1),
      tokenMark: tokensPerMinute === undefined ? undefined : counts.tokens.add(now, taken),
      tokens: taken,
    };
  }

  /** Forgets scopes that have nothing to remember. */
  private sweep(now: number): void {
    if (now < this.sweepAt) return;
    this.sweepAt = now + WINDOW_MS;
    for (const [id, counts] of this.countsById) if (counts.isIdle(now)) this.countsById.delete(id);
  }
}

function areTokensLimited(scopes: readonly LimitedScope[]): boolean {
  for (const { limits } of scopes) if (limits?.tokensPerMinute !== undefined) return true;
  return false;
}

const NONE: readonly Exceeded[] = [];
/** What a scope has used that nothing was counted of. */
const UNUSED = new Counts();

/** The one that has to be waited for longer; of two that are equal, the first. */
function later(one: Exceeded | undefined, other: Exceeded | undefined): Exceeded | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.retryAfterMs > one.retryAfterMs ? other : one;
}

function windowExceeded(
  scope: LimitedScope,
  kind: LimitKind,
  window: SlidingWindow,
  wanted: number,
  limit: number,
  now: number,
): Exceeded | undefined {
  // A call that is estimated to be larger than the limit passes where nothing else was used: it never would.
  const amount = Math.min(wanted, limit);
  const used = window.total(now);
  if (amount > 0 && used + amount <= limit) return undefined;
  const remaining = Math.max(0, limit - used);
  const retryAfterMs = limit === 0 ? WINDOW_MS : window.msUntil(now, limit - amount);
  return { scope, kind, limit, remaining, retryAfterMs };
}

function concurrencyExceeded(scope: LimitedScope, limit: number): Exceeded {
  return { scope, kind: "concurrency", limit, remaining: 0, retryAfterMs: CONCURRENCY_RETRY_MS };
}

class MemoryPermit implements Permit {
  readonly exceeded: readonly Exceeded[];
  private shares: readonly Share[] | undefined;
  private readonly call: CallSize;
  private readonly output: RecentOutput;

  constructor(shares: readonly Share[], exceeded: readonly Exceeded[], call: CallSize, output: RecentOutput) {
    this.shares = shares;
    this.exceeded = exceeded;
    this.call = call;
    this.output = output;
  }

  release(used: TokensUsed | undefined): void {
    for (const { counts, tokens, tokenMark } of this.end()) {
      if (used !== undefined && tokenMark !== undefined)
        counts.tokens.correct(tokenMark, used.total - tokens);
    }
    // What failed or said nothing of it is no measure of an answer.
    if (used !== undefined && used.output > 0) this.output.saw(this.call.keyId, this.call.model, used.output);
  }

  cancel(): void {
    for (const { counts, tokens, tokenMark, requestMark } of this.end()) {
      if (tokenMark !== undefined) counts.tokens.correct(tokenMark, -tokens);
      if (requestMark !== undefined) counts.requests.correct(requestMark, -1);
    }
  }

  private end(): readonly Share[] {
    const shares = this.shares ?? [];
    this.shares = undefined;
    for (const { counts } of shares) counts.running--;
    return shares;
  }
}
