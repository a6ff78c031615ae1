/** `lmk configure`: what tools keep on a user's machine is changed, shown, and brought back to the byte. */
import { beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse as parseJsonc } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import { agents } from "../../src/client/agents/catalogue.ts";
import { atEnd } from "../support/cleanup.ts";
import { type Gateway, type NewUser, root, startGateway } from "../support/gateway.ts";
import { runHere } from "../support/lmk.ts";

let gateway: Gateway;
let user: NewUser;

beforeAll(async () => {
  gateway = await startGateway({
    env: {
      OPENAI_API_KEY: "sk-test-fake-0123456789abcdefghijklmnopqrstuv",
      ANTHROPIC_API_KEY: "sk-ant-test-fake-0123456789abcdefghijklmnopqrstuv",
      GEMINI_API_KEY: "AIzaTestFake0123456789abcdefghijklmnopqrs",
    },
  });
  user = await gateway.addUser("ann");
});
atEnd(() => gateway.end());

const folders: string[] = [];
atEnd(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A machine of one user, and `lmk configure` there. */
function machine(key = user.secret) {
  const home = mkdtempSync(join(tmpdir(), "lmk-home-"));
  folders.push(home);
  // Some tools keep their settings where they run.
  const folder = join(home, "librechat");
  mkdirSync(folder);
  const run = async (...args: string[]) => {
    const env = { HOME: home, LMK_KEY: key, XDG_CONFIG_HOME: join(home, "config") };
    const ended = await runHere(gateway, ["configure", ...args], env, folder);
    expect(ended.out + ended.err).not.toContain(user.secret);
    return ended;
  };
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
    chmodSync(join(home, path), mode);
  };
  const read = (path: string) => readFileSync(join(home, path), "utf8");
  return { home, run, write, read };
}

/** Runs a command in a terminal, types the first argument when it is asked, and prints all that was shown. */
const TERMINAL = `import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
text = b""
while True:
    try:
        piece = os.read(fd, 4096)
    except OSError:
        break
    if not piece:
        break
    if b"[y/N]" in piece + text[-10:] and b"[y/N]" not in text:
        os.write(fd, sys.argv[1].encode() + b"\\n")
    text += piece
os.waitpid(pid, 0)
sys.stdout.buffer.write(text)
`;

/** Every file and folder with its permissions and its bytes. */
function snapshot(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const stat = statSync(join(folder, name));
      const content = stat.isFile() ? readFileSync(join(folder, name), "base64") : "";
      return `${name} ${(stat.mode & 0o777).toString(8)} ${content}`;
    });
}

/** What each tool is to find in which file: the value at a path of it. */
const found: Record<string, [file: string, value: (text: string) => unknown, expected: () => unknown][]> = {
  "claude-code": [
    [
      ".claude/settings.json",
      (text) => parseJsonc(text).env,
      () => ({ ANTHROPIC_BASE_URL: `${gateway.url}/anthropic`, ANTHROPIC_AUTH_TOKEN: user.secret }),
    ],
  ],
  codex: [
    [
      ".codex/config.toml",
      (text) => parseToml(text),
      () => ({
        model_provider: "llamakey",
        model_providers: {
          llamakey: {
            name: "LlaMaKey",
            base_url: `${gateway.url}/openai/v1`,
            wire_api: "responses",
            experimental_bearer_token: user.secret,
          },
        },
      }),
    ],
  ],
  "gemini-cli": [
    [
      ".gemini/settings.json",
      (text) => parseJsonc(text),
      () => ({ security: { auth: { selectedType: "gemini-api-key" } } }),
    ],
    [
      ".gemini/.env",
      (text) => text,
      () => `GEMINI_API_KEY=${user.secret}\nGOOGLE_GEMINI_BASE_URL=${gateway.url}/gemini\n`,
    ],
  ],
  opencode: [
    [
      "config/opencode/opencode.json",
      (text) => parseJsonc(text).provider.anthropic.options,
      () => ({ baseURL: `${gateway.url}/anthropic/v1`, apiKey: user.secret }),
    ],
  ],
  aider: [
    [
      ".aider.conf.yml",
      (text) => parseYaml(text),
      () => ({
        "openai-api-base": `${gateway.url}/openai/v1`,
        "openai-api-key": user.secret,
        "anthropic-api-key": user.secret,
        "set-env": [`ANTHROPIC_API_BASE=${gateway.url}/anthropic`],
      }),
    ],
  ],
  continue: [
    [
      ".continue/config.yaml",
      (text) => parseYaml(text).models.map((one: Record<string, string>) => [one["apiBase"], one["apiKey"]]),
      () => [
        [`${gateway.url}/anthropic/v1/`, user.secret],
        [`${gateway.url}/openai/v1/`, user.secret],
      ],
    ],
  ],
  zed: [
    [
      "config/zed/settings.json",
      (text) => parseJsonc(text).language_models.openai,
      () => ({ api_url: `${gateway.url}/openai/v1` }),
    ],
  ],
  librechat: [
    [
      "librechat/librechat.yaml",
      (text) => parseYaml(text).endpoints.custom[0].baseURL,
      () => `${gateway.url}/openai/v1`,
    ],
    ["librechat/.env", (text) => text, () => `LMK_KEY=${user.secret}\n`],
  ],
};

