import { expect, test } from "bun:test";
import fc from "fast-check";
import { Dice, SimulatedStore, SimulatedTime } from "../../test/support/simulation.ts";
import type { Budget } from "../domain/budget.ts";
import type { AccountBalance, Block, Checkpoint, Costing } from "../domain/ledger.ts";
import type { KeptPriceBook } from "../domain/prices.ts";
import type { RequestRecord } from "../domain/request-record.ts";
import { PriceBook } from "../pricing/book.ts";
import { priceOf } from "../pricing/costing.ts";
import { keptBook } from "../pricing/kept-book.ts";
import { parseSnapshot } from "../pricing/snapshot.ts";
import { KeptPrices } from "../serve/kept-prices.ts";
import type { Head } from "./journal.ts";
import { openLedger } from "./open.ts";
import { correctionsIn } from "./records.ts";
import { Verifier } from "./verify.ts";
import { LogVerifier } from "./verify-log.ts";

const START = Date.parse("2026-11-24T09:00:00Z");
const KEY = new Uint8Array(32).fill(9);
const SNAPSHOT = JSON.stringify({
  sources: [],
  providers: {
    openai: {
      models: [{ id: "gpt-x", prices: [{ rates: { input_tokens: 1_000_000, output_tokens: 3_000_000 } }] }],
    },
  },
});
const bookOf = (outputRate: bigint) =>
  new PriceBook(parseSnapshot(SNAPSHOT), {
    overrides: [{ provider: "openai", model: "gpt-y", rates: { units: { output_tokens: outputRate } } }],
  });
const [book, later] = [bookOf(5_000_000n), bookOf(7_000_000n)];

const budget = (id: string, amount: bigint): Budget => ({
  id,
  name: id,
  amount,
  period: { kind: "hours", hours: 1 },
  provider: null,
  model: null,
  thresholds: [],
  shadow: false,
  createdAt: START,
});

/** All that is stored, as an intruder could change it. */
interface Stored {
  blocks: Block[];
  accounts: AccountBalance[];
  checkpoint: Checkpoint;
  rows: Map<string, bigint | null>;
  /** When each request arrived. */
  times: Map<string, number>;
  /** A request whose hold somebody decided. */
  decided: string;
  books: KeptPriceBook[];
  snapshot: string;
}

/** A small ledger with everything in it: calls in budgets and out of them, a crash, a decision, a repricing. */
async function makeLedger(seed: number): Promise<Stored> {
  const dice = new Dice(seed);
  const time = new SimulatedTime(START);
  const store = new SimulatedStore(time, dice);
  const open = () =>
    openLedger({ store: store.connect(), key: KEY, clock: time, timer: time, report: () => {} });
  const budgets = [budget("bud_a", 10n ** 12n), budget("bud_b", 10n ** 12n)];
  let { ledger, journal } = await open();
  ledger.setBudgets(budgets, "UTC");
  const settled: { id: number; requestId: string; at: number; accounts: string[]; costing: Costing }[] = [];
  const times = new Map<string, number>();
  const call = async (n: number) => {
    await time.sleep(dice.between(0, 7_200_000));
    const at = time.now();
    const requestId = `req-${n}`;
    times.set(requestId, at);
    const isBudgeted = dice.chance(0.8);
    const facts = {
      requestId,
      attempt: 1,
      at,
      keyId: "key",
      userId: "usr",
      groupId: "grp",
      provider: "openai",
      method: "POST",
      endpoint: "/v1/chat/completions",
      model: "gpt-y",
    };
    const names = isBudgeted ? ["bud_a", "bud_b"].slice(0, dice.between(1, 2)) : [];
    const hold = ledger.reserve(facts, names, isBudgeted ? 10_000_000n : null);
    if (hold === undefined) throw new Error("there is room");
    await hold.durable;
    const accounts = hold.accounts.map(({ id }) => id);
    if (dice.chance(0.3)) hold.shrink(9_000_000n);
    if (n === 0 || dice.chance(0.1)) return;
    let cost: bigint | null = 0n;
    if (n !== 1 && dice.chance(0.1)) hold.void();
    else {
      const quantities = { input_tokens: dice.between(0, 1000), output_tokens: dice.between(1, 1000) };
      const model = n === 1 || dice.chance(0.5) ? "gpt-y" : "gpt-x";
      const uses = [{ model, quantities: model === "gpt-x" ? quantities : { output_tokens: 9 + n } }];
      const costing = { priceBook: book.hash, uses, serviceTier: null, region: null, reportedCost: null };
      cost = priceOf(costing, "openai", at, book);
      hold.settle(cost, "reported", costing);
      if (model === "gpt-y") settled.push({ id: hold.id, requestId, at, accounts, costing });
    }
    const metered = { quantities: {}, evidence: "reported", costNanos: cost, priceBook: book.hash };
    journal.log({ id: requestId, at, metered } as RequestRecord);
  };
  const calls = Array.from({ length: 12 }, (_, n) => call(n));
  void Promise.all(calls);
  await time.run(() => false);
  void journal.close();
  await time.run(() => false);
  store.crash();
  ({ ledger, journal } = await open());
  ledger.setBudgets(budgets, "UTC");
  const [lost] = ledger.unresolved();
  if (lost === undefined) throw new Error("one was never ended");
  journal.log({ id: lost.requestId, at: lost.at, metered: null } as RequestRecord);
  void ledger.decide(lost.id, 1234n, "the provider's bill says so");
  const [first] = settled;
  if (first === undefined) throw new Error("one was settled");
  const { id: holdId, requestId, at, accounts, costing } = first;
  const amount = (priceOf(costing, "openai", at, later) ?? 0n) - (priceOf(costing, "openai", at, book) ?? 0n);
  const correction = { holdId, at: time.now(), amount, accounts, reason: "repriced", priceBook: later.hash };
  void ledger.correct(correction, [], { requestId, at, amount, evidence: null, priceBook: later.hash });
  await time.run(() => false);
  void journal.close();
  await time.run(() => false);
  if (store.checkpoint === null) throw new Error("closing makes a checkpoint");
  return {
    blocks: store.blocks,
    accounts: [...store.accounts.values()],
    checkpoint: store.checkpoint,
    rows: store.costs,
    times,
    decided: lost.requestId,
    books: [keptBook(book), keptBook(later)],
    snapshot: SNAPSHOT,
  };
}

