/** The recorder itself: whatever it is for is planted here, and found. */
import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { atEnd } from "../support/cleanup.ts";
import { root } from "../support/gateway.ts";
import { type HeaderList, headBytes } from "../support/http1.ts";
import { poll } from "../support/poll.ts";
import { type Note, note, recorded } from "../support/record.ts";
import { judge, strays } from "./check.ts";

const MASTER = "lmk_FAKEkey000_EXAMPLEexampleEXAMPLEexample0123_FAKE00";
const OPENAI = "sk-test-fake-planted-0123456789";
const GROQ = "gsk_test_fake_planted_0123456789";
const OPERATOR = "operator-token-example-0123456789";
const TOKEN = "ya29.fake-token-of-vertex-0123456789";

const folder = mkdtempSync(join(tmpdir(), "lmk-egress-"));
atEnd(() => rmSync(folder, { recursive: true, force: true }));
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("ok") });
atEnd(() => server.stop(true));

/** What is found in a record in which OpenAI and Groq have an address each, and OpenAI's was sent these bytes. */
async function findings(...requests: Buffer[]): Promise<readonly string[]> {
  const file = join(folder, `${crypto.randomUUID()}.jsonl`);
  const { origin, port, stop } = await recorded(server.port ?? 0, 0, file);
  note({ what: "address", owner: "openai", origin, path: "/v1" }, file);
  for (const [owner, text] of [
    ["openai", OPENAI],
    ["groq", GROQ],
    ["vertex", TOKEN],
    ["gateway", MASTER],
    ["gateway", OPERATOR],
  ] as const) {
    note({ what: "secret", owner, text }, file);
  }
  const socket = connect(port, "127.0.0.1");
  let answers = "";
  socket.on("data", (piece) => {
    answers += piece.toString("latin1");
  });
  for (const [n, request] of requests.entries()) {
    socket.write(request);
    await poll(`answer ${n + 1}`, () => (answers.split("HTTP/1.1 200").length > n + 1 ? true : undefined));
  }
  socket.destroy();
  await stop();
  return judge(read(file)).findings;
}

function read(file: string): Note[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Note);
}

interface Sent {
  target?: string;
  headers?: HeaderList;
  body?: string | Uint8Array;
}

/** A request with OpenAI's own key where it belongs. */
function request({ target = "/v1/models", headers = [], body = "" }: Sent = {}): Buffer {
  const bytes = Buffer.from(body as string);
  const all: HeaderList = [
    ["Host", "stand-in"],
    ["Authorization", `Bearer ${OPENAI}`],
    ["Content-Length", String(bytes.length)],
    ...headers,
  ];
  return Buffer.concat([headBytes(`POST ${target} HTTP/1.1`, all), bytes]);
}

test("a provider's own credential in its own place is all that is right", async () => {
  expect(await findings(request(), request({ body: '{"model":"m"}' }))).toEqual([]);
});

/** What somebody who knows them would read these secrets in. */
const spellings: Readonly<Record<string, (secret: string) => string | Uint8Array>> = {
  "as it is": (secret) => `{"prompt":"${secret}"}`,
  "in base64": (secret) => btoa(secret),
  "in base64, a byte further": (secret) => btoa(`x${secret}`),
  "in base64, two bytes further": (secret) => btoa(`{"x":"xy${secret}z"}`),
  "in base64, behind text": (secret) => `key=${btoa(secret)}`,
  "in base64 of base64": (secret) => btoa(btoa(secret)),
  "in base64 in lines": (secret) => btoa(`some text in front of it ${secret}`).replace(/.{16}/g, "$&\r\n"),
  "in base64 for URLs": (secret) => Buffer.from(`~~~???${secret}`).toString("base64url"),
  "percent-encoded": (secret) => [...secret].map(percent).join(""),
  "percent-encoded twice": (secret) => [...secret].map(percent).join("").replaceAll("%", "%25"),
  "in hexadecimals": (secret) => Buffer.from(secret).toString("hex"),
  "in JSON's escapes": (secret) => `{"x":"${[...secret].map((c) => `\\u00${hex(c)}`).join("")}"}`,
  "in HTML's escapes": (secret) => [...secret].map((c) => `&#x${hex(c)};`).join(""),
  backwards: (secret) => [...secret].reverse().join(""),
  "compressed, in base64": (secret) => gzipSync(`{"key":"${secret}"}`).toString("base64"),
};
const hex = (c: string) => c.charCodeAt(0).toString(16).padStart(2, "0");
const percent = (c: string) => `%${hex(c)}`;

for (const [name, spell] of Object.entries(spellings)) {
  test(`a secret in a body ${name} is found`, async () => {
    for (const [secret, whose] of [
      [MASTER, "a key of the gateway"],
      [MASTER.slice(15, 47), "a key of the gateway"],
      [MASTER.slice(15, 35), "a key of the gateway"],
      [OPERATOR, "a key of the gateway"],
      [GROQ, "the credential for groq"],
      [TOKEN, "the credential for vertex"],
      [OPENAI, "the credential for openai"],
    ] as const) {
      const found = await findings(request({ body: spell(secret) }));
      expect(found).toContainEqual(expect.stringContaining(`${whose} in its body`));
    }
  });
}

