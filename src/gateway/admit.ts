import type { HoldFacts } from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Hold, Ledger } from "../ledger/ledger.ts";
import type { PriceBook } from "../pricing/book.ts";
import { type Ceiling, ceilingFor, costAt, outputThatFits } from "../pricing/ceiling.ts";
import { type Call, letsOthersAnswer } from "./authorise.ts";
import { busy, deferred, exhausted, type Restricted, unknownCost } from "./budget-refusals.ts";
import { type CostKind, costKind } from "./cost-kind.ts";
import type { KeyHolder } from "./directory.ts";
import type { Exchange } from "./exchange.ts";
import { cappable } from "./output-cap.ts";

/** An answer is never cut shorter than this, tokens: it would be of no use. */
const LEAST_OUTPUT_TOKENS = 1024;

const NO_BUDGETS: readonly string[] = [];

/**
 * Puts a hold on the disk for a call that is about to be forwarded: for the most that it can cost, in every budget that
 * applies to it.
 * Where it fits only so, its output is capped: see `Exchange.outputCap`.
 * @returns a promise that resolves when the hold is there.
 * @throws Refusal `budget_exhausted`, `budget_busy`, `unpriced`, or `storage_unavailable`.
 */
export function admit(
  call: Call,
  holder: KeyHolder,
  exchange: Exchange,
  ledger: Ledger,
  prices: () => PriceBook,
): Promise<void> {
  exchange.demand = call.demand;
  const kind = call.demand.background ? "deferred" : costKind(call.route, call.method);
  exchange.costsNothing = kind === "free" || kind === "deferred";
  const budgets = kind === "free" ? NO_BUDGETS : budgetsOf(holder, call, exchange);
  if (budgets.length === 0) {
    return begin(ledger.reserve(factsOf(holder, exchange), NO_BUDGETS, null), exchange);
  }
  const asking = new Asking(call, holder, exchange, ledger, budgets, factsOf(holder, exchange));
  if (kind === "deferred") asking.requireDeferred();
  const ceiling = asking.ceilingOf(kind, prices());
  exchange.most = ceiling;
  const admitted = asking.attempt(ceiling);
  if (admitted !== undefined) return beginAdmitted(admitted, exchange);
  return asking.wait(ceiling).then((one) => beginAdmitted(one, exchange));
}

function beginAdmitted({ hold, outputCap }: Admitted, exchange: Exchange): Promise<void> {
  for (const { name } of hold.shadowed) exchange.shadowRefusals.push(`budget ${name}: budget_exhausted`);
  // It is written into the body as it is sent.
  exchange.outputCap = outputCap;
  return begin(hold, exchange);
}

/**
 * Ends the hold of an attempt that its provider took nothing for, and puts one for the next attempt on the disk.
 * @returns false where others have taken the room meanwhile: there is no hold for another attempt.
 * @throws Refusal `storage_unavailable`, or what the exchange was cut with.
 */
export async function admitAgain(exchange: Exchange, ledger: Ledger): Promise<boolean> {
  const { hold } = exchange;
  if (hold === undefined) throw new Error("an attempt was made without a hold");
  const { facts, accounts, ceiling } = hold;
  if (exchange.isSent) hold.settle(0n, "reported", null);
  else hold.void();
  const budgets = accounts.map(({ budgetId }) => budgetId);
  const next = ledger.reserve({ ...facts, attempt: facts.attempt + 1 }, budgets, ceiling);
  if (next === undefined) return false;
  exchange.isSent = false;
  await begin(next, exchange);
  return true;
}

/** What `admit` would do with a call now. */
export interface Foreseen {
  readonly verdict: "admitted" | "capped" | "waits";
  /** The most that it can cost; null where no budget asks, or nobody knows and none refuses. */
  readonly ceiling: Nanos | null;
  readonly outputCap: number | null;
}

/**
 * Nothing is reserved.
 * @param scopes What restricts whoever would make the call.
 * @throws Refusal as `admit` does.
 */
