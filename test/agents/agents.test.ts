/**
 * Coding agents as people have them: set up by `lmk configure` alone, they do a small task with tools, streamed, through
 * the gateway, which knows whose calls they were; and `--undo` leaves their files as they were, to the byte.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AiMock } from "../support/aimock.ts";
import { atEnd } from "../support/cleanup.ts";
import { fidelity } from "../support/fidelity.ts";
import { type Gateway, root, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { CONTENT, Dialogue, TASK } from "./dialogue.ts";

const installed = join(root, ".cache/agents");
const npm = join(installed, "npm/node_modules");
const platform = `${process.platform}-${process.arch}`;

const keys = {
  openai: "sk-test-fake-0123456789abcdefghijklmnopqrstuv",
  anthropic: "sk-ant-test-fake-0123456789abcdefghijklmnopqrstuv",
  gemini: "AIza-test-fake-gemini-0123456789abcdef",
};

/** How an agent is started, and what is then to be seen. */
interface Tried {
  tool: string;
  /** The package that it comes in. */
  release: string;
  /** Its file of settings, and what a user has in it already. */
  file: string;
  before: string;
  provider: "openai" | "anthropic" | "gemini";
  endpoint: RegExp;
  command: readonly string[];
  /** Only so that it asks nobody but its model: none of this has to do with the gateway. */
  quiet?: Record<string, string>;
}

const agents: Tried[] = [
  {
    tool: "claude-code",
    release: "@anthropic-ai/claude-code",
    file: ".claude/settings.json",
    // It takes no comments.
    before: '{\n\t"cleanupPeriodDays": 20,\n\t"env": { "FOO": "1" }\n}',
    provider: "anthropic",
    endpoint: /^\/v1\/messages$/,
    command: [
      join(npm, `@anthropic-ai/claude-code-${platform}/claude`),
      ...["-p", TASK, "--permission-mode", "acceptEdits"],
    ],
    quiet: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" },
  },
  {
    tool: "codex",
    release: "@openai/codex",
    file: ".codex/config.toml",
    before:
      '# mine\nmodel = "gpt-5.1-codex" # kept\ncheck_for_update_on_startup = false\n\n[analytics]\nenabled = false\n',
    provider: "openai",
    endpoint: /^\/responses$/,
    command: [
      join(npm, "@openai/codex/bin/codex.js"),
      ...["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", TASK],
    ],
  },
  {
    tool: "gemini-cli",
    release: "@google/gemini-cli",
    file: ".gemini/settings.json",
    before:
      '{\n  // mine\n  "privacy": { "usageStatisticsEnabled": false },\n  "general": { "enableAutoUpdate": false }\n}\n',
    provider: "gemini",
    endpoint: /^\/v1beta\/models\/gemini-2\.5-pro:streamGenerateContent$/,
    command: [
      join(npm, "@google/gemini-cli/bundle/gemini.js"),
      ...["-m", "gemini-2.5-pro", "-p", TASK, "--approval-mode", "yolo", "--skip-trust"],
    ],
  },
  {
    tool: "opencode",
    release: `opencode-${platform}`,
    file: ".config/opencode/opencode.json",
    before: '{\n  // mine\n  "autoupdate": false,\n  "share": "disabled",\n}\n',
    provider: "anthropic",
    endpoint: /^\/v1\/messages$/,
    command: [
      join(npm, `opencode-${platform}/bin/opencode`),
      "run",
      "-m",
      "anthropic/claude-sonnet-4-5",
      TASK,
    ],
    quiet: { OPENCODE_DISABLE_MODELS_FETCH: "1", OPENCODE_DISABLE_LSP_DOWNLOAD: "1" },
  },
  {
    tool: "aider",
    release: "aider-chat",
    file: ".aider.conf.yml",
    before: "# mine\ncheck-update: false # kept\nshow-release-notes: false\nanalytics-disable: true\n",
    provider: "openai",
    endpoint: /^\/chat\/completions$/,
    command: [
      join(installed, "aider/bin/aider"),
      ...["--model", "openai/gpt-5.1", "--yes-always", "--no-git", "--message", TASK],
    ],
    quiet: { LITELLM_LOCAL_MODEL_COST_MAP: "True" },
  },
];