describe.each(Object.keys(found))("lmk configure %s", (tool) => {
  const files = found[tool] ?? [];

  test("makes the files that the tool reads, for their owner alone where the key is in, and removes them again", async () => {
    const { home, run, read } = machine();
    const before = snapshot(home);
    const done = await run(tool, "--yes");
    expect([done.code, done.out]).toEqual([0, expect.stringContaining("(new)")]);
    for (const [file, value, expected] of files) {
      expect(value(read(file))).toEqual(expected());
      if (read(file).includes(user.secret)) expect(statSync(join(home, file)).mode & 0o777).toBe(0o600);
    }
    const once = snapshot(home);
    const again = await run(tool, "--yes");
    expect([again.code, again.err]).toEqual([0, expect.stringContaining("set up already")]);
    expect(snapshot(home)).toEqual(once);
    expect((await run(tool, "--undo")).code).toBe(0);
    expect(snapshot(home).filter((one) => !/^\.local(\/state)? /.test(one))).toEqual(before);
  });
});

describe("lmk configure", () => {
  const settings =
    '// mine\n{\n  "model": "opus", // kept\n  "env": {\n    "ANTHROPIC_AUTH_TOKEN": "sk-ant-another-0123456789ABCdef",\n    "FOO": "1",\n  },\n}\n';

  test("shows the change, keeps what else the file says, and brings it back to the byte", async () => {
    const { home, run, write, read } = machine();
    write(".claude/settings.json", settings, 0o640);
    const before = snapshot(join(home, ".claude"));
    const { code, out, err } = await run("claude-code", "--yes");
    expect(code).toBe(0);
    expect(out).toContain(`+    "ANTHROPIC_BASE_URL": "${gateway.url}/anthropic",\n`);
    expect(out).toContain("lmk_");
    expect(out).not.toContain("0123456789ABCdef");
    expect(err).toContain("--undo");
    expect(read(".claude/settings.json")).toBe(
      settings
        .replace("sk-ant-another-0123456789ABCdef", user.secret)
        .replace('"env": {\n', `"env": {\n    "ANTHROPIC_BASE_URL": "${gateway.url}/anthropic",\n`),
    );
    expect((await run("claude-code", "--undo")).code).toBe(0);
    expect(snapshot(join(home, ".claude"))).toEqual(before);
    const none = await run("claude-code", "--undo");
    expect([none.code, none.err]).toEqual([1, expect.stringContaining("nothing here that could be undone")]);
  });

  test("a second run with another key changes the key, and undo still knows the first state", async () => {
    const { home, run, write, read } = machine();
    write(".claude/settings.json", settings, 0o600);
    await run("claude-code", "--yes");
    const other = await gateway.addKey("ann");
    const { code, out } = await run("claude-code", "--yes", "--key", other.secret);
    expect([code, out.includes(other.secret)]).toEqual([0, false]);
    expect(read(".claude/settings.json")).toContain(other.secret);
    expect(read(".claude/settings.json")).not.toContain(user.secret);
    await run("claude-code", "--undo");
    expect(read(".claude/settings.json")).toBe(settings);
    expect(existsSync(join(home, ".local/state/llamakey"))).toBe(false);
  });

  test("--dry-run, and a question that nobody answers, change nothing", async () => {
    const { home, run, write } = machine();
    write(".claude/settings.json", settings);
    const before = snapshot(home);
    const dry = await run("claude-code", "--dry-run");
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining("ANTHROPIC_BASE_URL")]);
    const asked = await run("claude-code");
    expect([asked.code, asked.err]).toEqual([1, expect.stringContaining("say --yes")]);
    expect(snapshot(home)).toEqual(before);
  });

  test("in a terminal it asks: yes changes, anything else changes nothing", () => {
    const { home, write, read } = machine();
    write(".claude/settings.json", settings);
    const program = [
      process.execPath,
      "--no-env-file",
      `--config=${root}/bunfig.toml`,
      `${root}/src/main.ts`,
    ];
    const asked = (answer: string) => {
      const terminal = ["python3", "-c", TERMINAL, answer, ...program, "configure", "claude-code"];
      const ended = Bun.spawnSync(terminal, {
        env: { PATH: process.env["PATH"] ?? "", HOME: home, LMK_URL: gateway.url, LMK_KEY: user.secret },
      });
      expect(ended.stderr.toString()).toBe("");
      return ended.stdout.toString();
    };
    expect(asked("n")).toContain("[y/N]");
    expect(asked("")).toContain("[y/N]");
    expect(read(".claude/settings.json")).toBe(settings);
    expect(asked("y")).toContain("--undo");
    expect(parseJsonc(read(".claude/settings.json")).env.ANTHROPIC_BASE_URL).toBe(`${gateway.url}/anthropic`);
  });

  test("an edit made by hand since is neither lost by undo nor by another run", async () => {
    const { home, run, write, read } = machine();
    write(".claude/settings.json", settings);
    await run("claude-code", "--yes");
    const edited = read(".claude/settings.json").replace('"1"', '"mine"');
    write(".claude/settings.json", edited);
    const refused = await run("claude-code", "--undo");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("has been edited since")]);
    expect(read(".claude/settings.json")).toBe(edited);
    // Another run takes the edit along, and the backup of the first state still lacks it.
    const other = await gateway.addKey("ann");
    await run("claude-code", "--yes", "--key", other.secret);
    expect(read(".claude/settings.json")).toContain('"mine"');
    expect((await run("claude-code", "--undo")).code).toBe(1);
    const latest = read(".claude/settings.json");
    const forced = await run("claude-code", "--undo", "--force", "--yes");
    expect(forced.code).toBe(0);
    expect(read(".claude/settings.json")).toBe(settings);
    expect(read(".claude/settings.json.edited")).toBe(latest);
    expect(statSync(join(home, ".claude/settings.json.edited")).mode & 0o777).toBe(0o600);
  });

  test("a link stays a link, and the file that it leads to changes", async () => {
    const { home, run, write, read } = machine();
    write("dotfiles/claude.json", settings);
    mkdirSync(join(home, ".claude"));
    symlinkSync("../dotfiles/claude.json", join(home, ".claude/settings.json"));
    expect((await run("claude-code", "--yes")).code).toBe(0);
    expect(readlinkSync(join(home, ".claude/settings.json"))).toBe("../dotfiles/claude.json");
    expect(read("dotfiles/claude.json")).toContain(user.secret);
    await run("claude-code", "--undo");
    expect(read("dotfiles/claude.json")).toBe(settings);
    // One that leads to nothing yet.
    symlinkSync("dotfiles/aider.yml", join(home, ".aider.conf.yml"));
    await run("aider", "--yes");
    expect(read("dotfiles/aider.yml")).toContain(user.secret);
    await run("aider", "--undo");
    expect(readdirSync(join(home, "dotfiles"))).toEqual(["claude.json"]);
  });

  test("a file that cannot be read as what it should be is left alone, and so are all others of the tool", async () => {
    const { home, run, write } = machine();
    write(".gemini/settings.json", '{\n  "broken": \n}\n');
    const before = snapshot(home);
    const { code, err } = await run("gemini-cli", "--yes");
    expect([code, err]).toEqual([1, expect.stringMatching(/settings\.json was left as it is: .*line 3/)]);
    expect(snapshot(home)).toEqual(before);
  });

  test("folders of the tools' own variables count", async () => {
    const { home } = machine();
    for (const [tool, name, file] of [
      ["claude-code", "CLAUDE_CONFIG_DIR", "settings.json"],
      ["codex", "CODEX_HOME", "config.toml"],
      ["gemini-cli", "GEMINI_CLI_HOME", ".gemini/.env"],
      ["opencode", "OPENCODE_CONFIG", ""],
    ] as const) {
      const place = join(home, `of-${tool}`);
      const env = { HOME: home, LMK_KEY: user.secret, [name]: place };
      expect((await runHere(gateway, ["configure", tool, "--yes"], env, home)).code).toBe(0);
      expect(readFileSync(join(place, file), "utf8")).toContain(user.secret);
    }
  });

  test("a tool that speaks to no provider of the key is refused, and one of several is enough", async () => {
    await gateway.api("POST", "/users", { name: "bob" });
    const { secret } = await gateway.addKey("bob");
    await gateway.api("PUT", "/policies/user:bob", { providers: ["openai"] });
    const { home, run } = machine(secret);
    const refused = await run("claude-code", "--yes");
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("not let to")]);
    expect((await run("zed", "--yes")).code).toBe(0);
    const zed = parseJsonc(readFileSync(join(home, "config/zed/settings.json"), "utf8"));
    expect(Object.keys(zed.language_models)).toEqual(["openai"]);
  });

  test.each(["cursor", "cline", "open-webui"])(
    "%s has no file: the steps name address and key",
    async (tool) => {
      const { home, run } = machine();
      const before = snapshot(home);
      const { code, out, err } = await run(tool);
      expect([code, err]).toEqual([0, expect.stringContaining("By hand")]);
      expect(out).toContain(`${gateway.url}/openai/v1`);
      expect(out).toContain(user.secret.slice(-4));
      expect(snapshot(home)).toEqual(before);
    },
  );

  test("every tool is tried here", () => {
    expect(agents.map(({ id }) => id).sort()).toEqual(
      [...Object.keys(found), "cursor", "cline", "open-webui"].sort(),
    );
  });
});