async function findings(stored: Stored, head?: Head): Promise<string[]> {
  const { blocks, accounts, checkpoint, rows, times, books, snapshot } = stored;
  const prices = await KeptPrices.read({
    listKeptPriceBooks: async () => books,
    readKeptSnapshot: async () => snapshot,
  });
  const corrected = new Set<number>();
  for (const { text } of blocks) {
    try {
      for (const { holdId } of correctionsIn(text)) corrected.add(holdId);
    } catch {
      // A record that was broken.
    }
  }
  const log = new LogVerifier(0);
  const costOf: Verifier["setting"]["costOf"] = (costing, hold, hash) => prices.costOf(costing, hold, hash);
  const verifier = new Verifier({ key: KEY, costOf, corrected, log, head, stored: { accounts, checkpoint } });
  for (const what of prices.findings) verifier.note(what);
  for (const [id, costNanos] of rows)
    log.row({ seq: 1, id, at: times.get(id) ?? 0, durationMs: 0, costNanos });
  for (const block of [...blocks].sort((a, b) => a.seq - b.seq)) verifier.read(block);
  return verifier.verdict().findings.map(({ what }) => what);
}

type Tamper = (stored: Stored, dice: Dice) => void;

function editBlock(edit: (block: Block, dice: Dice) => Partial<Block>): Tamper {
  return ({ blocks }, dice) => {
    // The last one may be an empty one, for the checkpoint.
    const index = dice.between(0, blocks.length - 2);
    const block = blocks[index] as Block;
    blocks[index] = { ...block, ...edit(block, dice) };
  };
}

