/** A provider that is down, slow or hostile: each call ends with a clear refusal or a cut, a row, and no growth of memory. */
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Behind, behindGateway, memoryGrowth } from "../support/behind-gateway.ts";
import { chunk, headBytes, header, LAST_CHUNK } from "../support/http1.ts";
import { poll } from "../support/poll.ts";
import { type RawResponse, rawClient } from "../support/raw-client.ts";
import { type Answer, recordingUpstream, reply, write } from "../support/recording-upstream.ts";

const MIB = 1024 * 1024;

let behind: Behind;
/** A port that nothing listens on: one that the system gives to nobody who asks for any. */
const closed = 1019;
/** Whom no server of names is asked about, be it there or not: no name is as long. */
const nobody = `${"n".repeat(64)}.invalid`;

beforeAll(async () => {
  const plain = await recordingUpstream();
  plain.server.on("connection", (socket) =>
    socket.on("data", () => socket.end("HTTP/1.1 400 No TLS\r\n\r\n")),
  );
  behind = await behindGateway({
    env: {
      LMK_OPENAI_TIMEOUTS: "connect=3s,first-byte=3s,idle=10s,total=30s",
      LMK_SERVER_DOWN: `http://127.0.0.1:${closed}/v1`,
      LMK_SERVER_NOWHERE: `http://${nobody}/v1`,
      LMK_SERVER_SECURE: `https://127.0.0.1:${plain.port}/v1`,
    },
  });
});
afterEach(() => {
  behind.upstream.answer = reply({ body: "{}" });
});

async function refusal(response: RawResponse): Promise<[number, string | undefined]> {
  const id = header(response, "x-llamakey-request-id");
  const row = await behind.gateway.requestRow(id);
  expect([row.status, row.refusal]).toEqual([
    response.status,
    header(response, "x-llamakey-refusal") ?? null,
  ]);
  return [response.status, header(response, "x-llamakey-refusal")];
}

function growth(work: () => Promise<void>): Promise<number> {
  return memoryGrowth(behind.gateway.pid, work);
}

describe("a provider that is down", () => {
  for (const [name, why] of [
    ["down", "refuses connections"],
    ["nowhere", "has no address"],
    ["secure", "speaks no TLS"],
  ] as const) {
    test(`because it ${why}: 502 upstream_unreachable, which shows no address`, async () => {
      const startedAt = performance.now();
      const response = await behind.ask({
        method: "POST",
        target: `/${name}/chat/completions`,
        body: '{"model":"m"}',
      });
      expect(await refusal(response)).toEqual([502, "upstream_unreachable"]);
      expect(response.body.toString()).not.toContain(String(closed));
      expect(response.body.toString()).not.toContain("127.0.0.1");
      expect(performance.now() - startedAt).toBeLessThan(8000);
    });
  }

  test("in the middle of being asked: 502, and it is not asked a second time", async () => {
    behind.upstream.clear();
    for (const end of ["end", "resetAndDestroy"] as const) {
      behind.upstream.answer = (_, socket) => void socket[end]();
      for (const method of ["GET", "POST"]) {
        behind.upstream.clear();
        const response = await behind.ask({
          method,
          target: "/openai/v1/x",
          ...(method === "POST" ? { body: "{}" } : {}),
        });
        expect(await refusal(response)).toEqual([502, "upstream_unreachable"]);
        expect(behind.upstream.requests).toHaveLength(1);
      }
    }
  });

  test("behind a kept connection that it closed meanwhile does not fail the next call", async () => {
    behind.upstream.answer = reply({ body: "{}" });
    expect((await behind.ask({ target: "/openai/v1/x" })).status).toBe(200);
    for (const socket of behind.upstream.open) socket.end();
    await poll("the gateway's own end of it", () => (behind.upstream.open.size === 0 ? true : undefined));
    expect((await behind.ask({ method: "POST", target: "/openai/v1/x", body: "{}" })).status).toBe(200);
  });
});

describe("a provider that answers what is no HTTP", () => {
  const answers: Record<string, string | Buffer> = {
    "bytes of no meaning": Buffer.alloc(1000, 0xff),
    "a line of text": "garbage\r\n\r\n",
    "a page without a head": "<html><body>It works!</body></html>",
    "another protocol": "SSH-2.0-OpenSSH_9.6\r\n",
    "a status that is no number": "HTTP/1.1 abc OK\r\n\r\n",
    "a version that does not exist": "HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\nab",
    "a length that is no number": "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nabc",
    "a negative length": "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nabc",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "a header without a name": "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
    "a switch of protocols that nobody asked for":
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    nothing: "",
  };
  for (const [what, bytes] of Object.entries(answers)) {
    test(`but ${what}: 502 or 504 within its limits`, async () => {
      behind.upstream.answer = (_, socket) => {
        if (bytes !== "") socket.write(bytes);
      };
      const response = await behind.ask({ target: "/openai/v1/x" });
      expect(await refusal(response)).toBeOneOf([
        [502, "upstream_unreachable"],
        [504, "upstream_timeout"],
      ]);
    });
  }

  test("and then another call: the next answer is its own", async () => {
    // What is left over of one answer must not be taken for the next one.
    behind.upstream.answer = (_, socket) => {
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
      );
    };
    for (let i = 0; i < 5; i++) {
      const response = await behind.ask({ target: "/openai/v1/x" });
      expect(response.body.toString()).toBe("ok");
      await Bun.sleep(5);
    }
  });
});

