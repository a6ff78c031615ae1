/** Every snippet of `lmk snippet`, run as it is printed. */
import { beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { snippets } from "../../src/client/snippets/catalogue.ts";
import type { Snippet } from "../../src/client/snippets/snippet.ts";
import { atEnd } from "../support/cleanup.ts";
import { fidelity } from "../support/fidelity.ts";
import { type Gateway, root, startGateway } from "../support/gateway.ts";
import { runHere } from "../support/lmk.ts";
import { startProviders } from "../support/providers.ts";

const installed = join(root, ".cache/agents");
/** From here their packages are found, or else those of this repository. */
const place = join(installed, "npm");

let gateway: Gateway;
let folder: string;

beforeAll(async () => {
  const providers = await startProviders();
  atEnd(() => providers.stop());
  gateway = await startGateway({ env: providers.env });
  folder = mkdtempSync(join(tmpdir(), "lmk-snippets-"));
});
atEnd(async () => {
  rmSync(folder, { recursive: true, force: true });
  await gateway.end();
});

const commands: Record<Snippet["language"], (file: string) => string[]> = {
  python: (file) => [join(installed, "libraries/bin/python"), file],
  typescript: (file) => [process.execPath, "--no-env-file", file],
  sh: (file) => ["sh", file],
};
const endings: Record<Snippet["language"], string> = { python: "py", typescript: "ts", sh: "sh" };

/** What the last of the packages is that one installs for it: the one that it is about. */
const packageOf = ({ id, install }: Snippet) => install?.split(" ").at(-1) ?? id;
const languages = { python: "Python", typescript: "TypeScript", sh: "shell" } as const;

describe.each(snippets)("$id", (snippet) => {
  const { id, language, provider } = snippet;

  test("runs as it is printed, and its call is its user's", async () => {
    const { secret } = await gateway.addUser(id);
    const printed = await runHere(gateway, ["snippet", id], {}, folder);
    expect(printed.code).toBe(0);
    const file = join(place, `snippet-${id}.${endings[language]}`);
    writeFileSync(file, printed.out);
    try {
      const child = Bun.spawn(commands[language](file), {
        cwd: folder,
        env: {
          PATH: process.env["PATH"] ?? "",
          HOME: folder,
          LMK_URL: gateway.url,
          LMK_KEY: secret,
          // It would fetch its list of prices.
          LITELLM_LOCAL_MODEL_COST_MAP: "True",
        },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [out, err, code] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
        child.exited,
      ]);
      expect(code, err).toBe(0);
      expect(out).toContain("Hello from the stand-in, 你好 👋.");
    } finally {
      rmSync(file, { force: true });
    }
    const [row, ...more] = await gateway.rowsOf(id, 1);
    expect(row).toMatchObject({ provider, status: 200, userName: id, evidence: "reported" });
    expect(more).toEqual([]);
    const from = [place, root, join(installed, "libraries")];
    fidelity({ sdk: packageOf(snippet), provider, language: languages[language], from })("answer");
  }, 60_000);
});