const work = new Dialogue();
let gateway: Gateway;

beforeAll(async () => {
  const path = () => join(work.folder, "greeting.txt");
  const says = work.fixtures({
    Write: () => ({ file_path: path(), content: CONTENT }),
    write_file: () => ({ file_path: path(), content: CONTENT }),
    write: () => ({ filePath: path(), content: CONTENT }),
    exec_command: () => ({ cmd: `printf '${CONTENT.trim()}\\n' > greeting.txt` }),
  });
  const mocks = Object.entries(keys).map(
    ([id, key]) => [id, new AiMock({ key, endpoints: [], requestIdHeader: "x-request-id", says })] as const,
  );
  const env: Record<string, string> = {};
  for (const [id, mock] of mocks) {
    await mock.start();
    env[`${id.toUpperCase()}_API_KEY`] = keys[id as keyof typeof keys];
    env[`LMK_${id.toUpperCase()}_UPSTREAM`] = `${mock.url}${id === "openai" ? "/v1" : ""}`;
  }
  atEnd(() => Promise.all(mocks.map(([, mock]) => mock.stop())).then(() => {}));
  gateway = await startGateway({ env });
});
atEnd(() => gateway.end());

describe.each(agents)("$tool", ({ tool, release, file, before, provider, endpoint, command, quiet }) => {
  const [program = "", ...args] = command;
  const lacks =
    !existsSync(program) && process.platform !== "linux" ? " (allowed: not for this platform)" : "";

  test.skipIf(lacks !== "")(
    `set up by lmk configure alone, does its task through the gateway, and is as before after --undo${lacks}`,
    async () => {
      const home = mkdtempSync(join(tmpdir(), "lmk-agent-"));
      const folder = join(home, "task");
      const settings = join(home, file);
      mkdirSync(folder);
      mkdirSync(join(settings, ".."), { recursive: true });
      writeFileSync(settings, before, { mode: 0o640 });
      const { secret } = await gateway.addUser(tool);
      const configure = (...options: string[]) =>
        runLmk(gateway, ["configure", tool, ...options], { HOME: home, LMK_KEY: secret });
      try {
        const configured = await configure("--yes");
        expect(configured.code, configured.err).toBe(0);
        work.folder = folder;
        work.streamed.length = 0;
        const child = Bun.spawn(program.endsWith(".js") ? ["node", program, ...args] : [program, ...args], {
          cwd: folder,
          env: { PATH: process.env["PATH"] ?? "", HOME: home, TMPDIR: tmpdir(), LANG: "C.UTF-8", ...quiet },
          stdin: "ignore",
          stdout: "pipe",
          stderr: "pipe",
        });
        const [out, err, code] = await Promise.all([
          new Response(child.stdout).text(),
          new Response(child.stderr).text(),
          child.exited,
        ]);
        expect(code, `${out}\n${err}`).toBe(0);
        expect(existsSync(join(folder, "greeting.txt")), `${out}\n${err}`).toBe(true);
        expect(readFileSync(join(folder, "greeting.txt"), "utf8")).toBe(CONTENT);
        expect(work.streamed).toContain(true);

        const rows = await gateway.rowsOf(tool, 1);
        const turns = rows.filter((row) => row.provider === provider && endpoint.test(row.endpoint));
        expect(turns.length).toBeGreaterThan(0);
        for (const turn of turns) {
          expect(turn).toMatchObject({ status: 200, userName: tool, refusal: null, evidence: "reported" });
          expect(BigInt(turn.costNanos ?? 0)).toBeGreaterThan(0n);
        }
        expect(rows.filter((row) => row.refusal !== null)).toEqual([]);
        const from = [join(installed, "npm"), join(installed, "aider")];
        const language = tool === "aider" ? "Python" : "TypeScript";
        const shown = fidelity({ sdk: release, provider, language, from });
        shown("task");

        const undone = await configure("--undo");
        expect(undone.code, undone.err).toBe(0);
        expect(readFileSync(settings, "utf8")).toBe(before);
        shown("undo");
      } finally {
        rmSync(home, { recursive: true, force: true });
      }
    },
    120_000,
  );
});
