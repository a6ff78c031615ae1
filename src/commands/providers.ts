import type { Command } from "commander";
import { Provider } from "./answers.ts";
import { connect } from "./api-client.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { list } from "./table.ts";

export function addProvidersVerb(program: Command, io: Io): void {
  program
    .command("providers")
    .description("providers that this gateway forwards to")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const items = await connect(io, command).list("/api/v1/providers", Provider);
      const rows = items.map(({ id, name, upstream, credentials, ready }) => [
        id,
        name,
        upstream,
        String(credentials),
        ready ? "yes" : "no: it has no credential",
      ]);
      const headings = ["ID", "NAME", "UPSTREAM", "CREDENTIALS", "READY"];
      await io.print(json ? jsonText(items) : list(headings, rows, "No providers."));
    });
}