test("a secret in a compressed body is found, be it sent in chunks", async () => {
  for (const [encoding, compress] of [
    ["gzip", gzipSync],
    ["deflate", deflateSync],
    ["br", brotliCompressSync],
    ["zstd", Bun.zstdCompressSync],
  ] as const) {
    const body = Buffer.from(compress(`{"prompt":"${MASTER}"}`));
    const plain = request({ headers: [["Content-Encoding", encoding]], body });
    expect(await findings(plain)).toContainEqual(expect.stringContaining("a key of the gateway in its body"));
    const head = `POST /v1/x HTTP/1.1\r\nHost: h\r\nContent-Encoding: ${encoding}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunks = [body.subarray(0, 9), body.subarray(9)].flatMap((piece) => [
      Buffer.from(`${piece.length.toString(16)}\r\n`),
      piece,
      Buffer.from("\r\n"),
    ]);
    const chunked = Buffer.concat([Buffer.from(head), ...chunks, Buffer.from("0\r\n\r\n")]);
    const found = await findings(chunked, request({ target: "/v1/second", headers: [["X-Mine", GROQ]] }));
    expect(found).toContainEqual(expect.stringContaining("a key of the gateway in its body"));
    expect(found).toContainEqual(expect.stringContaining("the credential for groq in its head"));
  }
});

test("a credential in any place but its own is found, and one that is nobody's", async () => {
  const cases: readonly (readonly [Sent, string])[] = [
    [{ headers: [["X-Api-Key", "sk-of-nobody"]] }, "not its own in x-api-key"],
    [{ headers: [["Cookie", "session=1"]] }, "not its own in cookie"],
    [{ headers: [["Authorization", `Bearer ${OPENAI}`]] }, "not its own in authorization"],
    [{ headers: [["Authorization", `Basic ${btoa(`x:${MASTER}`)}`]] }, "a key of the gateway in its head"],
    [{ headers: [["X-Goog-Api-Key", OPENAI]] }, "the credential for openai in its head"],
    [{ headers: [["User-Agent", `sdk ${GROQ}`]] }, "the credential for groq in its head"],
    [{ target: `/v1/${MASTER}/models` }, "a key of the gateway in its head"],
    [{ target: `/v1/models?key=${encodeURIComponent(OPENAI)}` }, "the credential for openai in its head"],
    [{ headers: [["X-Alias", `hf_${MASTER.slice(0, 20)}`]] }, "what the gateway gave out in its head"],
    [{ headers: [["X-Token", "lmkt.FAKE.EXAMPLE"]] }, "what the gateway gave out in its head"],
    [{ target: "/v1/x?lmk_capability=FAKE" }, "what the gateway gave out in its head"],
    [{ target: "/v2/models" }, "which is no provider's"],
  ];
  for (const [sent, finding] of cases) {
    expect(await findings(request(sent))).toContainEqual(expect.stringContaining(finding));
  }
});

test("a request that was cut off is looked at as far as it came", async () => {
  const whole = request({ headers: [["X-Leak", MASTER]], body: "x".repeat(100) });
  const file = join(folder, "cut.jsonl");
  const { origin, port, stop } = await recorded(server.port ?? 0, 0, file);
  note({ what: "address", owner: "openai", origin, path: "" }, file);
  connect(port, "127.0.0.1").write(whole.subarray(0, whole.length - 50));
  await poll("recorded bytes", () => (readFileSync(file, "utf8").includes('"bytes"') ? true : undefined));
  await stop();
  expect(judge(read(file)).findings).toContainEqual(expect.stringContaining("what the gateway gave out"));
});

const sealing = process.env["EGRESS_SEAL"];
const seal = sealing?.split(" ") ?? [];
/** Why nothing can be sealed here. */
const unsealed = sealing === undefined ? (process.env["EGRESS_UNSEALED"] ?? "it takes npm test") : undefined;

test.skipIf(unsealed !== undefined)(
  `a process that sends to another host or asks for its name is found out${unsealed === undefined ? "" : ` (${unsealed})`}`,
  () => {
    const file = join(folder, "network.jsonl");
    const [command = "", ...args] = [...seal, file, process.execPath, "--no-env-file", "-e"];
    const send = `
      const failed = async (url, init) => fetch(url, init).then(() => console.log("answered"), () => {});
      await failed("http://api.openai.example/v1/models");
      await failed("http://203.0.113.7:8443/v1/models");
      await failed("http://[2001:db8::7]/");
      const here = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("here") });
      console.log(await (await fetch(here.url)).text());
      here.stop();`;
    const ran = spawnSync(command, [...args, send], { cwd: root, encoding: "utf8", timeout: 30_000 });
    expect([ran.stdout, ran.status]).toEqual(["here\n", 0]);
    const found = strays(read(file));
    expect(found).toContain("tcp to 203.0.113.7:8443");
    expect(found).toContain("tcp to 2001:db8::7:80");
    expect(found).toContainEqual(expect.stringContaining(":53, for api.openai.example"));
    expect(found.filter((one) => one.includes("127.0.0.1") && !one.includes(":53"))).toEqual([]);
  },
);

test.skipIf(unsealed !== undefined)(
  `a gateway whose provider was not replaced by a stand-in is found out${unsealed === undefined ? "" : ` (${unsealed})`}`,
  () => {
    const file = join(folder, "gateway.jsonl");
    const call = `
      const { startGateway } = await import("./test/support/gateway.ts");
      const gateway = await startGateway({ env: { OPENAI_API_KEY: "${OPENAI}" } });
      const { status } = await fetch(gateway.url + "/openai/v1/models", { headers: gateway.bearer });
      console.log(status);
      await gateway.end();
      process.exit(0);`;
    const [command = "", ...args] = [...seal, file, process.execPath, "--no-env-file", "-e", call];
    const ran = spawnSync(command, args, { cwd: root, encoding: "utf8", timeout: 30_000 });
    expect([ran.stdout, ran.status]).toEqual(["502\n", 0]);
    expect(strays(read(file))).toContainEqual(expect.stringContaining(", for api.openai.com"));
  },
);
