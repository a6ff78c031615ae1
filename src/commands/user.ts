import { Argument, type Command, Option } from "commander";
import { ROLES } from "../domain/role.ts";
import { Key, NewKey, User } from "./answers.ts";
import { connect } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { keyTable } from "./key.ts";
import { addLifetimeVerbs, end, expiry, type Kind, lifetimeRows, pathOf, reference } from "./lifetime.ts";
import { overlapOption, printNewKey, rotateKeysOf } from "./new-key.ts";
import { list, table, time } from "./table.ts";

const kind: Kind = {
  noun: "user",
  path: "/api/v1/users",
  argument: "<user>",
  argumentHelp: "their name or id",
};

interface AddOptions {
  group?: string;
  role?: string;
  expires?: string | null;
  key: boolean;
  json?: boolean;
}

export function addUserVerbs(program: Command, io: Io): void {
  const user = program.command("user").description("users: who holds master keys");

  user
    .command("add")
    .description("make a user with a first key, and print the key; it is shown this once")
    .argument("<name>")
    .option("--group <group>", 'name or id (default: "default")')
    .addOption(
      new Option("--role <role>", "what they may do in the console (default: member)").choices(ROLES),
    )
    .option("--expires <when>", "when the user ends: a date, or a duration such as 30d", end)
    .option("--no-key", "make no key")
    .option("--json", "as JSON")
    .action((name: string, options: AddOptions, command: Command) => add(io, name, options, command));

  user
    .command("list")
    .description("all users")
    .option("--group <group>", "only those in this group: its name or id")
    .option("--json", "as JSON")
    .action(async ({ group, json }: { group?: string; json?: boolean }, command: Command) => {
      const items = await connect(io, command).list(kind.path, User);
      const users = items.filter(
        (item) => group === undefined || [item.group.id, item.group.name].includes(group),
      );
      const rows = users.map((item) => [
        item.name,
        item.id,
        item.group.name,
        item.role,
        item.state,
        time(item.createdAt),
        expiry(item.expiresAt),
      ]);
      const headings = ["NAME", "ID", "GROUP", "ROLE", "STATE", "CREATED", "EXPIRES"];
      await io.print(json ? jsonText(users) : list(headings, rows, "No users."));
    });

  user
    .command("show")
    .description("one user and their keys")
    .argument(kind.argument, kind.argumentHelp, reference)
    .option("--json", "as JSON")
    .action(async (ref: string, { json }: { json?: boolean }, command: Command) => {
      const api = connect(io, command);
      const shown = await api.get(pathOf(kind, ref), User);
      const items = await api.list("/api/v1/keys", Key, { user: shown.id });
      if (json) return io.print(jsonText({ ...shown, keys: items }));
      const fields = [
        ["user", shown.name],
        ["id", shown.id],
        ["group", shown.group.name],
        ["role", shown.role],
        ...lifetimeRows(shown),
      ];
      await io.print(`${table(fields)}\n${keyTable(items)}`);
    });

  user
    .command("move")
    .description("put a user into another group; their keys stay the same")
    .argument(kind.argument, kind.argumentHelp, reference)
    .argument("<group>", "name or id")
    .action(async (ref: string, group: string, _options: unknown, command: Command) => {
      const moved = await connect(io, command).patch(pathOf(kind, ref), { group }, User);
      io.note(`User ${moved.name} is in group ${moved.group.name}.`);
    });

  user
    .command("role")
    .description("say what a user may do in the console and the admin API")
    .argument(kind.argument, kind.argumentHelp, reference)
    .addArgument(new Argument("<role>").choices(ROLES))
    .action(async (ref: string, role: string, _options: unknown, command: Command) => {
      const changed = await connect(io, command).patch(pathOf(kind, ref), { role }, User);
      io.note(`User ${changed.name} is ${changed.role}.`);
    });

  user
    .command("rotate")
    .description("give all active keys of a user new secrets, and print them")
    .argument(kind.argument, kind.argumentHelp, reference)
    .addOption(overlapOption())
    .option("--json", "as JSON, one object per line")
    .action(async (ref: string, options: { overlap: number; json?: boolean }, command: Command) => {
      const api = connect(io, command);
      const { id, name } = await api.get(pathOf(kind, ref), User);
      await rotateKeysOf(io, api, { user: id }, `User ${name}`, options);
    });

  addLifetimeVerbs(user, io, kind);
}

async function add(io: Io, name: string, options: AddOptions, command: Command): Promise<void> {
  const api = connect(io, command);
  const body = {
    name,
    ...(options.group === undefined ? {} : { group: options.group }),
    ...(options.role === undefined ? {} : { role: options.role }),
    ...(options.expires ? { expiresAt: options.expires } : {}),
  };
  const added = await api.post(kind.path, body, User);
  const made = `User ${added.name} made in group ${added.group.name} (${added.id}).`;
  if (!options.key) {
    io.note(made);
    if (options.json) await io.print(jsonText({ user: added }));
    return;
  }
  const created = await api.post("/api/v1/keys", { user: added.id }, NewKey).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error;
    throw new Failure(`${made} It has no key yet: ${error.message} Then run: lmk key add ${added.id}`);
  });
  io.note(made);
  if (options.json) await io.print(jsonText({ user: added, ...created }));
  else await printNewKey(io, api, created);
}
