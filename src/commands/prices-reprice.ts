import type { Command } from "commander";
import { z } from "zod";
import { connect } from "./api-client.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { list } from "./table.ts";
import { parseSince } from "./when.ts";

const Repriced = z.looseObject({
  items: z.array(
    z.object({
      provider: z.string(),
      model: z.string().nullable(),
      calls: z.number(),
      before: z.string(),
      after: z.string(),
    }),
  ),
  looked: z.number(),
});

interface Options {
  since?: string;
  provider?: string;
  dryRun?: boolean;
  json?: boolean;
}

export function addPricesRepriceVerb(prices: Command, io: Io): void {
  prices
    .command("reprice")
    .description("correct what calls cost that had no price, or a wrong one, by the prices in force now")
    .option("--since <when>", "only calls since then: a duration (30d) or a date", (text) =>
      parseSince(text, Date.now()),
    )
    .option("--provider <id>", "only calls to this provider")
    .option("--dry-run", "only show what would change")
    .option("--json", "as JSON")
    .action(async ({ json, dryRun = false, ...filter }: Options, command: Command) => {
      const found = await connect(io, command).post(
        "/api/v1/prices/reprice",
        { ...filter, dryRun },
        Repriced,
      );
      if (json) return io.print(jsonText(found));
      const rows = found.items.map(({ provider, model, calls, before, after }) => [
        provider,
        model ?? "-",
        String(calls),
        before,
        after,
      ]);
      const headings = ["PROVIDER", "MODEL", "CALLS", "BEFORE ($)", "AFTER ($)"];
      await io.print(list(headings, rows, "All calls cost what the prices in force say."));
      return io.note(`${found.looked} calls looked at${dryRun ? "; nothing was changed" : ""}.`);
    });
}