const tampers: Record<string, Tamper> = {
  "a byte of a text": editBlock(({ text }, dice) => {
    const at = dice.between(0, text.length - 1);
    return { text: text.slice(0, at) + (text[at] === "7" ? "8" : "7") + text.slice(at + 1) };
  }),
  "a byte that is missing": editBlock(({ text }, dice) => {
    const at = dice.between(0, text.length - 1);
    return { text: text === "" ? "x" : text.slice(0, at) + text.slice(at + 1) };
  }),
  "a time": editBlock(({ at }, dice) => ({ at: at + dice.pick([-1, 1, 3_600_000]) })),
  "a byte of a hash": editBlock(({ hash }, dice) => {
    const changed = new Uint8Array(hash);
    const at = dice.between(0, changed.length - 1);
    changed[at] = (changed[at] as number) ^ (1 << dice.between(0, 7));
    return { hash: changed };
  }),
  "a block that is deleted": ({ blocks }, dice) => {
    blocks.splice(dice.between(0, blocks.length - 2), 1);
  },
  "a block that is deleted, and the others moved up": ({ blocks }, dice) => {
    const at = dice.between(0, blocks.length - 2);
    blocks.splice(at, 1);
    for (let n = at; n < blocks.length; n++) blocks[n] = { ...(blocks[n] as Block), seq: n + 1 };
  },
  "the end cut off, the checkpoint left": ({ blocks }, dice) => {
    blocks.splice(blocks.length - dice.between(1, blocks.length - 1));
  },
  "two blocks in each other's place": ({ blocks }, dice) => {
    const a = dice.between(0, blocks.length - 2);
    const b = dice.between(a + 1, blocks.length - 1);
    const [one, other] = [blocks[a] as Block, blocks[b] as Block];
    blocks[a] = { ...other, seq: one.seq };
    blocks[b] = { ...one, seq: other.seq };
  },
  "a block inserted": ({ blocks }, dice) => {
    const at = dice.between(0, blocks.length);
    const copy = dice.pick(blocks);
    for (let n = at; n < blocks.length; n++) blocks[n] = { ...(blocks[n] as Block), seq: n + 2 };
    blocks.splice(at, 0, { ...copy, seq: at + 1 });
  },
  "a block before the first": ({ blocks }, dice) => {
    blocks.push({ ...dice.pick(blocks), seq: -dice.between(0, 3) });
  },
  "an account's balance": ({ accounts }, dice) => {
    const at = dice.between(0, accounts.length - 1);
    const account = accounts[at] as AccountBalance;
    accounts[at] = { ...account, posted: account.posted + dice.pick([-1n, 1n]) };
  },
  "an account's period": ({ accounts }, dice) => {
    const at = dice.between(0, accounts.length - 1);
    const account = accounts[at] as AccountBalance;
    accounts[at] = {
      ...account,
      ...dice.pick([{ end: account.end + 1 }, { start: 0 }, { budgetId: "bud_x" }]),
    };
  },
  "an account that is deleted": ({ accounts }, dice) => {
    accounts.splice(dice.between(0, accounts.length - 1), 1);
  },
  "an account that is added": ({ accounts }) => {
    accounts.push({ id: "bud_c@0", budgetId: "bud_c", start: 0, end: 1, posted: 1n });
  },
  "an open hold that the checkpoint forgets or invents": (stored) => {
    const { checkpoint } = stored;
    const [line, ...rest] = checkpoint.open.split("\n");
    const invented = stored.blocks
      .flatMap(({ text }) => text.split("\n"))
      .find((one) => one.startsWith('["hold"'));
    stored.checkpoint = { ...checkpoint, open: line === "" ? `${invented}\n` : rest.join("\n") };
  },
  "ids that are given again": (stored) => {
    stored.checkpoint = { ...stored.checkpoint, nextHold: stored.checkpoint.nextHold - 1 };
  },
  "a kept price": ({ books }, dice) => {
    const at = dice.between(0, 1);
    const kept = books[at] as KeptPriceBook;
    books[at] = { ...kept, basis: kept.basis.replace(/"(5|7)000000"/, '"6000000"') };
  },
  "a kept list price": (stored) => {
    stored.snapshot = stored.snapshot.replace("3000000", "2000000");
  },
  "a price book that is deleted": ({ books }) => {
    books.splice(1, 1);
  },
  "a cost in the log": ({ rows }, dice) => {
    const [id, cost] = dice.pick([...rows]);
    rows.set(id, (cost ?? 0n) + 1n);
  },
  "a row of the log that is deleted": ({ rows, decided }) => {
    rows.delete(decided);
  },
};

const ledgers = await Promise.all(Array.from({ length: 8 }, (_, seed) => makeLedger(seed)));

test("a ledger that nobody touched has nothing wrong", async () => {
  for (const ledger of ledgers) expect(await findings(ledger)).toEqual([]);
});

for (const [name, tamper] of Object.entries(tampers)) {
  test(`found: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(ledgers.length - 1), fc.nat(1_000_000), async (which, seed) => {
        const stored = structuredClone(ledgers[which] as Stored);
        tamper(stored, new Dice(seed));
        expect(await findings(stored)).not.toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
}

test("a ledger that was cut off, checkpoint and all, is found by a head that was kept", async () => {
  const whole = ledgers[0] as Stored;
  const last = whole.blocks.at(-1) as Block;
  expect(await findings(whole, last)).toEqual([]);
  const cut: Stored = {
    ...whole,
    blocks: whole.blocks.slice(0, 2),
    checkpoint: { ...whole.checkpoint, seq: 99 },
  };
  cut.rows = new Map();
  expect(await findings({ ...cut, accounts: [] }, last)).toContain(
    `the ledger ends with block 2, but had block ${last.seq} once`,
  );
  const other = { ...last, hash: new Uint8Array(32) };
  expect(await findings(whole, other)).toEqual(["it is another one than when its head was kept"]);
});