export function foresee(
  call: Call,
  scopes: Restricted["scopes"],
  exchange: Exchange,
  ledger: Ledger,
  book: PriceBook,
): Foreseen {
  const kind = call.demand.background ? "deferred" : costKind(call.route, call.method);
  const budgets = kind === "free" ? NO_BUDGETS : budgetsOf({ scopes }, call, exchange);
  if (budgets.length === 0) return { verdict: "admitted", ceiling: null, outputCap: null };
  const facts = { provider: exchange.upstream?.provider.id ?? "", model: exchange.model } as HoldFacts;
  const asking = new Asking(call, { scopes }, exchange, ledger, budgets, facts);
  if (kind === "deferred") asking.requireDeferred();
  const ceiling = asking.ceilingOf(kind, book);
  const planned = asking.plan(ceiling);
  const whole = ceiling.kind === "bounded" ? ceiling.nanos : null;
  if (planned === undefined) return { verdict: "waits", ceiling: whole, outputCap: null };
  const { outputCap } = planned;
  return { verdict: outputCap === null ? "admitted" : "capped", ceiling: whole, outputCap };
}

/** Resolves when the hold is on the disk. */
async function begin(hold: Hold | undefined, exchange: Exchange): Promise<void> {
  if (hold === undefined) throw new Error("a hold without budgets was refused");
  exchange.hold = hold;
  try {
    await hold.durable;
  } catch (cause) {
    hold.void();
    throw new Refusal(
      "storage_unavailable",
      "The gateway cannot record requests at the moment; try again later.",
      { cause },
    );
  }
  // The client may have left meanwhile.
  if (exchange.ended) throw exchange.abort.reason;
}

interface Admitted {
  readonly hold: Hold;
  readonly outputCap: number | null;
}

/** A call that asks for room in its budgets. */
class Asking {
  private readonly call: Call;
  private readonly holder: Restricted;
  private readonly exchange: Exchange;
  private readonly ledger: Ledger;
  private readonly budgets: readonly string[];
  private readonly facts: HoldFacts;

  constructor(
    call: Call,
    holder: Restricted,
    exchange: Exchange,
    ledger: Ledger,
    budgets: readonly string[],
    facts: HoldFacts,
  ) {
    this.call = call;
    this.holder = holder;
    this.exchange = exchange;
    this.ledger = ledger;
    this.budgets = budgets;
    this.facts = facts;
  }

  /** @throws Refusal `unpriced` for work whose cost shows only later, unless the policy allows it. */
  requireDeferred(): void {
    if (this.isAllowed("deferred") || this.refusesNothing) return;
    throw deferred(this.ledger.roomIn(this.budgets), this.holder);
  }

  ceilingOf(kind: CostKind, book: PriceBook): Ceiling {
    // What it costs is posted when it shows.
    if (kind === "deferred") return NOTHING;
    const { provider } = this.facts;
    const { model, at } = this.exchange;
    const ceiling = ceilingFor(book, { provider, model: model ?? "", at }, this.call.demand);
    const isHopeless = ceiling.kind === "unpriced" || (ceiling.kind === "unbounded" && !this.mayCap(ceiling));
    if (!isHopeless) return ceiling;
    if (this.refusesNothing) return NOTHING;
    throw unknownCost(ceiling, this.facts, this.ledger.roomIn(this.budgets), this.holder);
  }

  /**
   * @returns undefined where only other calls' holds are in the way.
   * @throws Refusal `budget_exhausted`.
   */
  attempt(ceiling: Ceiling): Admitted | undefined {
    // Most calls fit as they are: then nobody need know how much room there is.
    const whole = ceiling.kind === "bounded" ? this.reserve(ceiling.nanos, null) : undefined;
    if (whole !== undefined) return whole;
    const planned = this.plan(ceiling);
    return planned && this.reserve(planned.nanos, planned.outputCap);
  }

  /** What `attempt` would reserve now. */
  plan(ceiling: Ceiling): { readonly nanos: Nanos; readonly outputCap: number | null } | undefined {
    const room = this.ledger.roomIn(this.budgets);
    const whole = ceiling.kind === "bounded" ? ceiling.nanos : undefined;
    if (whole !== undefined && (room === undefined || whole <= room.free))
      return { nanos: whole, outputCap: null };
    if (room === undefined) return { nanos: 0n, outputCap: null };
    if (whole !== undefined && whole <= room.left) return undefined;
    if (this.mayCap(ceiling)) {
      const cap = outputThatFits(ceiling, room.free);
      if (cap >= LEAST_OUTPUT_TOKENS) return { nanos: costAt(ceiling, cap), outputCap: cap };
      if (outputThatFits(ceiling, room.left) >= LEAST_OUTPUT_TOKENS) return undefined;
    }
    throw exhausted(room, ceiling, outputThatFits(ceiling, room.left), this.holder);
  }

