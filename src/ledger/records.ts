import type {
  AccountBalance,
  AccountId,
  Correction,
  Costing,
  EndKind,
  Entry,
  HoldFacts,
  HoldRecord,
} from "../domain/ledger.ts";
import type { Nanos } from "../domain/money.ts";
import type { Evidence } from "../domain/usage.ts";

/**
 * The ledger's records as they stand in a block: a JSON array a line, its kind first. Amounts are decimal texts of
 * nano-dollars. The text that is written is the text that is hashed and, much later, read again: its form never changes.
 */
export type LedgerRecord =
  | { readonly kind: "account"; readonly account: AccountBalance }
  | { readonly kind: "hold"; readonly hold: HoldRecord }
  | { readonly kind: "shrink"; readonly holdId: number; readonly ceiling: Nanos }
  | { readonly kind: "lost"; readonly holdId: number }
  | { readonly kind: "end"; readonly entry: Entry }
  | { readonly kind: "correct"; readonly correction: Correction };

/** A budget's period begins. */
export function accountText({ id, budgetId, start, end }: AccountBalance): string {
  return `["account","${id}","${budgetId}",${start},${Number.isFinite(end) ? end : "null"}]\n`;
}

export function holdText(
  id: number,
  facts: HoldFacts,
  amount: Nanos | null,
  accounts: readonly { readonly id: AccountId }[],
): string {
  const { at, requestId, attempt, keyId, userId, groupId, provider, method, endpoint, model } = facts;
  const ceiling = amount === null ? null : amount.toString();
  const ids = accounts.map((account) => account.id);
  return line([
    "hold",
    id,
    at,
    requestId,
    attempt,
    keyId,
    userId,
    groupId,
    provider,
    method,
    endpoint,
    model,
    ceiling,
    ids,
  ]);
}

export function shrinkText(holdId: number, ceiling: Nanos): string {
  return `["shrink",${holdId},"${ceiling}"]\n`;
}

/** The process that held it is gone. */
export function lostText(holdId: number): string {
  return `["lost",${holdId}]\n`;
}

export function entryText({ holdId, at, kind, amount, evidence, costing, reason }: Entry): string {
  const cost = amount === null ? null : amount.toString();
  const fields = ["end", holdId, at, kind, cost, evidence, costing === null ? null : costingFields(costing)];
  if (reason !== undefined) fields.push(reason);
  return line(fields);
}

function costingFields({ priceBook, uses, serviceTier, region, reportedCost }: Costing): unknown[] {
  const reported = reportedCost === null ? null : reportedCost.toString();
  return [priceBook, uses.map(({ model, quantities }) => [model, quantities]), serviceTier, region, reported];
}

export function correctionText({ holdId, at, amount, accounts, reason, priceBook }: Correction): string {
  const fields = ["correct", holdId, at, amount.toString(), accounts, reason];
  return line(priceBook === null ? fields : [...fields, priceBook]);
}

/** In one go: a text that is put together of many is a chain of them, which whoever reads it has to gather first. */
function line(fields: readonly unknown[]): string {
  return `${JSON.stringify(fields)}\n`;
}

/** @throws Error for a line that is no record. */
export function parseRecords(text: string): LedgerRecord[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.map(parseRecord);
}

/** Those of a block's records that are corrections; of most blocks, without reading them. */
export function correctionsIn(text: string): Correction[] {
  if (!text.includes('["correct",')) return [];
  return parseRecords(text).flatMap((record) => (record.kind === "correct" ? [record.correction] : []));
}

function parseRecord(line: string): LedgerRecord {
  const [kind, ...fields] = JSON.parse(line) as [string, ...unknown[]];
  if (kind === "account") return { kind, account: parseAccount(fields) };
  if (kind === "hold") return { kind, hold: parseHold(fields) };
  if (kind === "shrink") return { kind, holdId: fields[0] as number, ceiling: BigInt(fields[1] as string) };
  if (kind === "lost") return { kind, holdId: fields[0] as number };
  if (kind === "end") return { kind, entry: parseEntry(fields) };
  if (kind === "correct") return { kind, correction: parseCorrection(fields) };
  throw new Error(`The ledger has a record of a kind that this version does not know: ${kind}.`);
}

function parseAccount(fields: readonly unknown[]): AccountBalance {
  const [id, budgetId, start, end] = fields as [string, string, number, number | null];
  return { id, budgetId, start, end: end ?? Number.POSITIVE_INFINITY, posted: 0n };
}

function parseHold(fields: readonly unknown[]): HoldRecord {
  const [
    id,
    at,
    requestId,
    attempt,
    keyId,
    userId,
    groupId,
    provider,
    method,
    endpoint,
    model,
    ceiling,
    accounts,
  ] = fields as [
    number,
    number,
    string,
    number,
    string,
    string,
    string,
    string,
    string,
    string,
    string | null,
    string | null,
    string[],
  ];
  return {
    id,
    at,
    requestId,
    attempt,
    keyId,
    userId,
    groupId,
    provider,
    method,
    endpoint,
    model,
    ceiling: amountOrNull(ceiling),
    accounts,
  };
}

function parseEntry(fields: readonly unknown[]): Entry {
  const [holdId, at, kind, amount, evidence, costing, reason] = fields as [
    number,
    number,
    EndKind,
    string | null,
    Evidence | null,
    unknown[] | null,
    // Records of earlier versions end before it.
    string | undefined,
  ];
  return {
    holdId,
    at,
    kind,
    evidence,
    amount: amountOrNull(amount),
    costing: costing === null ? null : parseCosting(costing),
    ...(reason !== undefined && { reason }),
  };
}

function parseCosting(fields: readonly unknown[]): Costing {
  const [priceBook, uses, serviceTier, region, reportedCost] = fields as [
    string,
    [string, Costing["uses"][number]["quantities"]][],
    string | null,
    string | null,
    string | null,
  ];
  return {
    priceBook,
    uses: uses.map(([model, quantities]) => ({ model, quantities })),
    serviceTier,
    region,
    reportedCost: amountOrNull(reportedCost),
  };
}

function parseCorrection(fields: readonly unknown[]): Correction {
  const [holdId, at, amount, accounts, reason, priceBook = null] = fields as [
    number,
    number,
    string,
    string[],
    string,
    string | undefined,
  ];
  return { holdId, at, amount: BigInt(amount), accounts, reason, priceBook };
}

function amountOrNull(text: string | null): Nanos | null {
  return text === null ? null : BigInt(text);
}
