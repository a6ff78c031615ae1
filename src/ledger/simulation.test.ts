import { expect, test } from "bun:test";
import { Dice, SimulatedStore, SimulatedTime, Truth } from "../../test/support/simulation.ts";
import type { Budget } from "../domain/budget.ts";
import type { Period } from "../domain/period.ts";
import type { Journal } from "./journal.ts";
import type { Hold, Ledger, Standing } from "./ledger.ts";
import { openLedger } from "./open.ts";
import { Verifier } from "./verify.ts";

const SEEDS = process.env["LMK_TEST_FULL"] ? 1000 : 200;
const STREAMS = 256;
const CALLS_PER_STREAM = 4;
/** Three minutes before a day, a month and a quarter begin in Berlin. */
const START = Date.parse("2026-03-31T21:57:00Z");
const KEY = new Uint8Array(32).fill(7);

function budget(id: string, amount: bigint, period: Period, change: Partial<Budget> = {}): Budget {
  return {
    id,
    name: id,
    amount,
    period,
    provider: null,
    model: null,
    thresholds: [50, 100],
    shadow: false,
    createdAt: START - 3_400_000,
    ...change,
  };
}

/** Four nested ones: the organisation's, two groups', four users', eight keys'. */
function budgetsOf(key: number, amounts: Dice): Budget[] {
  const amount = (most: number) => BigInt(amounts.between(most / 2, most)) * 1_000_003n;
  const all = new Map<string, Budget>();
  const add = (id: string, most: number, period: Period) => {
    all.set(id, budget(id, amount(most), period));
  };
  add("org", 150_000, { kind: "month" });
  for (let group = 0; group < 2; group++) add(`group${group}`, 80_000, { kind: "day" });
  for (let user = 0; user < 4; user++) add(`user${user}`, 45_000, { kind: "hours", hours: 1 });
  for (let one = 0; one < 8; one++) add(`key${one}`, 30_000, { kind: "total" });
  const names = ["org", `group${key % 2}`, `user${key % 4}`, `key${key}`];
  return names.map((name) => all.get(name) as Budget);
}

/** One life of the gateway, from a start to a crash. */
class Life {
  isOver = false;
  /** Resolves at the crash. */
  readonly death = Promise.withResolvers<void>();
  readonly ledger: Ledger;
  readonly journal: Journal;

  constructor(ledger: Ledger, journal: Journal) {
    this.ledger = ledger;
    this.journal = journal;
  }
}

class World {
  readonly dice: Dice;
  readonly time = new SimulatedTime(START);
  readonly store: SimulatedStore;
  readonly truth = new Truth();
  readonly budgets: Budget[][];
  private readonly seed: number;
  life!: Life;
  /** What each request that reached a provider was held by. */
  readonly sent = new Map<string, number>();
  crossings = 0;
  private isStarting = false;
  admitted = 0;
  refused = 0;

  constructor(seed: number) {
    this.seed = seed;
    this.dice = new Dice(seed);
    this.store = new SimulatedStore(this.time, this.dice);
    this.store.failing = this.dice.chance(0.3) ? 0.02 : 0;
    this.budgets = Array.from({ length: 8 }, (_, key) => budgetsOf(key, new Dice(seed + 1000)));
  }

  async start(): Promise<void> {
    const { ledger, journal } = await openLedger({
      store: this.store.connect(),
      key: KEY,
      clock: this.time,
      timer: this.time,
      report: () => {},
      onCrossing: () => this.crossings++,
    });
    this.life = new Life(ledger, journal);
    ledger.setBudgets(new Map(this.budgets.flat().map((one) => [one.id, one])).values(), "Europe/Berlin");
  }

  /** The process dies; another one starts at once. */
  async crash(): Promise<void> {
    // There is one process at a time: the data directory is locked.
    if (this.isStarting) return;
    this.isStarting = true;
    this.life.isOver = true;
    this.life.death.resolve();
    this.store.crash();
    // What was on its way to the disk has got there by then, or never will.
    await this.time.sleep(10);
    await this.start();
    this.isStarting = false;
    for (const [id, cost] of this.truth.costs) {
      // A provider's report, an owner's decision; of the others the ceiling is posted when their time is over.
      // A disk that is full just then takes it later.
      if (this.dice.chance(0.5)) await this.life.ledger.decide(id, cost).catch(() => {});
    }
  }

  async stream(number: number): Promise<void> {
    for (let call = 0; call < CALLS_PER_STREAM; call++) {
      await this.time.sleep(this.dice.between(0, 120_000));
      await this.call(`r${this.seed}-${number}-${call}`, this.dice.between(0, 7));
    }
  }

