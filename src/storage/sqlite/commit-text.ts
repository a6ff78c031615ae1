import type { Block } from "../../domain/ledger.ts";
import type { SqlValue } from "../sql.ts";

/** What a commit writes in nearly all cases. */
export interface PlainCommit {
  readonly block: Block | null;
  /** From `requestValues`. */
  readonly rows: SqlValue[][];
}

/**
 * A block and rows of the request log as one text. It crosses between threads with every commit, and a text is handed over
 * as it is where an object is copied field by field; and it is what `CommitLog` keeps.
 *
 * Three lines, of which the last one has line ends of its own: the block's numbers and hash, rows, and the block's text.
 * @param rows A JSON array of `requestValues`.
 */
export function commitText(block: Block | null, rows: string): string {
  if (block === null) return `\n${rows}\n`;
  const { seq, at, text, hash } = block;
  return `${seq} ${at} ${Buffer.from(hash).toString("base64")}\n${rows}\n${text}`;
}

export function parseCommitText(text: string): PlainCommit {
  const numbersEnd = text.indexOf("\n");
  const rowsEnd = text.indexOf("\n", numbersEnd + 1);
  const rows = JSON.parse(text.slice(numbersEnd + 1, rowsEnd)) as SqlValue[][];
  if (numbersEnd === 0) return { block: null, rows };
  const [seq, at, hash = ""] = text.slice(0, numbersEnd).split(" ");
  const block = {
    seq: Number(seq),
    at: Number(at),
    text: text.slice(rowsEnd + 1),
    hash: Buffer.from(hash, "base64"),
  };
  return { block, rows };
}