describe("a provider that wants to fill the memory", () => {
  const endless: Record<string, Answer> = {
    "with headers without end": async (_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\n");
      const lines = Buffer.from(`X-Header: ${"v".repeat(1000)}\r\n`.repeat(100));
      for (let i = 0; i < 2000; i++) if (!(await write(socket, lines))) return;
    },
    "with one header without end": async (_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nX: ");
      const piece = Buffer.alloc(100_000, "v");
      for (let i = 0; i < 2000; i++) if (!(await write(socket, piece))) return;
    },
    "with answers of status 100 without end": async (_, socket) => {
      const piece = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n".repeat(4000));
      for (let i = 0; i < 1000; i++) if (!(await write(socket, piece))) return;
    },
  };
  for (const [how, answer] of Object.entries(endless)) {
    test(`${how} is cut`, async () => {
      behind.upstream.answer = answer;
      const grown = await growth(async () => {
        const response = await behind.ask({ target: "/openai/v1/x" });
        expect((await refusal(response))[0]).toBeOneOf([502, 504]);
      });
      expect(grown).toBeLessThan(64 * MIB);
    });
  }

  test("with chunk extensions without end is cut or passed by", async () => {
    behind.upstream.answer = async (_, socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;");
      const piece = Buffer.alloc(100_000, "x");
      for (let i = 0; i < 2000; i++) if (!(await write(socket, piece))) return;
    };
    const grown = await growth(async () => {
      const client = await rawClient(behind.gateway.port);
      client.request({ target: "/openai/v1/x", headers: behind.auth });
      expect((await client.response())?.complete ?? false).toBe(false);
      client.close();
    });
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("with a gzip bomb: its bytes are passed on as they are, never inflated", async () => {
    const bomb = gzipSync(Buffer.alloc(256 * MIB), { level: 9 });
    for (const type of ["application/json", "text/event-stream"]) {
      behind.upstream.answer = reply({
        headers: [
          ["Content-Type", type],
          ["Content-Encoding", "gzip"],
        ],
        body: bomb,
      });
      const grown = await growth(async () => {
        const response = await behind.ask({ target: "/openai/v1/x" });
        expect(response.body.equals(bomb)).toBe(true);
      });
      expect(grown).toBeLessThan(32 * MIB);
    }
    expect(gunzipSync(bomb).length).toBe(256 * MIB);
  });

  test("with a stream of events that never has a newline: it is passed on, not gathered", async () => {
    // Of what passes, the collector lets some tens of megabytes lie.
    const total = 256 * MIB;
    behind.upstream.answer = async (_, socket) => {
      socket.write(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
      );
      const piece = chunk(Buffer.alloc(64 * 1024, "d"));
      for (let i = 0; i < total / (64 * 1024); i++) if (!(await write(socket, piece))) return;
      socket.write(LAST_CHUNK);
    };
    const grown = await growth(async () => {
      const response = await behind.ask({ target: "/openai/v1/x" });
      expect([response.complete, response.body.length]).toEqual([true, total]);
    });
    expect(grown).toBeLessThan(128 * MIB);
  });

  test("with links to rewrite in an answer without end is cut", async () => {
    behind.upstream.answer = async (_, socket) => {
      socket.write(
        headBytes("HTTP/1.1 200 OK", [
          ["Content-Type", "application/json"],
          ["Transfer-Encoding", "chunked"],
        ]),
      );
      const piece = chunk(Buffer.alloc(MIB, "x"));
      for (let i = 0; i < 400; i++) if (!(await write(socket, piece))) return;
      socket.write(LAST_CHUNK);
    };
    const grown = await growth(async () => {
      const response = await behind.ask({ target: "/anthropic/v1/messages/batches" });
      expect((await refusal(response))[0]).toBe(502);
    });
    expect(grown).toBeLessThan(300 * MIB);
  });
});

test("after all of this the gateway holds no connection and no request", async () => {
  behind.upstream.answer = reply({ body: "{}" });
  expect((await behind.ask({ target: "/openai/v1/x" })).status).toBe(200);
  const startedAt = performance.now();
  expect(await behind.gateway.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(8000);
  expect(behind.gateway.stderr()).not.toContain("had not ended");
});
