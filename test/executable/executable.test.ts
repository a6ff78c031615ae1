/** The built executable, alone in an empty folder, is the whole product. */
import { beforeAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Behind, behindGateway } from "../support/behind-gateway.ts";
import { atEnd } from "../support/cleanup.ts";
import { root, StartFailure, startGateway } from "../support/gateway.ts";
import { chunk, type HeaderList, headBytes, LAST_CHUNK } from "../support/http1.ts";
import { rawClient } from "../support/raw-client.ts";
import { write } from "../support/recording-upstream.ts";

const STREAMS = 600;

/** A folder with nothing but the executable in it. */
let folder: string;
let executable: string;

beforeAll(() => {
  const built = spawnSync("npm", ["run", "--silent", "build"], { cwd: root, encoding: "utf8" });
  if (built.status !== 0) throw new Error(`npm run build failed:\n${built.stdout}${built.stderr}`);
  folder = mkdtempSync(join(tmpdir(), "lmk-executable-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  executable = join(folder, "lmk");
  copyFileSync(join(root, "dist/lmk"), executable);
  chmodSync(executable, 0o755);
}, 120_000);

/** What a start prints, without what differs from one to the next. */
function table({ gateway }: Behind): string {
  return gateway
    .stdout()
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replace(/#link=\w+/, "#link=SECRET")
    .replaceAll(gateway.cwd, "FOLDER");
}

/** The client that it serves, without where it came from. */
async function clientOf({ gateway }: Behind): Promise<string> {
  const bytes = await (await fetch(`${gateway.url}/lmk/cli.tgz`)).bytes();
  return Buffer.from(Bun.gunzipSync(bytes)).toString("latin1").replace(gateway.url, "");
}

describe("dist/lmk", () => {
  test("says its version and how it is used, without a data directory", () => {
    const run = (...args: string[]) =>
      spawnSync(executable, args, { cwd: folder, encoding: "utf8", env: {} });
    const version = run("--version");
    expect([version.status, version.stdout]).toEqual([0, expect.stringMatching(/\d+\.\d+\.\d+/)]);
    expect(run("--help").stdout).toContain("serve");
    expect(readdirSync(folder)).toEqual(["lmk"]);
  });

  test("starts in an empty folder and prints the same as the source does", async () => {
    const built = await behindGateway({ executable, cwd: folder });
    const source = await behindGateway();
    expect(table(built)).toBe(table(source));
    expect(built.gateway.stderr()).toBe(source.gateway.stderr());
    expect(await clientOf(built)).toBe(await clientOf(source));
    expect(readdirSync(folder).sort()).toEqual(["lmk", "llamakey-data", "llamakey_local.env"].sort());
    expect(await built.gateway.stop()).toBe(0);
    expect(await source.gateway.stop()).toBe(0);
  });

  test("serves the claim page's script whole: minified, it still needs nothing but itself", async () => {
    const { gateway } = await behindGateway({ executable, cwd: folder });
    const script = await (await fetch(`${gateway.url}/claim/claim.js`)).text();
    const about = { textContent: "", className: "" };
    const element = { ...about, addEventListener() {} };
    const document = {
      getElementById: (id: string) => (id === "about" ? about : element),
      addEventListener() {},
      querySelectorAll: () => [],
    };
    new Function("document", "location", script)(document, { hash: "" });
    expect(about.textContent).toStartWith("This link is not whole.");
    expect(await gateway.stop()).toBe(0);
  });

  test(`serves ${STREAMS} streams at once and stops cleanly when they are over`, async () => {
    const behind = await behindGateway({ executable, cwd: folder });
    const events: HeaderList = [
      ["Content-Type", "text/event-stream"],
      ["Transfer-Encoding", "chunked"],
    ];
    let running = 0;
    let most = 0;
    const { promise: go, resolve: start } = Promise.withResolvers<void>();
    behind.upstream.answer = async (_, socket) => {
      most = Math.max(most, ++running);
      socket.write(headBytes("HTTP/1.1 200 OK", events));
      await write(socket, chunk("data: 1\n\n"));
      if (most === STREAMS) start();
      await go;
      await write(socket, Buffer.concat([chunk("data: 2\n\n"), LAST_CHUNK]));
      running--;
    };
    const clients = await Promise.all(Array.from({ length: STREAMS }, () => rawClient(behind.gateway.port)));
    for (const client of clients) {
      client.request({
        method: "POST",
        target: "/openai/v1/chat/completions",
        headers: [...behind.auth, ["Content-Type", "application/json"]],
        body: '{"model":"gpt-5","stream":true}',
      });
    }
    const stopped = go.then(() => behind.gateway.stop());
    const answers = await Promise.all(clients.map((client) => client.response()));
    expect(most).toBe(STREAMS);
    for (const answer of answers) {
      expect([answer?.status, answer?.complete, answer?.body.toString()]).toEqual([
        200,
        true,
        "data: 1\n\ndata: 2\n\n",
      ]);
    }
    expect(await stopped).toBe(0);
    await behind.gateway.start();
    const rows = (await behind.gateway.requests(1000)).filter(({ ending }) => ending === "complete");
    expect(rows).toHaveLength(STREAMS);
    expect(await behind.gateway.stop()).toBe(0);
  }, 60_000);

  test("runs the demo", async () => {
    const gateway = await startGateway({ executable, verb: "demo", dataDir: "llamakey-demo" });
    const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
      method: "POST",
      headers: { ...gateway.bearer, "content-type": "application/json" },
      body: '{"model":"gpt-4o-mini","messages":[]}',
    });
    expect(await response.json()).toMatchObject({ simulated: true });
    expect(await gateway.stop()).toBe(0);
    await gateway.end();
  });

  test("ends with code 1 and one line where it cannot start", async () => {
    const gateway = await startGateway({ executable, env: { LMK_LISTEN: "nowhere" } }).catch(
      (error: unknown) => error,
    );
    if (!(gateway instanceof StartFailure)) throw new Error("It started.");
    expect(gateway.exitCode).toBe(1);
    expect(gateway.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(gateway.stderr).toStartWith("lmk: LMK_LISTEN");
  });

  test("reads nothing but its own .env of the folder that it is started in", async () => {
    const cwd = mkdtempSync(join(tmpdir(), "lmk-executable-"));
    atEnd(() => rmSync(cwd, { recursive: true, force: true }));
    await Bun.write(join(cwd, ".env.local"), "OPENAI_API_KEY=sk-proj-LOCALFAKEKEY012abcdefghijlocl\n");
    await Bun.write(join(cwd, "bunfig.toml"), 'preload = ["./evil.ts"]\n');
    await Bun.write(join(cwd, "evil.ts"), 'console.log("EVIL");\n');
    const gateway = await startGateway({ executable, cwd });
    expect(gateway.stdout()).not.toContain("EVIL");
    expect(gateway.stdout()).not.toContain("locl");
    expect(await gateway.stop()).toBe(0);
  });
});
