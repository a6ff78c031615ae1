import { formatPeriod } from "../domain/budget-change.ts";
import type { Clock } from "../domain/clock.ts";
import type { CompiledScope } from "../domain/compiled-scope.ts";
import { openLeak } from "../domain/leak.ts";
import { formatDollars } from "../domain/money.ts";
import { spanAt } from "../domain/period.ts";
import type { LoggedRequest, UsageSum } from "../domain/request-record.ts";
import type { RequestStore } from "../domain/store.ts";
import type { Directory, KeyHolder } from "../gateway/directory.ts";
import type { Upstream } from "../gateway/upstreams.ts";
import type { Ledger } from "../ledger/ledger.ts";

export interface MeParts {
  readonly store: Pick<RequestStore, "listRequests" | "sumUsage">;
  readonly directory: Pick<Directory, "keysOf">;
  readonly ledger: Pick<Ledger, "standing">;
  readonly clock: Clock;
  /** Those that requests can be sent to. */
  readonly upstreams: () => readonly Upstream[];
  readonly publicUrl: string;
  /** Of the organisation. */
  readonly timeZone: () => string;
  /** Whom users may ask for more; null where nobody is named. */
  readonly contact: () => string | null;
}

/** Calls that are shown. */
const LAST = 10;
/** Whoever asks again within this time, milliseconds, gets the same: reading the log takes its time. */
const FRESH_MS = 1000;
/** Users whose calls are remembered. */
const REMEMBERED = 10_000;

interface Calls {
  readonly at: number;
  readonly own: Promise<{ today: UsageSum | undefined; last: readonly LoggedRequest[] }>;
}

/** Tells holders of a key what it may do, what is left of their budgets, and what they did with it: nothing of others. */
export class Me {
  private readonly parts: MeParts;
  private readonly calls = new Map<string, Calls>();

  constructor(parts: MeParts) {
    this.parts = parts;
  }

  async of(holder: KeyHolder) {
    const { key, user, group, scopes } = holder;
    const { today, last } = await this.callsOf(user.id);
    return {
      user: user.name,
      group: group.name,
      key: {
        id: key.id,
        name: key.name,
        expiresAt: timeOrNull(key.expiresAt),
        parent: key.parent?.keyId ?? null,
      },
      leaks: this.leaksOf(user.id),
      providers: this.providersOf(scopes),
      models: scopes.flatMap(({ name, shadow, policy: { models } }) =>
        models === undefined || shadow ? [] : [{ scope: name, patterns: models }],
      ),
      limits: scopes.flatMap(({ name, shadow, policy: { limits } }) =>
        limits === undefined || shadow ? [] : [{ scope: name, ...limits }],
      ),
      budgets: scopes.flatMap((scope) => this.budgetsOf(scope, holder)),
      contact: this.parts.contact(),
      today: {
        requests: today?.requests ?? 0,
        inputTokens: today?.inputTokens ?? 0,
        outputTokens: today?.outputTokens ?? 0,
        cost: formatDollars(today?.costNanos ?? 0n),
      },
      calls: last.map(callView),
    };
  }

  /** Of all the user's keys: one that is frozen cannot ask for itself. */
  private leaksOf(userId: string) {
    const { directory, clock } = this.parts;
    return directory.keysOf(userId).flatMap((key) => {
      const leak = openLeak(key, clock.now());
      if (leak === null || key.revokedAt !== null) return [];
      const { at, place, requestId } = leak;
      const frozen = key.frozenAt != null;
      return [{ key: key.id, name: key.name, at: new Date(at).toISOString(), place, requestId, frozen }];
    });
  }

  private providersOf(scopes: readonly CompiledScope[]) {
    const isOpen = (id: string) =>
      scopes.every(
        ({ shadow, rules: { providers } }) => shadow || providers === undefined || providers.has(id),
      );
    return this.parts
      .upstreams()
      .filter(({ provider }) => isOpen(provider.id))
      .map(({ provider: { id, name } }) => ({ id, name, url: `${this.parts.publicUrl}/${id}` }));
  }

  private budgetsOf(
    { name: scope, scope: { id }, shadow, budgets }: CompiledScope,
    { key, ancestors }: KeyHolder,
  ) {
    // A child key's own budget never begins anew, whatever its period: the key does not live so long.
    const isOfChild = [key, ...(ancestors ?? [])].some((one) => one.id === id && one.parent !== undefined);
    return budgets.flatMap((budget) => {
      const standing = this.parts.ledger.standing(budget.id);
      // What only counts is no concern of the user's.
      if (standing === undefined || budget.shadow || shadow) return [];
      const { name, amount, period, provider, model } = budget;
      const left = amount - standing.posted - standing.pending;
      return [
        {
          scope,
          name,
          amount: formatDollars(amount),
          per: isOfChild ? "run" : formatPeriod(period),
          provider,
          model,
          left: formatDollars(left > 0n ? left : 0n),
          renewsAt: isOfChild ? null : timeOrNull(standing.end),
        },
      ];
    });
  }

  /** Of today alone: a user must not be able to make the gateway read its whole log. */
  private callsOf(userId: string): Calls["own"] {
    const { store, clock, timeZone } = this.parts;
    const now = clock.now();
    const known = this.calls.get(userId);
    if (known !== undefined && now - known.at < FRESH_MS) return known.own;
    const since = spanAt({ kind: "day" }, now, timeZone(), 0).start;
    const own = Promise.all([
      store.sumUsage({ userId, since, by: [] }),
      store.listRequests({ userId, since, limit: LAST }),
    ]).then(([[today], last]) => ({ today, last }));
    if (this.calls.size >= REMEMBERED) this.calls.clear();
    this.calls.set(userId, { at: now, own });
    return own;
  }
}

function callView({ at, provider, model, endpoint, status, refusal, metered }: LoggedRequest) {
  const cost = metered?.costNanos ?? null;
  return {
    at: new Date(at).toISOString(),
    provider,
    endpoint,
    model,
    status,
    refusal,
    cost: cost === null ? null : formatDollars(cost),
  };
}

function timeOrNull(at: number | null): string | null {
  return at === null || !Number.isFinite(at) ? null : new Date(at).toISOString();
}
