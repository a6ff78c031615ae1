import { join, resolve } from "node:path";
import type { Command } from "commander";
import { gatewayAddress } from "./address.ts";
import { ApiClient, wayTo } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { dataDirectory, readSettings, readVariables } from "./settings.ts";

const EXPORTS_FILE = "llamakey_local.env";

/** A user's key, and the gateway that it is for. */
export interface OwnKey {
  /** Without a trailing slash. */
  readonly address: string;
  /** The master key; secret. */
  readonly key: string;
  /** Where it came from, for messages. */
  readonly origin: string;
}

/**
 * `--key`, else `LMK_KEY`, else the first user's from the exports file that the first start wrote. A key from that file
 * goes to the address in that file: elsewhere it would be given away.
 */
export function findOwnKey(io: Io, command: Command): OwnKey {
  const settings = readSettings(io);
  const { url, key } = command.optsWithGlobals<{ url?: string; key?: string }>();
  const own = key ?? settings("LMK_KEY");
  if (own !== undefined) {
    const origin = key === undefined ? "LMK_KEY" : "--key";
    return { address: gatewayAddress(url, settings), key: own, origin };
  }
  const folder = dataDirectory(settings, io);
  for (const origin of [resolve(io.folder, EXPORTS_FILE), join(folder, EXPORTS_FILE)]) {
    const variables = readVariables(origin);
    const found = variables?.["LMK_KEY"];
    if (!found) continue;
    return { address: gatewayAddress(url ?? variables?.["LMK_URL"], settings), key: found, origin };
  }
  throw new Failure(`No master key: set LMK_KEY to yours, or run this where ${EXPORTS_FILE} is.`);
}

/** The gateway as a user sees it, with the key that `findOwnKey` finds. */
export function connectAsUser(io: Io, command: Command): ApiClient {
  const { address, key, origin } = findOwnKey(io, command);
  return new ApiClient(address, { text: key, origin }, wayTo(address, readSettings(io), io));
}
