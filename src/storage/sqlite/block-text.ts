import type { Block } from "../../domain/ledger.ts";

/**
 * A block and rows of the request log as one text, for that is what crosses between threads with every commit: a text is
 * handed over as it is, an object is copied field by field.
 *
 * Three lines, of which the last one has line ends of its own: numbers and hash, rows, and the block's text.
 * @param n Of the call: see `Call`.
 * @param rows A JSON array of `requestValues`.
 */
export function blockText(n: number, { seq, at, text, hash }: Block, rows: string): string {
  return `${n} ${seq} ${at} ${Buffer.from(hash).toString("base64")}\n${rows}\n${text}`;
}

export function parseBlockText(message: string): { n: number; block: Block; rows: string } {
  const numbersEnd = message.indexOf("\n");
  const rowsEnd = message.indexOf("\n", numbersEnd + 1);
  const [n, seq, at, hash = ""] = message.slice(0, numbersEnd).split(" ");
  return {
    n: Number(n),
    block: {
      seq: Number(seq),
      at: Number(at),
      text: message.slice(rowsEnd + 1),
      hash: Buffer.from(hash, "base64"),
    },
    rows: message.slice(numbersEnd + 1, rowsEnd),
  };
}
