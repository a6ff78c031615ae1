import { accessSync, constants, existsSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { DEFAULT_GROUP } from "../admin/users.ts";
import { type ExportSettings, renderExports } from "../client/exports.ts";
import { bySystem } from "../domain/audit.ts";
import type { Clock } from "../domain/clock.ts";
import { createKey, randomBase62 } from "../domain/key.ts";
import type { AdminStore } from "../domain/store.ts";
import type { Provider } from "../providers/provider.ts";

const EXPORTS_NAME = "llamakey_local.env";
const EXPORTS_MARK = "LlaMaKey";

/** Where the gateway is, and what is to be trusted for it. */
export type ExportPlace = Pick<ExportSettings, "publicUrl" | "trust">;

export interface FirstUser {
  id: string;
  name: string;
  /** The master key; it exists nowhere else but in the exports file. */
  key: string;
}

/** Makes the default group, and the first user with a key, where there is no user yet; else returns undefined. */
export async function makeFirstUser(
  store: AdminStore,
  hasher: { hashKey(key: string): Uint8Array },
  clock: Clock,
): Promise<FirstUser | undefined> {
  const now = clock.now();
  const source = bySystem("start", now);
  const active = { createdAt: now, revokedAt: null, expiresAt: null };
  let group = (await store.listGroups()).find(({ name }) => name === DEFAULT_GROUP);
  if (group === undefined) {
    group = { id: `grp_${randomBase62(10)}`, name: DEFAULT_GROUP, ...active };
    await store.audited(source, "addGroup", group);
  }
  if ((await store.listUsers()).length > 0) return undefined;
  const role = "owner" as const;
  const user = { id: `usr_${randomBase62(10)}`, name: systemUserName(), groupId: group.id, role, ...active };
  const key = createKey();
  await store.audited(source, "addUser", user);
  await store.audited(source, "addKey", {
    id: key.id,
    name: "first",
    userId: user.id,
    ...active,
    frozenAt: null,
    frozenWhy: null,
    secrets: [{ version: 1, hash: hasher.hashKey(key.text), createdAt: now, expiresAt: null }],
  });
  return { id: user.id, name: user.name, key: key.text };
}

/** Where the exports file of the first user is, or would be: here, or in the data directory where here is read-only. */
export function exportsFile(folder: string, dataDir: string): string {
  const here = join(folder, EXPORTS_NAME);
  if (existsSync(here)) return isOurs(here) ? here : join(dataDir, EXPORTS_NAME);
  const inData = join(dataDir, EXPORTS_NAME);
  if (existsSync(inData)) return inData;
  try {
    accessSync(folder, constants.W_OK);
    return here;
  } catch {
    return inData;
  }
}

/**
 * Writes the first user's exports anew with the key that the file holds, where there is such a file: since it was
 * written, the address or the providers may have changed.
 */
export function refreshExports(
  file: string,
  isValid: (key: string) => boolean,
  place: ExportPlace,
  providers: readonly Provider[],
): void {
  if (!existsSync(file) || !isOurs(file)) return;
  const text = readFileSync(file, "utf8");
  const key = /^export LMK_KEY='(lmk_[0-9A-Za-z_]+)'$/m.exec(text)?.[1];
  const userName = /exports of (.+?): they hold/.exec(text)?.[1];
  if (key === undefined || userName === undefined || !isValid(key)) return;
  writeExports(file, { name: userName, key }, place, providers);
}

/** Writes the exports (mode 0600), replacing those of an earlier installation. */
export function writeExports(
  file: string,
  user: Omit<FirstUser, "id">,
  place: ExportPlace,
  providers: readonly Provider[],
): void {
  const text = renderExports("sh", { ...place, key: user.key, userName: user.name, providers });
  writeFileSync(file, text, { mode: 0o600 });
}

/** A file of that name that we did not write is somebody's own. */
function isOurs(file: string): boolean {
  try {
    return readFileSync(file, "utf8").includes(EXPORTS_MARK);
  } catch {
    return false;
  }
}

function systemUserName(): string {
  try {
    const { username } = userInfo();
    return username === "" || username === "unknown" ? "first-user" : username;
  } catch {
    // Containers run as ids that have no name.
    return "first-user";
  }
}
