import { type Command, Option } from "commander";
import { z } from "zod";
import { connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { list, time } from "./table.ts";

const path = "/api/v1/ledger/unresolved";

const Unresolved = z.looseObject({
  id: z.number(),
  at: z.string(),
  user: z.string(),
  provider: z.string(),
  endpoint: z.string(),
  model: z.string().nullable(),
  ceiling: z.string().nullable(),
  budgets: z.array(z.string()),
});
const Decided = z.looseObject({ id: z.number(), amount: z.string() });

/** Calls whose process died: what they can have cost stays reserved until somebody says what they did cost. */
export function addUnresolvedVerbs(budget: Command, io: Io): void {
  budget
    .command("unresolved")
    .description(
      "calls that were under way when the gateway died; their budgets keep what they can have cost",
    )
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const items = await connect(io, command).list(path, Unresolved);
      const rows = items.map((item) => [
        String(item.id),
        time(item.at),
        item.user,
        `${item.provider}${item.endpoint}`,
        item.model ?? "-",
        item.ceiling ?? "-",
        item.budgets.join(", ") || "-",
      ]);
      const headings = ["ID", "AT", "USER", "ENDPOINT", "MODEL", "AT MOST ($)", "BUDGETS"];
      await io.print(json ? jsonText(items) : list(headings, rows, "Nothing is unresolved."));
    });

  budget
    .command("resolve")
    .description("say what an unresolved call cost, for example by the provider's bill")
    .argument("<id>", "see: lmk budget unresolved")
    .addOption(new Option("--amount <dollars>", "what it cost").conflicts("as"))
    .addOption(
      new Option("--as <what>", "the most that it can have cost, or nothing").choices(["ceiling", "nothing"]),
    )
    .requiredOption("--reason <text>", "goes into the ledger and the audit log")
    .action(
      async (
        id: string,
        { amount, as, reason }: { amount?: string; as?: string; reason: string },
        command: Command,
      ) => {
        if (amount === undefined && as === undefined)
          throw new Failure("Say what it cost: --amount 0.02, --as ceiling or --as nothing.");
        const decided = await connect(io, command).post(
          `${path}/${segment(id)}`,
          { amount, as, reason },
          Decided,
        );
        io.note(`Hold ${decided.id} is resolved; $${decided.amount} is posted.`);
      },
    );
}
