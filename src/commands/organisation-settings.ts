import type { Command } from "commander";
import { z } from "zod";
import { connect } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { table } from "./table.ts";

const path = "/api/v1/settings";

const Settings = z.looseObject({
  timeZone: z.string(),
  webhook: z.object({ url: z.string(), allowPrivate: z.boolean() }).nullable(),
  contact: z.string().nullable(),
});
const Changed = Settings.extend({ webhookSecret: z.string().nullable() });

/** `lmk settings`: what holds for the whole installation. */
export function addSettingsVerbs(program: Command, io: Io): void {
  const settings = program.command("settings").description("what holds for the whole installation");

  settings
    .command("show")
    .description("the settings in force")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const shown = await connect(io, command).get(path, Settings);
      const rows = [
        ["time zone", shown.timeZone],
        ["webhook", shown.webhook?.url ?? "none"],
        ["contact", shown.contact ?? "none"],
      ];
      await io.print(json ? jsonText(shown) : table(rows));
    });

  settings
    .command("set")
    .description("change settings")
    .option("--time-zone <name>", "where days, weeks and months of budgets begin: UTC, Europe/Berlin")
    .option("--webhook <url>", "who is told when a budget reaches a threshold; none: nobody")
    .option(
      "--contact <whom>",
      "whom users ask where something is refused: an address, a channel; none: nobody",
    )
    .option("--allow-private", "the webhook may be in a network of your own, and without TLS")
    .action(
      async (
        given: { timeZone?: string; webhook?: string; contact?: string; allowPrivate?: boolean },
        command: Command,
      ) => {
        const { timeZone, webhook: url, contact, allowPrivate = false } = given;
        if (timeZone === undefined && url === undefined && contact === undefined)
          throw new Failure("Give --time-zone, --webhook or --contact.");
        const webhook = url === undefined ? {} : { webhook: url === "none" ? null : { url, allowPrivate } };
        const whom = contact === undefined ? {} : { contact: contact === "none" ? null : contact };
        const body = { ...(timeZone !== undefined && { timeZone }), ...webhook, ...whom };
        const changed = await connect(io, command).patch(path, body, Changed);
        io.note("Changed.");
        if (changed.webhookSecret === null) return;
        io.note("The webhook's calls are signed with this secret, which is shown only now:");
        await io.print(`${changed.webhookSecret}\n`);
      },
    );
}
