/** Whatever a client sends: a clear refusal or a cut, a row where a request could be read, and no growth of memory. */
import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { type Behind, behindGateway, memoryGrowth } from "../support/behind-gateway.ts";
import { chunk, type HeaderList, headBytes, header } from "../support/http1.ts";
import { least } from "../support/least.ts";
import { poll } from "../support/poll.ts";
import {
  type RawClient,
  type RawResponse,
  rawClient,
  rawExchange,
  rawRequest,
} from "../support/raw-client.ts";
import { reply, write } from "../support/recording-upstream.ts";

const MIB = 1024 * 1024;
const JSON_TYPE: HeaderList = [["Content-Type", "application/json"]];

let behind: Behind;
/** A client that sends its head one byte every two seconds, from the file's first moment on. */
let trickling: { client: RawClient; startedAt: number; endedAfter: Promise<number> };

beforeAll(async () => {
  behind = await behindGateway();
  const client = await rawClient(behind.gateway.port);
  const startedAt = performance.now();
  const timer = setInterval(() => client.send("x"), 2000);
  client.send("GET /openai/v1/x HTTP/1.1\r\nHost: h\r\nX-Trickle: ");
  trickling = {
    client,
    startedAt,
    endedAfter: client.reader.closed.then(() => {
      clearInterval(timer);
      return performance.now() - startedAt;
    }),
  };
});
beforeEach(() => {
  behind.upstream.clear();
  behind.upstream.answer = reply({ body: "{}" });
});

/** The refusal, which must be in the log. */
async function refusal(response: RawResponse): Promise<[number, string | undefined]> {
  const row = await behind.gateway.requestRow(header(response, "x-llamakey-request-id"));
  expect([row.status, row.refusal]).toEqual([
    response.status,
    header(response, "x-llamakey-refusal") ?? null,
  ]);
  return [response.status, header(response, "x-llamakey-refusal")];
}

function post(body: string | Uint8Array, headers: HeaderList = JSON_TYPE): Promise<RawResponse> {
  return behind.ask({ method: "POST", target: "/openai/v1/chat/completions", headers, body });
}

function growth(work: () => Promise<void>): Promise<number> {
  return memoryGrowth(behind.gateway.pid, work);
}

