import { version } from "../version.ts";
import { buildClient } from "./build-client.ts";
import { tarball } from "./tarball.ts";

/** Set in the executable, which has no sources beside it. */
declare const LMK_CLIENT: string | undefined;

/** The client as an npm package that runs on Node alone: what `npx <address>/lmk/cli.tgz` fetches. Has no secret in it. */
export class ClientPackage {
  private readonly publicUrl: string;
  private made: Promise<Uint8Array<ArrayBuffer>> | undefined;

  constructor(publicUrl: string) {
    this.publicUrl = publicUrl;
  }

  /** Made when it is first asked for. */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.made ??= this.make();
    return this.made;
  }

  private async make(): Promise<Uint8Array<ArrayBuffer>> {
    const program = typeof LMK_CLIENT === "string" ? LMK_CLIENT : await buildClient();
    const manifest = {
      name: "llamakey",
      version,
      description: "The client of a LlaMaKey gateway.",
      license: "MIT",
      type: "module",
      engines: { node: ">=20" },
      bin: { lmk: "lmk.mjs", llamakey: "lmk.mjs" },
      // Where it came from, and so where it belongs.
      llamakey: { url: this.publicUrl },
    };
    return tarball({
      "package/package.json": `${JSON.stringify(manifest, null, 2)}\n`,
      "package/lmk.mjs": program,
    });
  }
}