  private async call(requestId: string, key: number): Promise<void> {
    const { life, dice, time } = this;
    const budgets = this.budgets[key] ?? [];
    const ids = budgets.map(({ id }) => id);
    const ceiling = BigInt(dice.between(1, 900)) * 1_000_001n;
    const facts = {
      requestId,
      attempt: 1,
      at: time.now(),
      keyId: `key${key}`,
      userId: "u",
      groupId: "g",
      provider: "openai",
      method: "POST",
      endpoint: "/chat/completions",
      model: 'a "model"',
    };
    if (!life.journal.healthy) return;
    let hold = life.ledger.reserve(facts, ids, ceiling);
    if (hold === undefined && (life.ledger.roomIn(ids)?.left ?? 0n) >= ceiling) {
      const waited = await life.ledger.whenFreed(() => life.ledger.reserve(facts, ids, ceiling));
      if (life.isOver) return;
      hold = waited;
    }
    if (hold === undefined) {
      this.refused++;
      return;
    }
    this.checkBalances(life, ids);
    const admittedAt = time.now();
    const isDurable = await Promise.race([hold.durable, life.death.promise]).then(
      () => true,
      () => false,
    );
    if (life.isOver) return;
    // Its client has left before anything was sent.
    if (!isDurable || dice.chance(0.03)) return hold.void();

    // From here on the provider may bill it, whatever becomes of us.
    expect(this.store.holds.has(hold.id)).toBe(true);
    expect(this.sent.has(requestId)).toBe(false);
    this.sent.set(requestId, hold.id);
    this.admitted++;
    const cost = dice.chance(0.1) ? ceiling : (ceiling * BigInt(dice.between(0, 1000))) / 1000n;
    this.truth.add(budgets, admittedAt, cost);
    this.truth.costs.set(hold.id, cost);
    await this.answer(life, hold, ceiling, cost);
    if (!life.isOver) this.checkBalances(life, ids);
  }

  private async answer(life: Life, hold: Hold, ceiling: bigint, cost: bigint): Promise<void> {
    const { dice, time } = this;
    await time.sleep(dice.between(1, 60_000));
    if (life.isOver) return;
    if (dice.chance(0.5)) hold.shrink(cost + (ceiling - cost) / 2n);
    await time.sleep(dice.between(1, 60_000));
    if (life.isOver) return;
    if (dice.chance(0.1)) hold.settle(hold.ceiling, "ceiling", null);
    else hold.settle(cost, "reported", null);
    // A report that comes twice, or late.
    if (dice.chance(0.2)) hold.settle(ceiling * 2n, "reported", null);
    if (dice.chance(0.1)) hold.void();
  }

  /** What is posted and what is reserved never exceed a budget, at no moment. */
  private checkBalances({ ledger }: Life, ids: readonly string[]): void {
    for (const id of ids) {
      const { budget, posted, pending } = ledger.standing(id) as Standing;
      if (posted + pending > budget.amount || posted < 0n || pending < 0n)
        throw new Error(`seed ${this.seed}: ${id} has ${posted} and ${pending} of ${budget.amount}`);
    }
  }
}

async function simulate(seed: number): Promise<World> {
  const world = new World(seed);
  await world.start();
  let left = STREAMS;
  for (let number = 0; number < STREAMS; number++) void world.stream(number).then(() => left--);
  const crashes = world.dice.between(0, 3);
  for (let n = 0; n < crashes; n++)
    void world.time.sleep(world.dice.between(1, 500_000)).then(() => world.crash());
  for (let minute = 1; minute < 10; minute++)
    void world.time.sleep(minute * 60_000).then(() => world.life.ledger.sweep());
  await world.time.run(() => false);
  expect(left).toBe(0);
  world.store.failing = 0;
  void world.life.journal.close();
  await world.time.run(() => false);
  return world;
}

function verdictOf({ store }: World): Verifier {
  const stored = { accounts: [...store.accounts.values()], checkpoint: store.checkpoint };
  const verifier = new Verifier({ key: KEY, costOf: () => "not recomputable", stored });
  for (const block of store.blocks) verifier.read(block);
  return verifier;
}

/** Years later nobody has decided anything: what is unresolved ends at its ceiling. */
async function endAll(world: World): Promise<void> {
  void world.time.sleep(100 * 86_400_000).then(() => {
    world.life.ledger.sweep();
    world.life.ledger.sweep();
    void world.life.journal.close();
  });
  await world.time.run(() => false);
}

test(
  `${SEEDS} seeds: no budget is exceeded, every hold ends once, and the books balance`,
  async () => {
    let admitted = 0;
    let refused = 0;
    let unresolved = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = await simulate(seed);
      const verifier = verdictOf(world);
      const verdict = verifier.verdict();

      expect({ seed, overshoot: world.truth.overshoot }).toEqual({ seed, overshoot: 0n });
      expect({ seed, findings: verdict.findings }).toEqual({ seed, findings: [] });
      // Holds that are still open belong to requests that died with their process.
      const open = world.life.ledger.unresolved();
      expect(verdict.holds - verdict.entries).toBe(open.length);
      // What was spent is posted, or reserved by what is open.
      for (const [id, spent] of world.truth.spent) {
        const reserved = open.reduce(
          (sum, { accounts, ceiling }) => sum + (accounts.includes(id) ? (ceiling ?? 0n) : 0n),
          0n,
        );
        expect((verifier.balances.get(id)?.posted ?? 0n) + reserved >= spent).toBe(true);
      }
      admitted += world.admitted;
      refused += world.refused;
      unresolved += open.length;

      await endAll(world);
      const last = verdictOf(world);
      const { findings, holds, entries } = last.verdict();
      expect({ seed, findings, open: holds - entries }).toEqual({ seed, findings: [], open: 0 });
      for (const [id, spent] of world.truth.spent) {
        const posted = last.balances.get(id)?.posted ?? 0n;
        const budget = world.budgets.flat().find((one) => id.startsWith(`${one.id}@`));
        expect(posted >= spent && posted <= (budget?.amount ?? 0n)).toBe(true);
      }
    }
    // The worlds were worth simulating: budgets were reached, and calls were under way at crashes.
    expect(admitted).toBeGreaterThan(SEEDS * 300);
    expect(refused).toBeGreaterThan(SEEDS * 20);
    expect(unresolved).toBeGreaterThan(SEEDS / 10);
  },
  SEEDS * 1500,
);
