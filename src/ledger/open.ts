import type { Clock, Timer } from "../domain/clock.ts";
import type { Block, Entry, HoldRecord } from "../domain/ledger.ts";
import { type LedgerStore, StorageFailure } from "../domain/store.ts";
import { chainHash, GENESIS, Journal, mayLackRow } from "./journal.ts";
import { type Crossing, Ledger } from "./ledger.ts";
import { correctionsIn, parseRecords } from "./records.ts";
import { apply, type State, stateOf } from "./replay.ts";

export interface LedgerSetting {
  readonly store: LedgerStore;
  /** Of the chain. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly report: (message: string) => void;
  readonly onCrossing?: (crossing: Crossing) => void;
}

export interface OpenLedger {
  readonly ledger: Ledger;
  readonly journal: Journal;
  /** Holds whose requests died with the process before, and that nobody has been told of. */
  readonly orphans: readonly HoldRecord[];
  /** Calls that ended right before that process did, and whose rows did not come into the log any more. */
  readonly unlogged: readonly EndedCall[];
}

/** A call's hold and its end; of a call that was tried several times, the last ones. */
export interface EndedCall {
  readonly hold: HoldRecord;
  readonly entry: Entry;
}

/** How long accounts of periods that are over are kept at hand: for clocks that go wrong. */
const RECENT_MS = 35 * 86_400_000;

/**
 * Reads how the ledger stood, and goes on from there.
 * @throws StorageFailure where what was written is not what is there.
 */
export async function openLedger(setting: LedgerSetting): Promise<OpenLedger> {
  const { store, key, clock, timer, report } = setting;
  const { checkpoint, head, blocks } = await store.readLedgerTail();
  if (checkpoint !== null && head === null) throw broken("the checkpoint's block is missing");
  const lastAt = blocks.at(-1)?.at ?? head?.at ?? clock.now();
  const state = stateOf(
    await store.listAccounts(Math.min(lastAt, clock.now()) - RECENT_MS),
    checkpoint?.open ?? "",
    checkpoint?.nextHold ?? 1,
  );
  await addMissingAccounts(state, blocks, store);
  let last = head ?? GENESIS;
  const ended = new Map<string, EndedCall>();
  for (const block of blocks) {
    if (!Buffer.from(chainHash(key, last, block.at, block.text)).equals(block.hash))
      throw broken(`block ${block.seq} is not what was written`);
    for (const record of parseRecords(block.text)) {
      if (record.kind === "end") noteEnd(ended, state, record.entry);
      const problem = apply(state, record);
      if (problem !== undefined) throw broken(`in block ${block.seq}, ${problem}`);
    }
    last = block;
  }
  const orphans = [...state.open.values()].filter(({ id }) => !state.lost.has(id));
  const unlogged = await unloggedOf(ended, lastAt, state, store);
  const write = (commit: Parameters<LedgerStore["commit"]>[0]) => store.commit(commit);
  const journal = new Journal({ write, key, head: last, clock, timer, report });
  const { onCrossing } = setting;
  const ledger = new Ledger({
    journal,
    clock,
    timer,
    state,
    report,
    ...(onCrossing === undefined ? {} : { onCrossing }),
  });
  return { ledger, journal, orphans, unlogged };
}

function noteEnd(ended: Map<string, EndedCall>, state: State, entry: Entry): void {
  const hold = state.open.get(entry.holdId);
  // A lost one has had its row since the start at which it was found.
  if (hold !== undefined && !state.lost.has(hold.id)) ended.set(hold.requestId, { hold, entry });
}

async function unloggedOf(
  ended: ReadonlyMap<string, EndedCall>,
  lastAt: number,
  state: State,
  store: LedgerStore,
): Promise<EndedCall[]> {
  // Of those, another attempt was still under way.
  const open = new Set([...state.open.values()].map(({ requestId }) => requestId));
  const mayLack = [...ended].filter(([id, { entry }]) => mayLackRow(entry.at, lastAt) && !open.has(id));
  const ids = new Set(await store.findUnlogged(mayLack.map(([id]) => id)));
  return mayLack.flatMap(([id, call]) => (ids.has(id) ? [call] : []));
}

/** Unresolved holds may stand in periods that ended long ago, and so may what was corrected lately. */
async function addMissingAccounts(state: State, blocks: readonly Block[], store: LedgerStore): Promise<void> {
  const held = [...state.open.values()].flatMap(({ accounts }) => accounts);
  const corrected = blocks.flatMap(({ text }) => correctionsIn(text).flatMap(({ accounts }) => accounts));
  const missing = [...new Set([...held, ...corrected])].filter((id) => !state.accounts.has(id));
  for (const account of await store.readAccounts(missing)) state.accounts.set(account.id, account);
}

function broken(what: string): StorageFailure {
  return new StorageFailure(
    `The ledger in the database was changed or is damaged: ${what}. Restore a backup, or see what is wrong with: lmk verify.`,
  );
}
