import { structuredPatch } from "diff";
import { mask } from "../../domain/key.ts";

/** Lines around a change that are shown with it. */
const AROUND = 2;

/** What is taken out and put in, line by line, without a secret in it. Empty where only permissions change. */
export function difference(before: string, after: string): string {
  const { hunks } = structuredPatch("", "", masked(before), masked(after), "", "", { context: AROUND });
  const changed = hunks.flatMap(({ lines }, at) => (at === 0 ? lines : ["  ...", ...lines]));
  const shown = changed.filter((line) => !line.startsWith("\\"));
  // Two keys may look the same once they are masked.
  if (shown.length === 0 && before !== after) return "  (another key in the same place)\n";
  return shown.map((line) => `  ${line}\n`).join("");
}

/** Master keys, and whatever else looks like a key: of such a file's other lines some are shown, too. */
function masked(text: string): string {
  return text.replace(/[A-Za-z0-9_-]{20,}/g, (word) => {
    const isRandom = /[0-9]/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word);
    return isRandom ||
      word.startsWith("lmk_") ||
      /^(sk|hf|gsk|xai|pplx)[-_]/.test(word) ||
      /^[0-9a-f]{32,}$/.test(word)
      ? mask(word)
      : word;
  });
}
