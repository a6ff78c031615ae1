import { version } from "../version.ts";
import { buildClient } from "./build-client.ts";
import { tarball } from "./tarball.ts";

/** Set in the executable, which has no sources beside it. */
declare const LMK_CLIENT: string | undefined;

/**
 * The client as an npm package that runs on Node alone. Has no secret in it.
 * @param further Files beside it, by path.
 * @param url Of the gateway that it belongs to; undefined for the one that its user names.
 */
export async function packClient(
  further: Readonly<Record<string, string | Uint8Array>> = {},
  url?: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const program = typeof LMK_CLIENT === "string" ? LMK_CLIENT : await buildClient();
  const manifest = {
    name: "llamakey",
    version,
    description: "The client of a LlaMaKey gateway.",
    license: "MIT",
    type: "module",
    engines: { node: ">=20" },
    bin: { lmk: "lmk.mjs", llamakey: "lmk.mjs" },
    ...(url === undefined ? {} : { llamakey: { url } }),
  };
  const files = { "package.json": `${JSON.stringify(manifest, null, 2)}\n`, "lmk.mjs": program, ...further };
  return tarball(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`package/${path}`, content])),
  );
}

/** What `npx <address>/lmk/cli.tgz` fetches: it knows where it came from. */
export class ClientPackage {
  private readonly publicUrl: string;
  private made: Promise<Uint8Array<ArrayBuffer>> | undefined;

  constructor(publicUrl: string) {
    this.publicUrl = publicUrl;
  }

  /** Made when it is first asked for. */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.made ??= packClient({}, this.publicUrl);
    return this.made;
  }
}
