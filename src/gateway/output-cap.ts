import type { CapRule } from "../providers/formats/demand.ts";
import { demandFormat } from "./demand-format.ts";
import { CLOSE_BRACE, OPEN_BRACE, skipSpace } from "./json-bytes.ts";
import type { Route } from "./route.ts";
import type { Scanned } from "./scan.ts";
import { type Edit, spliced } from "./splice.ts";

interface Cappable {
  readonly scanned: Scanned | null;
  readonly route: Route;
  readonly method: string;
}

/** Whether a cap on its output can be written into this call's body: not where that is compressed. */
export function cappable({ scanned, route, method }: Cappable): boolean {
  return scanned !== null && demandFormat(route, method).cap !== undefined;
}

/** The same body with a cap on its output; see `outputCapEdits`. */
export function spliceOutputCap(
  body: Uint8Array,
  scanned: Scanned,
  rule: CapRule,
  cap: number,
): Uint8Array<ArrayBuffer> {
  return spliced(body, outputCapEdits(body, scanned, rule, cap));
}

/**
 * What puts a cap on the output into a body. Caps that are there already, be they `null`, are written over.
 * @param cap Tokens, of one answer.
 */
export function outputCapEdits(
  body: Uint8Array,
  { caps, capHolder, inside }: Scanned,
  { member, within }: CapRule,
  cap: number,
): readonly Edit[] {
  if (caps !== null) return caps.map(([start, end]) => ({ start, end, text: String(cap) }));
  const own = `"${member}":${cap}`;
  const holder = within?.[0];
  if (holder === undefined) return [inserted(body, inside, own)];
  if (capHolder === null) return [inserted(body, inside, `"${holder}":{${own}}`)];
  const [start, end] = capHolder;
  return [body[start] === OPEN_BRACE ? inserted(body, start + 1, own) : { start, end, text: `{${own}}` }];
}

/** A member put in front of those that an object has. */
function inserted(body: Uint8Array, at: number, text: string): Edit {
  const isEmpty = body[skipSpace(body, at)] === CLOSE_BRACE;
  return { start: at, end: at, text: isEmpty ? text : `${text},` };
}
