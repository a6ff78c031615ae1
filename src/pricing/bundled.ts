// As text, because its hash is over its bytes. Nothing in the types says what the attribute does.
import text from "./snapshot.json" with { type: "text" };
import { parseSnapshot, type Snapshot } from "./snapshot.ts";

/** The list prices that this version of the product came with, as text. */
export const bundledText = text as unknown as string;

export function bundledSnapshot(): Snapshot {
  return parseSnapshot(bundledText);
}
