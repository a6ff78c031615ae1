import { textWidth } from "./text-width.ts";

/**
 * Lines of aligned columns, two spaces apart.
 * @param widths Of the columns so far; grows in place, so that pages printed one after the other line up.
 */
export function table(rows: readonly (readonly string[])[], widths: number[] = []): string {
  const shown = rows.map((row) => row.map(printable));
  for (const row of shown) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, textWidth(cell));
    }
  }
  const pad = (cell: string, column: number) => cell + " ".repeat((widths[column] ?? 0) - textWidth(cell));
  return shown.map((row) => `${row.map(pad).join("  ").trimEnd()}\n`).join("");
}

/** A list for people: headings, then rows; one line where there is none. */
export function list(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  return rows.length === 0 ? `${none}\n` : table([headings, ...rows]);
}

/** `2026-11-23 15:49:05Z`, or `-` for none. */
export function time(rfc3339: string | null): string {
  return rfc3339 === null ? "-" : rfc3339.replace("T", " ").replace(/\.\d+/, "");
}

/**
 * Names, models and paths come from whoever calls the gateway: a control character among them would be obeyed by the
 * terminal of the administrator who looks at them, and one that turns the writing direction would deceive them.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, "\ufffd");
}
