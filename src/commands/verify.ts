import type { Command } from "commander";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import type { ServeSettings } from "./serve.ts";
import { list, table } from "./table.ts";

/** What was found. Money is decimal dollars. */
export interface VerifyReport {
  readonly blocks: number;
  readonly holds: number;
  readonly entries: number;
  /** Holds that have not ended. */
  readonly open: number;
  readonly total: string;
  /** Costs that were worked out again, and those that only an older version could. */
  readonly recomputed: number;
  readonly notRecomputable: number;
  /** Rows of the request log. */
  readonly requests: number;
  /** Rows of the audit log. */
  readonly changes: number;
  /** Of the ledger and of the audit log. */
  readonly heads: readonly string[];
  readonly findings: readonly {
    readonly block: number | null;
    readonly hold: number | null;
    readonly what: string;
  }[];
  /** Found, and not among `findings`: they are too many. */
  readonly more: number;
}

/** Reads the data directory itself, whether a gateway runs or not. */
export type Verify = (
  settings: ServeSettings,
  heads: readonly string[],
) => Promise<VerifyReport | { readonly problems: readonly string[] }>;

interface Options {
  dataDir?: string;
  head?: string[];
  json?: boolean;
}

export function addVerifyVerb(program: Command, io: Io, verify: Verify, exit: (code: number) => void): void {
  program
    .command("verify")
    .description("work out again, from the ledger's first block, what every call cost and every budget says")
    .option(
      "--head <head>",
      "as an earlier run, or lmk audit --head, printed it; may be repeated: finds what was cut off since",
      (text, all: string[] = []) => [...all, text],
    )
    .option("--data-dir <folder>", "what to read (LMK_DATA_DIR; default: ./llamakey-data)")
    .option("--json", "as JSON")
    .action(async ({ dataDir, head, json }: Options) => {
      const found = await verify(dataDir === undefined ? {} : { LMK_DATA_DIR: dataDir }, head ?? []);
      if ("problems" in found) throw new Failure(found.problems.join("\n"));
      await io.print(json ? jsonText(found) : textOf(found));
      exit(found.findings.length === 0 ? 0 : 1);
    });
}

function textOf(found: VerifyReport): string {
  const summary = table([
    ["blocks", String(found.blocks)],
    ["holds", String(found.holds)],
    ["entries", String(found.entries)],
    ["open", String(found.open)],
    ["total", `$${found.total}`],
    ["costs", `${found.recomputed} worked out again, ${found.notRecomputable} by an older version's rules`],
    ["log rows", String(found.requests)],
    ["audit rows", String(found.changes)],
    ...found.heads.map((head) => ["head", head]),
  ]);
  const rows = found.findings.map(({ block, hold, what }) => [
    block === null ? "-" : String(block),
    hold === null ? "-" : String(hold),
    what,
  ]);
  const more = found.more === 0 ? "" : `and ${found.more} more\n`;
  return `${summary}\n${list(["BLOCK", "HOLD", "WRONG"], rows, "Nothing is wrong.")}${more}`;
}