  /** @throws Refusal `budget_busy` where other calls' holds stay in the way for too long. */
  async wait(ceiling: Ceiling): Promise<Admitted> {
    let refusal: unknown;
    const admitted = await this.ledger.whenFreed(() => {
      if (this.exchange.ended) return LEFT;
      try {
        return this.attempt(ceiling);
      } catch (error) {
        refusal = error;
        return LEFT;
      }
    });
    if (refusal !== undefined) throw refusal;
    if (admitted === LEFT) throw this.exchange.abort.reason;
    if (admitted === undefined) throw busy(this.ledger.roomIn(this.budgets), this.holder);
    return admitted;
  }

  /** Only budgets in shadow mode apply. */
  private get refusesNothing(): boolean {
    return this.ledger.roomIn(this.budgets) === undefined;
  }

  private mayCap(ceiling: Ceiling): ceiling is Exclude<Ceiling, { kind: "unpriced" }> {
    if (ceiling.kind === "unpriced" || ceiling.legs.length === 0) return false;
    if (ceiling.kind === "bounded" && ceiling.outputTokens === 0) return false;
    if (ceiling.kind === "bounded" && ceiling.isCapped && !this.isAllowed("lowerCaps")) return false;
    return cappable(this.call) && this.holder.scopes.every(({ policy }) => policy.capOutput !== false);
  }

  /** What no scope may do unless one says so; one that says no wins. */
  private isAllowed(what: "deferred" | "lowerCaps"): boolean {
    const said = this.holder.scopes.map(({ policy }) => policy[what]).filter((one) => one !== undefined);
    return said.length > 0 && said.every(Boolean);
  }

  private reserve(nanos: Nanos, outputCap: number | null): Admitted | undefined {
    const hold = this.ledger.reserve(this.facts, this.budgets, nanos);
    return hold === undefined ? undefined : { hold, outputCap };
  }
}

/** The client is gone, or was refused: nothing is waited for any more. */
const LEFT: Admitted = Object.freeze({ hold: undefined as never, outputCap: null });

const NOTHING: Ceiling = {
  kind: "bounded",
  nanos: 0n,
  inputTokens: 0,
  outputTokens: 0,
  isCapped: false,
  legs: [],
};

function factsOf(holder: KeyHolder, exchange: Exchange): HoldFacts {
  return {
    requestId: exchange.id,
    attempt: 1,
    at: exchange.at,
    keyId: holder.key.id,
    userId: holder.user.id,
    groupId: holder.group.id,
    provider: exchange.upstream?.provider.id ?? "",
    method: exchange.method,
    endpoint: exchange.endpoint,
    model: exchange.model,
  };
}

/** The budgets of all these scopes, where each of them counts every call; null where one counts some. */
const unconditional = new WeakMap<Restricted["scopes"], readonly string[] | null>();

function unconditionalOf(scopes: Restricted["scopes"]): readonly string[] | null {
  let ids = unconditional.get(scopes);
  if (ids === undefined) {
    const budgets = scopes.flatMap((scope) => scope.budgets);
    const isEvery = budgets.every(({ provider, model }) => provider === null && model === null);
    ids = isEvery ? budgets.map(({ id }) => id) : null;
    unconditional.set(scopes, ids);
  }
  return ids;
}

function budgetsOf({ scopes }: Restricted, call: Call, exchange: Exchange): readonly string[] {
  if (scopes.length === 0) return NO_BUDGETS;
  const always = unconditionalOf(scopes);
  if (always !== null) return always;
  const { upstream } = exchange;
  const model = letsOthersAnswer(call) ? null : exchange.model;
  const provider = upstream?.provider.id ?? "";
  const ids: string[] = [];
  for (const { budgets } of scopes) {
    for (const budget of budgets) if (budget.covers(provider, model)) ids.push(budget.id);
  }
  return ids;
}
