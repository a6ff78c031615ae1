import type { Command } from "commander";
import { inPlace } from "../domain/leak.ts";
import { Key, NewKey } from "./answers.ts";
import { connect } from "./api-client.ts";
import { addClaimVerbs } from "./claim.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { addLifetimeVerbs, end, expiry, type Kind, lifetimeRows, pathOf, reference } from "./lifetime.ts";
import { overlapOption, printNewKey, rotateKey } from "./new-key.ts";
import { list, table, time } from "./table.ts";

const kind: Kind = {
  noun: "key",
  path: "/api/v1/keys",
  argument: "<id>",
  argumentHelp: "its id, the ten characters after lmk_",
};

interface AddOptions {
  name?: string;
  expires?: string | null;
  json?: boolean;
}

interface ListOptions {
  user?: string;
  group?: string;
  all?: boolean;
  leaked?: boolean;
  json?: boolean;
}

export function addKeyVerbs(program: Command, io: Io): void {
  const key = program.command("key").description("master keys: a user has one or more, each revocable alone");

  key
    .command("add")
    .description("make another key for a user, and print it; it is shown this once")
    .argument("<user>", "name or id")
    .option("--name <name>", "to tell it from the user's others")
    .option("--expires <when>", "when it ends: a date, or a duration such as 30d", end)
    .option("--json", "as JSON")
    .action(async (user: string, { name, expires, json }: AddOptions, command: Command) => {
      const api = connect(io, command);
      const body = {
        user,
        ...(name === undefined ? {} : { name }),
        ...(expires ? { expiresAt: expires } : {}),
      };
      const created = await api.post(kind.path, body, NewKey);
      await (json ? io.print(jsonText(created)) : printNewKey(io, api, created));
    });

  key
    .command("list")
    .description("all keys; below each those that lmk run made with it")
    .option("--user <user>", "only those of this user: name or id")
    .option("--group <group>", "only those in this group: its name or id")
    .option("--all", "also keys of lmk run that have ended")
    .option("--leaked", "only those that were seen in a prompt or a URL, and still open something")
    .option("--json", "as JSON")
    .action(async ({ user, group, all, leaked, json }: ListOptions, command: Command) => {
      const children = all ? "all" : undefined;
      const items = await connect(io, command).list(kind.path, Key, {
        user,
        group,
        children,
        ...(leaked && { leaked: "true" }),
      });
      await io.print(json ? jsonText(items) : keyTable(items));
    });

  key
    .command("show")
    .description("one key")
    .argument(kind.argument, kind.argumentHelp, reference)
    .option("--json", "as JSON")
    .action(async (id: string, { json }: { json?: boolean }, command: Command) => {
      const shown = await connect(io, command).get(pathOf(kind, id), Key);
      if (json) return io.print(jsonText(shown));
      const whose = [
        ["user", shown.user.name],
        ["group", shown.group.name],
        ...(shown.parent ? [["made with", `${shown.parent.id} (${shown.parent.name})`]] : []),
      ];
      const overlap = [["old secret works until", time(shown.previousSecretExpiresAt)]];
      await io.print(
        table([
          ["key", shown.name],
          ["id", shown.id],
          ...whose,
          ...lifetimeRows(shown),
          ...overlap,
          ...troubleRows(shown),
        ]),
      );
    });

  key
    .command("rotate")
    .description("give a key a new secret, and print it; its id stays")
    .argument(kind.argument, kind.argumentHelp, reference)
    .addOption(overlapOption())
    .option("--json", "as JSON")
    .action(async (id: string, { overlap, json }: { overlap: number; json?: boolean }, command: Command) => {
      const api = connect(io, command);
      const rotated = await rotateKey(api, id, overlap);
      await (json ? io.print(jsonText(rotated)) : printNewKey(io, api, rotated));
    });

  key
    .command("freeze")
    .description("let a key take no call until it is unfrozen")
    .argument(kind.argument, kind.argumentHelp, reference)
    .option("--reason <text>", "what its refusals say")
    .option("--now", "cut its open streams, too")
    .action(async (id: string, body: { reason?: string; now?: boolean }, command: Command) => {
      await connect(io, command).post(`${pathOf(kind, id)}/freeze`, body, Key);
      io.note(`Key ${id} is frozen. Let it work again: lmk key unfreeze ${id}`);
    });

  key
    .command("unfreeze")
    .description("let a frozen key work again")
    .argument(kind.argument, kind.argumentHelp, reference)
    .action(async (id: string, _options: unknown, command: Command) => {
      const { state } = await connect(io, command).post(`${pathOf(kind, id)}/unfreeze`, undefined, Key);
      io.note(`Key ${id} is ${state}.`);
    });

  addClaimVerbs(key, io);
  addLifetimeVerbs(key, io, kind);
}

function troubleRows({ frozenWhy, leak }: Key): [string, string][] {
  return [
    ...(frozenWhy ? [["frozen because", frozenWhy] as [string, string]] : []),
    ...(leak
      ? [["seen", `${inPlace(leak.place)} ${time(leak.at)}, request ${leak.requestId}`] as [string, string]]
      : []),
  ];
}

export function keyTable(keys: readonly Key[]): string {
  const rows = family(keys).map(({ key, depth }) => [
    depth === 0 ? key.id : `${"  ".repeat(depth - 1)}└ ${key.id}`,
    key.name,
    key.user.name,
    key.group.name,
    key.leak ? `${key.state}, seen ${inPlace(key.leak.place)}` : key.state,
    time(key.createdAt),
    expiry(key.expiresAt),
  ]);
  return list(["ID", "NAME", "USER", "GROUP", "STATE", "CREATED", "EXPIRES"], rows, "No keys.");
}

interface Member {
  readonly key: Key;
  readonly depth: number;
}

/** Children behind the key that they were made with; those whose parent is not among them stand alone. */
function family(keys: readonly Key[]): Member[] {
  const ids = new Set(keys.map(({ id }) => id));
  const below = (parent: string | undefined, depth: number): Member[] =>
    keys
      .filter(({ parent: of }) => (of && ids.has(of.id) ? of.id : undefined) === parent)
      .flatMap((key) => [{ key, depth }, ...below(key.id, depth + 1)]);
  return below(undefined, 0);
}
