import { Option } from "commander";
import { z } from "zod";
import { Key, NewKey } from "./answers.ts";
import { type ApiClient, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonLine } from "./json.ts";
import { table, time } from "./table.ts";
import { parseDuration } from "./when.ts";

/** `--overlap`: how long the old secret lives on, milliseconds. */
export function overlapOption(): Option {
  return new Option("--overlap <duration>", "how long the old secret still works, for example 0s, 24h, 7d")
    .default(24 * 3_600_000, "24h")
    .argParser(parseDuration);
}

export function rotateKey(api: ApiClient, id: string, overlapMs: number): Promise<NewKey> {
  return api.post(
    `/api/v1/keys/${segment(id)}/rotate`,
    { overlapSeconds: Math.floor(overlapMs / 1000) },
    NewKey,
  );
}

/** The secret alone goes to standard output, so that a script can take it; what to do with it is said beside. */
export async function printNewKey(io: Io, api: ApiClient, { key, secret }: NewKey): Promise<void> {
  io.note(`Key ${key.id} (${key.name}) of ${key.user.name}, shown this once:`);
  await io.print(`${secret}\n`);
  if (key.previousSecretExpiresAt !== null) {
    io.note(`The old secret works until ${time(key.previousSecretExpiresAt)}.`);
  }
  try {
    // Asked with the new key: only the gateway knows the address that users reach it at.
    const { LMK_URL } = await api
      .as({ text: secret, origin: "the answer" })
      .get("/lmk/env", Address, { format: "json" });
    io.note("With LMK_KEY set to it, this makes programs use it:");
    io.note(`  eval "$(curl -fsS '${LMK_URL}/lmk/env' -H "authorization: Bearer $LMK_KEY")"`);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    io.note(`It cannot be used now: ${error.message}`);
  }
}

const Address = z.object({ LMK_URL: z.string() });

/**
 * Rotates all active keys of a user or a group. Each is printed as soon as it exists: a secret that is lost half-way
 * cannot be asked for again.
 * @param owner For the message where there is no key.
 */
export async function rotateKeysOf(
  io: Io,
  api: ApiClient,
  filter: { user: string } | { group: string },
  owner: string,
  options: { overlap: number; json?: boolean },
): Promise<void> {
  // Child keys end with the key that they were made with.
  const items = await api.list("/api/v1/keys", Key, { ...filter, children: "none" });
  const active = items.filter(({ state }) => state === "active");
  if (active.length === 0) throw new Failure(`${owner} has no active key to rotate.`);
  const widths: number[] = [];
  table(
    active.map(({ user, id, name }) => [user.name, id, name]),
    widths,
  );
  for (const { id } of active) {
    const rotated = await rotateKey(api, id, options.overlap);
    const { user, name } = rotated.key;
    await io.print(options.json ? jsonLine(rotated) : table([[user.name, id, name, rotated.secret]], widths));
  }
  const count = active.length === 1 ? "1 key" : `${active.length} keys`;
  const until =
    options.overlap === 0
      ? "no longer work"
      : `work until ${time(new Date(Date.now() + options.overlap).toISOString())}`;
  io.note(`${count} rotated, shown this once. The old secrets ${until}.`);
}
