import type { AuditRow } from "./audit.ts";
import type { AuditStore } from "./store.ts";

/** The log's end at some moment. Kept elsewhere, it shows later that nothing before it was cut off. */
export interface AuditHead {
  /** 0 where the log is empty. */
  readonly seq: number;
  /** Hex. */
  readonly hash: string;
}

export interface AuditProblem {
  /** Of the row that is wrong or missing. */
  readonly seq: number;
  readonly message: string;
}

export interface AuditVerdict {
  /** How many rows were looked at. */
  readonly rows: number;
  /** In the log's order; empty where nobody has touched it. */
  readonly problems: readonly AuditProblem[];
  readonly head: AuditHead;
}

/** What the first row follows. */
export const NO_HEAD: AuditHead = { seq: 0, hash: "0".repeat(64) };

/** HMAC-SHA256(key, hash of the row before || all columns), hex. */
export function auditHash(key: Uint8Array, row: Omit<AuditRow, "hash">): string {
  const { seq, at, actor, address, action, target, before, after, previous } = row;
  // An array of JSON has one spelling, and its values cannot run into each other.
  const columns = [
    seq,
    at,
    actor.kind,
    actor.id,
    actor.name,
    address,
    action,
    target.kind,
    target.id,
    target.name,
    before,
    after,
  ];
  return mac(key, previous + JSON.stringify(columns));
}

/**
 * Looks for rows that were changed, removed, added or moved.
 *
 * Rows that were cut off at the end leave no trace in the log: they are missed only with a head of that time.
 * @param rows All of them, in the order of `seq`.
 * @param head As `signHead` wrote it; any other text is a problem.
 */
export async function verifyAudit(
  rows: Iterable<AuditRow> | AsyncIterable<AuditRow>,
  key: Uint8Array,
  head?: string,
): Promise<AuditVerdict> {
  const problems: AuditProblem[] = [];
  const kept = head === undefined ? undefined : parseHead(head, key);
  if (kept === "foreign") problems.push({ seq: 0, message: "The head was not signed by this installation." });
  let count = 0;
  let last = NO_HEAD;
  for await (const row of rows) {
    count++;
    const message = problemOf(row, last, key);
    if (message !== undefined) problems.push({ seq: row.seq, message });
    if (typeof kept === "object" && kept.seq === row.seq && kept.hash !== row.hash)
      problems.push({ seq: row.seq, message: `Row ${row.seq} is not the one that the head was made of.` });
    last = { seq: row.seq, hash: row.hash };
  }
  if (typeof kept === "object" && kept.seq > last.seq) {
    const cut = `The log ends at row ${last.seq}; the head was made when there were ${kept.seq}: rows were cut off.`;
    problems.push({ seq: last.seq + 1, message: cut });
  }
  return { rows: count, problems, head: last };
}

/** All rows of a store, for `verifyAudit`; no more than a page of them in memory. */
export async function* auditRows(store: Pick<AuditStore, "listAudit">): AsyncGenerator<AuditRow> {
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: AuditRow[] = await store.listAudit({ after, limit: PAGE });
    yield* page;
    const last = page.at(-1);
    // A row that somebody numbered badly must not make it go round in circles.
    after = last !== undefined && last.seq > after ? last.seq : undefined;
  }
}

const PAGE = 1000;

/** For an operator to keep elsewhere: `lmkaudit_<seq>_<hash>_<signature>`. */
export function signHead({ seq, hash }: AuditHead, key: Uint8Array): string {
  const text = `lmkaudit_${seq}_${hash}`;
  return `${text}_${mac(headKey(key), text)}`;
}

function parseHead(text: string, key: Uint8Array): AuditHead | "foreign" {
  const [, seq, hash] = /^lmkaudit_(\d{1,15})_([0-9a-f]{64})_[0-9a-f]{64}$/.exec(text.trim()) ?? [];
  if (seq === undefined || hash === undefined) return "foreign";
  const head = { seq: Number(seq), hash };
  return signHead(head, key) === text.trim() ? head : "foreign";
}

function problemOf(row: AuditRow, last: AuditHead, key: Uint8Array): string | undefined {
  if (auditHash(key, row) !== row.hash) return `Row ${row.seq} was changed or added.`;
  if (row.seq > last.seq + 1) {
    const [from, to] = [last.seq + 1, row.seq - 1];
    return from === to ? `Row ${from} is missing.` : `Rows ${from} to ${to} are missing.`;
  }
  if (row.seq <= last.seq) return `Row ${row.seq} stands behind row ${last.seq}.`;
  // Untouched itself: the one before it is not the one that it was written after.
  if (row.previous !== last.hash) return `Row ${row.seq} does not follow the row before it.`;
  return undefined;
}

/** Not the chain's own: a head is never a row. */
function headKey(key: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher("sha256", key).update("head").digest();
}

function mac(key: Uint8Array, text: string): string {
  return new Bun.CryptoHasher("sha256", key).update(text).digest("hex");
}
