import { Refusal } from "../domain/refusal.ts";
import { Roll } from "../domain/roll.ts";
import type { KeyHolder } from "./directory.ts";
import type { Exchange } from "./exchange.ts";
import type { Upstream } from "./upstreams.ts";

const SWEEP_MS = 250;

/**
 * Every exchange that is under way.
 *
 * One timer looks at all of them four times a second: a timer for each request would cost more than the rest of
 * the bookkeeping, and no deadline here needs better than a quarter of a second.
 */
export class InFlight {
  /** Milliseconds; moves with the sweep, so that reading it per piece of a stream costs nothing. */
  now = performance.now();
  private readonly exchanges = new Roll<Exchange>();
  private readonly timer = setInterval(() => this.sweep(performance.now()), SWEEP_MS);
  private idle: PromiseWithResolvers<void> | undefined;
  /** True from the moment a stop was asked for: nothing new is taken. */
  draining = false;

  get size(): number {
    return this.exchanges.size;
  }

  add(exchange: Exchange): void {
    this.exchanges.add(exchange);
  }

  remove(exchange: Exchange): void {
    this.exchanges.delete(exchange);
    if (this.exchanges.size === 0) this.idle?.resolve();
  }

  /** Cuts every exchange of these keys, and of the keys that were made with them; returns how many. */
  cutKeys(keyIds: ReadonlySet<string>): number {
    return this.cutWhere(
      ({ key, ancestors = [] }) => keyIds.has(key.id) || ancestors.some(({ id }) => keyIds.has(id)),
      () => new Refusal("invalid_key", "This master key was revoked."),
    );
  }

  /** Cuts every exchange of child keys whose time is over. @param at Epoch milliseconds. */
  cutEndedChildren(at: number): number {
    return this.cutWhere(
      ({ key, ancestors }) => ancestors !== undefined && key.expiresAt !== null && key.expiresAt <= at,
      () => new Refusal("expired_key", "The time of this master key is over."),
    );
  }

  private cutWhere(applies: (holder: KeyHolder) => boolean, reason: () => Refusal): number {
    let count = 0;
    for (const exchange of this.exchanges.all()) {
      if (exchange.holder === undefined || !applies(exchange.holder)) continue;
      exchange.cut(reason());
      count++;
    }
    return count;
  }

  /** Resolves when none is left; after `patienceMs` it cuts those that are. Returns how many it cut. */
  async drain(patienceMs: number): Promise<number> {
    this.draining = true;
    if (!(await this.emptied(patienceMs))) {
      const left = this.exchanges.all();
      for (const exchange of left)
        exchange.cut(new Refusal("shutting_down", "The gateway is shutting down."));
      await this.emptied(1000);
      clearInterval(this.timer);
      return left.length;
    }
    clearInterval(this.timer);
    return 0;
  }

  /** Ends a drain's patience. */
  hurry(): void {
    this.idle?.resolve();
  }

  private async emptied(patienceMs: number): Promise<boolean> {
    if (this.exchanges.size === 0) return true;
    this.idle = Promise.withResolvers();
    await Promise.race([this.idle.promise, Bun.sleep(patienceMs)]);
    return this.exchanges.size === 0;
  }

  private sweep(now: number): void {
    this.now = now;
    for (const exchange of this.exchanges.all()) {
      const waited = now - exchange.since;
      if (exchange.drainUntil !== null && now > exchange.drainUntil) exchange.cut(tookTooLong());
      else if (waited > exchange.patienceMs) exchange.cut(overdue(exchange));
      else if (exchange.timeouts && exchange.elapsedMs() > exchange.timeouts.totalMs)
        exchange.cut(tookTooLong());
    }
  }
}

function overdue(exchange: Exchange): Refusal {
  if (exchange.phase === "receiving") {
    return new Refusal("bad_request", "The request's body did not arrive in time.", {
      status: 408,
      headers: { connection: "close" },
    });
  }
  return new Refusal(
    "upstream_timeout",
    `${exchange.upstream?.provider.name ?? "The provider"} did not answer in time.`,
  );
}

function tookTooLong(): Refusal {
  return new Refusal("upstream_timeout", "The call took longer than this gateway allows in total.");
}

export function unreachable(upstream: Upstream, cause: unknown): Refusal {
  return new Refusal(
    "upstream_unreachable",
    `${upstream.provider.name} could not be reached; it may be down. Try again later.`,
    { cause },
  );
}
