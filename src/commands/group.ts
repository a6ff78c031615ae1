import type { Command } from "commander";
import { Group } from "./answers.ts";
import { connect } from "./api-client.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { addLifetimeVerbs, end, expiry, type Kind, lifetimeRows, pathOf, reference } from "./lifetime.ts";
import { overlapOption, rotateKeysOf } from "./new-key.ts";
import { list, table, time } from "./table.ts";

const kind: Kind = {
  noun: "group",
  path: "/api/v1/groups",
  argument: "<group>",
  argumentHelp: "its name or id",
};

export function addGroupVerbs(program: Command, io: Io): void {
  const group = program.command("group").description("groups: each user is in exactly one");

  group
    .command("add")
    .description("make a group")
    .argument("<name>")
    .option("--expires <when>", "when it ends: a date, or a duration such as 30d", end)
    .action(async (name: string, { expires }: { expires?: string | null }, command: Command) => {
      const body = { name, ...(expires ? { expiresAt: expires } : {}) };
      const added = await connect(io, command).post(kind.path, body, Group);
      io.note(`Group ${added.name} made (${added.id}).`);
    });

  group
    .command("list")
    .description("all groups")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const items = await connect(io, command).list(kind.path, Group);
      const rows = items.map((item) => [
        item.name,
        item.id,
        item.state,
        time(item.createdAt),
        expiry(item.expiresAt),
      ]);
      await io.print(
        json ? jsonText(items) : list(["NAME", "ID", "STATE", "CREATED", "EXPIRES"], rows, "No groups."),
      );
    });

  group
    .command("show")
    .description("one group")
    .argument(kind.argument, kind.argumentHelp, reference)
    .option("--json", "as JSON")
    .action(async (ref: string, { json }: { json?: boolean }, command: Command) => {
      const shown = await connect(io, command).get(pathOf(kind, ref), Group);
      await io.print(
        json ? jsonText(shown) : table([["group", shown.name], ["id", shown.id], ...lifetimeRows(shown)]),
      );
    });

  group
    .command("rotate")
    .description("give every active key in it a new secret, and print them")
    .argument(kind.argument, kind.argumentHelp, reference)
    .addOption(overlapOption())
    .option("--json", "as JSON, one object per line")
    .action(async (ref: string, options: { overlap: number; json?: boolean }, command: Command) => {
      const api = connect(io, command);
      const { id, name } = await api.get(pathOf(kind, ref), Group);
      await rotateKeysOf(io, api, { group: id }, `Group ${name}`, options);
    });

  addLifetimeVerbs(group, io, kind);
}
