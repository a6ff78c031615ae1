import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../config.ts";
import { auditRows, signHead, verifyAudit } from "../domain/audit-chain.ts";
import { formatDollars } from "../domain/money.ts";
import { StorageFailure } from "../domain/store.ts";
import { correctionsIn } from "../ledger/records.ts";
import { Verifier } from "../ledger/verify.ts";
import { LogVerifier } from "../ledger/verify-log.ts";
import type { SqlStore } from "../storage/sql-store.ts";
import { readSqliteStore } from "../storage/sqlite/read.ts";
import { loadVaultKey } from "../vault/key-file.ts";
import { Vault } from "../vault/vault.ts";
import { StartFailure } from "./failure.ts";
import { KeptPrices } from "./kept-prices.ts";
import { headText, parseHead } from "./ledger-head.ts";
import { startProblems } from "./problems.ts";

/** Blocks, and log rows, that are in memory at a time. */
const BLOCKS = 200;
const ROWS = 5000;
/** The log is read so much ahead of the ledger, milliseconds: what was written together is met together. */
const AHEAD_MS = 60_000;

/** What `lmk verify` tells. Money is decimal dollars. */
export interface Verified {
  readonly blocks: number;
  readonly holds: number;
  readonly entries: number;
  readonly open: number;
  readonly total: string;
  readonly recomputed: number;
  readonly notRecomputable: number;
  readonly requests: number;
  /** Rows of the audit log. */
  readonly changes: number;
  /** Of the ledger and of the audit log: to be kept elsewhere, and given at a later time. */
  readonly heads: readonly string[];
  readonly findings: readonly { block: number | null; hold: number | null; what: string }[];
  readonly more: number;
}

/**
 * Reads everything that is to do with money from its beginning and says what cannot be, whether a gateway runs or not.
 * @param environment Settings, as `serve` takes them.
 * @param heads Those that were printed earlier.
 * @returns what is to be told to the operator where it cannot be read.
 */
export async function verify(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
  heads: readonly string[] = [],
): Promise<Verified | { readonly problems: readonly string[] }> {
  try {
    const { dataDir, vaultKey } = readConfig(environment, folder);
    const database = join(dataDir, "llamakey.db");
    if (!existsSync(database))
      throw new StartFailure(`There is no database in ${dataDir}. Set LMK_DATA_DIR to the data directory.`);
    const store = await readSqliteStore(database);
    try {
      const vault = await Vault.open(loadVaultKey(vaultKey, join(dataDir, "vault.key"), false), {
        readSecret: (purpose) => store.readSecret(purpose),
        putSecret: () => Promise.reject(new StorageFailure(`The database in ${dataDir} was never used.`)),
      });
      return await verifyStore(store, vault, heads);
    } finally {
      await store.close();
    }
  } catch (error) {
    const problems = startProblems(error);
    if (problems === undefined) throw error;
    return { problems };
  }
}

async function verifyStore(store: SqlStore, vault: Vault, heads: readonly string[]): Promise<Verified> {
  const ofAudit = heads.find((head) => head.startsWith("lmkaudit_"));
  const ofLedger = heads.find((head) => head !== ofAudit);
  const kept = ofLedger === undefined ? undefined : parseHead(ofLedger, vault);
  const prices = await KeptPrices.read(store);
  const log = new LogVerifier(await store.prunedBefore());
  const accounts = await store.listAccounts(Number.MIN_SAFE_INTEGER).catch(() => undefined);
  const verifier = new Verifier({
    key: vault.keyFor("ledger"),
    costOf: (costing, hold, book) => prices.costOf(costing, hold, book),
    corrected: await correctedHolds(store),
    stored: { checkpoint: (await store.readLedgerTail()).checkpoint, accounts: accounts ?? [] },
    head: kept,
    log,
  });
  if (accounts === undefined) verifier.note("the stored accounts cannot be read");
  for (const what of prices.findings) verifier.note(what);
  const requests = await readSideBySide(store, verifier, log);
  for (const what of await store.listRollupDifferences()) verifier.note(what);
  const auditKey = vault.keyFor("audit");
  const audit = await verifyAudit(auditRows(store), auditKey, ofAudit);
  for (const { message } of audit.problems) verifier.note(`audit log: ${message}`);
  const verdict = verifier.verdict();
  return {
    ...verdict,
    total: formatDollars(verdict.total),
    requests,
    changes: audit.rows,
    heads: [headText(verdict.head, vault), signHead(audit.head, auditKey)],
  };
}

/** @returns how many rows the log has. */
async function readSideBySide(store: SqlStore, verifier: Verifier, log: LogVerifier): Promise<number> {
  let requests = 0;
  let row = 0;
  let rowAt = 0;
  const readRows = async (until: number) => {
    while (rowAt < until) {
      const rows = await store.readRowCosts(row, ROWS);
      for (const one of rows) log.row(one);
      const last = rows.at(-1);
      if (last === undefined) return;
      requests += rows.length;
      row = last.seq;
      rowAt = last.at + last.durationMs;
    }
  };
  for await (const block of blocksOf(store)) {
    await readRows(block.at + AHEAD_MS);
    verifier.read(block);
  }
  await readRows(Number.POSITIVE_INFINITY);
  return requests;
}

async function correctedHolds(store: SqlStore): Promise<ReadonlySet<number>> {
  const holds = new Set<number>();
  for await (const { text } of blocksOf(store)) {
    try {
      for (const { holdId } of correctionsIn(text)) holds.add(holdId);
    } catch {
      // The verifier says what is wrong with it.
    }
  }
  return holds;
}

async function* blocksOf(store: SqlStore) {
  // A block that somebody has put before the first one is read, too.
  let after = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const page = await store.readBlocks(after, BLOCKS);
    const last = page.at(-1);
    if (last === undefined) return;
    yield* page;
    after = last.seq;
  }
}