describe("a request", () => {
  test("to an unknown provider: 404 unknown_provider, which names those that there are", async () => {
    for (const target of [
      "/",
      "/nobody/v1/x",
      "/OpenAI/v1/x",
      "/openai.example/x",
      "/__proto__/x",
      "/constructor/x",
    ]) {
      const response = await behind.ask({ target });
      expect(await refusal(response)).toEqual([404, "unknown_provider"]);
      expect(response.body.toString()).toContain("openai, anthropic");
    }
  });

  test("to a provider without a credential: 403 no_credential, which says how to add one", async () => {
    const { gateway } = behind;
    const without = await behindGateway({ env: { ANTHROPIC_API_KEY: "", OPENAI_API_KEY: "" } });
    for (const provider of ["openai", "anthropic"]) {
      const response = await without.ask({ method: "POST", target: `/${provider}/v1/messages`, body: "{}" });
      expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([403, "no_credential"]);
      expect(response.body.toString()).toContain(`lmk credential add ${provider}`);
    }
    expect(without.upstream.requests).toHaveLength(0);
    expect(gateway.pid).not.toBe(without.gateway.pid);
    await without.gateway.stop();
  });

  test("with JSON that is broken: 400 bad_request, which says what is wrong", async () => {
    for (const body of [
      '{"model":',
      '{"model":"a",}',
      '{"model" "a"}',
      "{model:1}",
      '{"a":[}',
      '{"a":"b',
      "{}x",
      '{"model":"\\ud8"}',
    ]) {
      const response = await post(body);
      expect(await refusal(response)).toEqual([400, "bad_request"]);
    }
    expect(behind.upstream.requests).toHaveLength(0);
  });

  test("nested a million deep: 400 within a second", async () => {
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const deep = `{"a":${open.repeat(1_000_000)}1${close.repeat(1_000_000)}}`;
      const quickest = await least(1000, async () => {
        const startedAt = performance.now();
        const response = await post(deep);
        const took = performance.now() - startedAt;
        expect(await refusal(response)).toEqual([400, "bad_request"]);
        return took;
      });
      expect(quickest).toBeLessThan(1000);
    }
  });

  test("with a string of 10 MB is forwarded as it is, and others do not wait for it", async () => {
    const body = `{"model":"m","input":"${'\\"'.repeat(5 * MIB)}"}`;
    const longest = await least(1000, async () => {
      behind.upstream.clear();
      let slowest = 0;
      let over = false;
      const others = (async () => {
        while (!over) {
          const startedAt = performance.now();
          await rawRequest(behind.gateway.port, { target: "/healthz", headers: [["Host", "h"]] });
          slowest = Math.max(slowest, performance.now() - startedAt);
          await Bun.sleep(5);
        }
      })();
      expect((await post(body)).status).toBe(200);
      over = true;
      await others;
      expect(
        behind.upstream.requests.find(({ target }) => target === "/v1/chat/completions")?.body.length,
      ).toBe(body.length);
      return slowest;
    });
    expect(longest).toBeLessThan(1000);
  });

  test("with a value that is slow to read stalls nobody", async () => {
    const bodies = [
      `{"a":"${"\\".repeat(8 * MIB)}"}`,
      `{"a":${"1".repeat(8 * MIB)}}`,
      `{${" ".repeat(8 * MIB)}}`,
      `{"a":[${'"",'.repeat(2 * MIB)}""]}`,
      `{${'"model":"a",'.repeat(500_000)}"b":1}`,
    ];
    for (const body of bodies) {
      const quickest = await least(1500, async () => {
        const startedAt = performance.now();
        expect((await post(body)).status).toBeOneOf([200, 400]);
        return performance.now() - startedAt;
      });
      expect(quickest).toBeLessThan(1500);
    }
  });

  test("with another content-type than its body has is forwarded as it is, or refused", async () => {
    for (const [type, body] of [
      ["text/plain", '{"model":"m"}'],
      ["application/json", "--x\r\nContent-Disposition: form-data"],
      ["application/json", "\x00\x01\xff"],
      ["application/xml; charset=utf-16", "<a/>"],
      ["nonsense", "{}"],
    ] as const) {
      behind.upstream.clear();
      const response = await post(Buffer.from(body, "latin1"), [["Content-Type", type]]);
      expect(response.status).toBe(200);
      expect(behind.upstream.last.body.toString("latin1")).toBe(body);
      expect(header(behind.upstream.last, "content-type")).toBe(type);
    }
    for (const [type, body] of [
      ["multipart/form-data", "no boundary"],
      ["multipart/form-data; boundary=x", "--y\r\n"],
    ] as const) {
      behind.upstream.clear();
      const response = await post(body, [["Content-Type", type]]);
      expect((await refusal(response))[0]).toBe(400);
      expect(behind.upstream.requests).toHaveLength(0);
    }
  });

  test("with a body that inflates to gigabytes: 413 or 400, in bounded memory", async () => {
    const bomb = gzipSync(Buffer.alloc(512 * MIB), { level: 9 });
    const grown = await growth(async () => {
      const response = await post(bomb, [...JSON_TYPE, ["Content-Encoding", "gzip"]]);
      expect((await refusal(response))[0]).toBeOneOf([400, 413]);
    });
    expect(grown).toBeLessThan(200 * MIB);
    expect(behind.upstream.requests).toHaveLength(0);
  });

  test("with a body of more than 64 MiB in chunks: 413 before it is held", async () => {
    const grown = await growth(async () => {
      const client = await rawClient(behind.gateway.port);
      client.send(
        headBytes("POST /openai/v1/x HTTP/1.1", [
          ...behind.auth,
          ...JSON_TYPE,
          ["Transfer-Encoding", "chunked"],
        ]),
      );
      const piece = chunk(Buffer.alloc(MIB, " "));
      const response = client.response();
      let over = false;
      void response.then(() => {
        over = true;
      });
      for (let i = 0; i < 200 && !over; i++) if (!(await write(client.socket, piece))) break;
      const answer = await response;
      if (answer === null) throw new Error("The connection ended without an answer.");
      expect(await refusal(answer)).toEqual([413, "too_large"]);
      client.close();
    });
    expect(grown).toBeLessThan(300 * MIB);
    expect(behind.upstream.requests).toHaveLength(0);
  });

  test("with a wrong key and an endless upload is refused without being read", async () => {
    const grown = await growth(async () => {
      const client = await rawClient(behind.gateway.port);
      client.send(
        headBytes("POST /openai/v1/files HTTP/1.1", [
          ["Host", "h"],
          ["x-api-key", "lmk_wrong"],
          ["Content-Type", "application/octet-stream"],
          ["Content-Length", String(10_000 * MIB)],
        ]),
      );
      const response = client.response();
      let answer: RawResponse | null | undefined;
      void response.then((one) => {
        answer = one;
      });
      const piece = Buffer.alloc(MIB);
      for (let i = 0; i < 500 && answer === undefined; i++) if (!(await write(client.socket, piece))) break;
      expect((await response)?.status).toBe(401);
      client.close();
    });
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("whose body says it is longer than it is, and ends: nothing reaches the provider", async () => {
    const client = await rawClient(behind.gateway.port);
    client.send(
      headBytes("POST /openai/v1/x HTTP/1.1", [...behind.auth, ...JSON_TYPE, ["Content-Length", "100"]]),
    );
    client.send("{}");
    await Bun.sleep(50);
    client.close();
    await Bun.sleep(100);
    expect(behind.upstream.requests).toHaveLength(0);
    const row = await poll("row of the broken request", async () =>
      (await behind.gateway.requests(20)).find(({ ending }) => ending === "client_closed"),
    );
    expect(row.status).toBe(0);
  });
});

/** Requests on whose borders two readers could disagree. `%` stands for a valid key's header. */
const smuggling: Record<string, string> = {
  "a length and chunks":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
  "chunks and a length":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nG",
  "two lengths":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
  "a list of lengths": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: 5, 6\r\n\r\nabcdef",
  "a length with a sign": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: +5\r\n\r\nabcde",
  "a negative length": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: -1\r\n\r\nabcde",
  "a length in hex": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: 0x5\r\n\r\nabcde",
  "a length that overflows":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: 18446744073709551621\r\n\r\nabcde",
  "a length that is no number": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length: five\r\n\r\nabcde",
  "a space before a colon": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Content-Length : 5\r\n\r\nabcde",
  "a folded header": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%X: a\r\n b\r\nContent-Length: 5\r\n\r\nabcde",
  "another coding behind chunks":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
  "an unknown coding":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  "a coding with a tab":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding:\tchunked\x0b\r\n\r\n0\r\n\r\n",
  "two codings":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
  "a chunk size that overflows":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
  "a chunk size with a sign":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n",
  "a chunk size in hex notation":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
  "a chunk without its line end":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
  "a bare line feed in a chunk size":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
  "a zero in a header": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%X: a\x00b\r\nContent-Length: 0\r\n\r\n",
  "a carriage return in a header":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%X: a\rContent-Length: 5\r\nContent-Length: 0\r\n\r\n",
  "a header without a colon":
    "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%NoColon\r\nContent-Length: 0\r\n\r\n",
  "a header without a name": "POST /openai/v1/x HTTP/1.1\r\nHost: h\r\n%: x\r\nContent-Length: 0\r\n\r\n",
  "a space in the path": "POST /openai/v1/x /y HTTP/1.1\r\nHost: h\r\n%Content-Length: 0\r\n\r\n",
  "no protocol": "GET /openai/v1/x\r\n\r\n",
  "HTTP/2's preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a TLS greeting": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
};

/** A request that must never be understood as one of its own. */
const HIDDEN = "GET /openai/v1/hidden HTTP/1.1\r\nHost: h\r\n%\r\n";

describe("a request with", () => {
  for (const [what, template] of Object.entries(smuggling)) {
    test(`${what} is refused by all, or read as exactly one`, async () => {
      const fill = (text: string) => text.replaceAll("%", `Authorization: Bearer ${behind.key}\r\n`);
      const outcome = await rawExchange(behind.gateway.port, fill(template), 1500);
      if (outcome !== "closed" && outcome !== "open") {
        if (outcome.status >= 400) expect(outcome.status).toBeOneOf([400, 404, 413, 431, 501, 505]);
      }
      const alone = behind.upstream.requests.length;
      expect(alone).toBeLessThanOrEqual(1);
      // What is forwarded has been understood: one body, whole.
      for (const request of behind.upstream.requests) expect(request.complete).toBe(true);
      behind.upstream.clear();
      const refused = alone === 0;
      await rawExchange(behind.gateway.port, fill(template + HIDDEN), 500);
      await Bun.sleep(20);
      if (refused) expect(behind.upstream.requests.map(({ target }) => target)).not.toContain("/v1/hidden");
    });
  }

  test("bytes behind an upgrade does not have them read as a request", async () => {
    const head: HeaderList = [
      ...behind.auth,
      ["Connection", "Upgrade"],
      ["Upgrade", "websocket"],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ];
    const hidden = HIDDEN.replace("%", `Authorization: Bearer ${behind.key}\r\n`);
    const response = await rawExchange(
      behind.gateway.port,
      Buffer.concat([headBytes("GET /openai/v1/responses HTTP/1.1", head), Buffer.from(hidden)]),
    );
    expect(response).toHaveProperty("status", 426);
    await Bun.sleep(50);
    expect(behind.upstream.requests).toHaveLength(0);
  });
});

describe("a flood of", () => {
  test("headers is refused with 431", async () => {
    const many = Array.from({ length: 5000 }, (_, i) => [`X-${i}`, "v".repeat(50)] as const);
    const response = await rawExchange(
      behind.gateway.port,
      headBytes("GET /openai/v1/x HTTP/1.1", [...behind.auth, ...many]),
    );
    if (response !== "closed") expect(response).toHaveProperty("status", 431);
    expect(behind.upstream.requests).toHaveLength(0);
  });

  test("one header that never ends is cut", async () => {
    const grown = await growth(async () => {
      const client = await rawClient(behind.gateway.port);
      client.send("GET /openai/v1/x HTTP/1.1\r\nHost: h\r\nX: ");
      const piece = Buffer.alloc(MIB, "x");
      let sent = 0;
      const ended = client.reader.closed.then(() => true);
      for (; sent < 200; sent++) if (!(await write(client.socket, piece))) break;
      expect(await Promise.race([ended, Bun.sleep(3000).then(() => false)])).toBe(true);
      client.close();
    });
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("small headers below the limit is forwarded as it is", async () => {
    const many = Array.from({ length: 90 }, (_, i) => [`X-Small-${i}`, String(i)] as const);
    expect((await behind.ask({ target: "/openai/v1/x", headers: many })).status).toBe(200);
    for (const [name, value] of many) expect(header(behind.upstream.last, name)).toBe(value);
  });

  test("connections that say nothing keeps nobody out", async () => {
    const idle = await Promise.all(Array.from({ length: 500 }, () => rawClient(behind.gateway.port)));
    const quickest = await least(1000, async () => {
      const startedAt = performance.now();
      for (let i = 0; i < 20; i++) expect((await behind.ask({ target: "/openai/v1/x" })).status).toBe(200);
      return performance.now() - startedAt;
    });
    expect(quickest).toBeLessThan(1000);
    for (const client of idle) client.close();
  });

  test("requests with wrong keys grows neither memory nor the answer's time", async () => {
    const once = async () => {
      const client = await rawClient(behind.gateway.port);
      for (let i = 0; i < 500; i++) {
        client.request({
          target: "/openai/v1/x",
          headers: [
            ["Host", "h"],
            ["x-api-key", `lmk_${i}`],
          ],
        });
        expect((await client.response())?.status).toBe(401);
      }
      client.close();
    };
    await once();
    const grown = await growth(async () => {
      for (let i = 0; i < 6; i++) await once();
    });
    expect(grown).toBeLessThan(48 * MIB);
    expect(behind.upstream.requests).toHaveLength(0);
  });
});

describe("a client that trickles", () => {
  test("its head is cut within 20 s", async () => {
    const remaining = 20_000 - (performance.now() - trickling.startedAt);
    const ended = await Promise.race([
      trickling.endedAfter,
      Bun.sleep(Math.max(0, remaining)).then(() => "never"),
    ]);
    trickling.client.close();
    expect(ended).toBeNumber();
  });
});

test("after all of this the gateway is as it was", async () => {
  expect((await behind.ask({ target: "/openai/v1/x" })).status).toBe(200);
  expect(behind.gateway.stderr()).not.toMatch(/^\s+at /m);
  const startedAt = performance.now();
  expect(await behind.gateway.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(3000);
});
