import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fetchAuthority, Untrusted } from "../client/fetch-authority.ts";
import { CA_FILE, writeTrust } from "../client/trust.ts";
import { type ApiClient, ownAuthority } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { readSettings, reasonOf } from "./settings.ts";

interface Options {
  /** Of the gateway's certificate, as the administrator told it. */
  readonly fingerprint?: string;
  /** Where certificates are kept; `~/.config/llamakey` by default. */
  readonly trustFolder?: string;
  /** Where they are written instead, for a while; what is kept is trusted all the same. */
  readonly writeTo?: string;
}

/**
 * The same gateway, once its certificate is trusted and written down for other programs.
 * @returns `trust`, the folder with `ca.pem` and `ca-bundle.pem`; undefined where the gateway has no certificate of its own.
 * @throws Failure
 */
export async function trusted(
  io: Io,
  client: ApiClient,
  { fingerprint, trustFolder, writeTo }: Options,
): Promise<{ client: ApiClient; trust: string | undefined }> {
  const folder = trustFolder === undefined ? usualFolder(io) : resolve(io.folder, trustFolder);
  const before = join(folder, CA_FILE);
  const onThisMachine = ownAuthority(client.address, readSettings(io), io);
  const known = [onThisMachine, existsSync(before) ? readFileSync(before, "utf8") : undefined];
  try {
    const certificate = await fetchAuthority(client.address, {
      fingerprint,
      known: known.filter((one) => one !== undefined),
    });
    if (certificate === undefined) return { client, trust: undefined };
    writeTrust(writeTo ?? folder, certificate, io.environment);
    const isTls = client.address.startsWith("https:");
    return { client: isTls ? client.trusting(certificate) : client, trust: writeTo ?? folder };
  } catch (error) {
    if (error instanceof Untrusted) throw new Failure(error.message);
    // Whoever asks next says it better.
    if (/^(?:ECONN|ENOTFOUND|EAI_|EHOST|ENET)/.test(reasonOf(error))) return { client, trust: undefined };
    throw new Failure(
      `The certificate of ${client.address} could not be got or kept in ${folder} (${reasonOf(error)}).`,
    );
  }
}

function usualFolder({ environment, folder }: Io): string {
  const { XDG_CONFIG_HOME: config, HOME: home = environment["USERPROFILE"] } = environment;
  return config ? join(config, "llamakey") : join(home ?? folder, ".config", "llamakey");
}
