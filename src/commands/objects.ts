import type { Command } from "commander";
import { OwnedObject } from "./answers.ts";
import { connect } from "./api-client.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { list, time } from "./table.ts";
import { wholeNumber } from "./whole-number.ts";

const path = "/api/v1/objects";

interface ListOptions {
  provider?: string;
  kind?: string;
  id?: string;
  user?: string;
  group?: string;
  deleted?: boolean;
  limit: number;
  json?: boolean;
}

/** `lmk objects`: whose the files, batches, threads... at the providers are. */
export function addObjectsVerbs(program: Command, io: Io): void {
  const objects = program
    .command("objects")
    .description("files, batches, threads... that users have made at providers, and whose they are");

  objects
    .command("list")
    .description("the newest first")
    .option("--provider <id>")
    .option("--kind <kind>", "for example file")
    .option("--id <id>", "as the provider gave it")
    .option("--user <user>", "name or id")
    .option("--group <group>", "name or id")
    .option("--deleted", "those that were deleted, too")
    .option("--limit <count>", "at most so many, up to 1000", wholeNumber(1, 1000), 50)
    .option("--json", "as JSON")
    .action(async ({ json, deleted, ...filter }: ListOptions, command: Command) => {
      const query = { ...filter, ...(deleted === true && { deleted: "true" }) };
      const { limit, ...narrowed } = query;
      const items = await connect(io, command).first(path, OwnedObject, limit, narrowed);
      const rows = items.map((item) => [
        item.provider,
        item.kind,
        item.id,
        item.user.name,
        item.group.name,
        time(item.createdAt),
        item.deletedAt === null ? "" : time(item.deletedAt),
      ]);
      const headings = ["PROVIDER", "KIND", "ID", "USER", "GROUP", "CREATED", "DELETED"];
      await io.print(json ? jsonText(items) : list(headings, rows, "No objects."));
    });

  objects
    .command("assign")
    .description("make one a user's, for example what was made before there was a gateway")
    .argument("<provider>")
    .argument("<kind>", "for example file")
    .argument("<id>", "as the provider gave it")
    .requiredOption("--user <user>", "name or id")
    .option("--json", "as JSON")
    .action(
      async (
        provider: string,
        kind: string,
        id: string,
        { user, json }: { user: string; json?: boolean },
        command: Command,
      ) => {
        const body = { provider, kind, id, user };
        const assigned = await connect(io, command).post(`${path}/assign`, body, OwnedObject);
        if (json) await io.print(jsonText(assigned));
        io.note(`${assigned.kind} ${assigned.id} of ${assigned.provider} is now ${assigned.user.name}'s.`);
      },
    );

  objects
    .command("forget")
    .description("forget whose one is; at the provider nothing changes")
    .argument("<provider>")
    .argument("<kind>")
    .argument("<id>")
    .action(async (provider: string, kind: string, id: string, _options: unknown, command: Command) => {
      await connect(io, command).delete(path, { provider, kind, id });
      io.note(`${kind} ${id} of ${provider} is nobody's now.`);
    });
}
