import { beforeAll, describe, expect, test } from "bun:test";
import type { Socket } from "node:net";
import { type Behind, behindGateway, memoryGrowth } from "../support/behind-gateway.ts";
import { chunk, type HeaderList, headBytes, header } from "../support/http1.ts";
import { least } from "../support/least.ts";
import { poll } from "../support/poll.ts";
import { type RawClient, rawClient } from "../support/raw-client.ts";
import { type Answer, reply, write } from "../support/recording-upstream.ts";

const MIB = 1024 * 1024;
const EVENTS: HeaderList = [
  ["Content-Type", "text/event-stream"],
  ["Transfer-Encoding", "chunked"],
];

let behind: Behind;
beforeAll(async () => {
  behind = await behindGateway({
    env: { LMK_OPENAI_TIMEOUTS: "connect=1s,first-byte=1500ms,idle=1s,total=4s" },
  });
});

async function start(method = "GET", target = "/box/v1/x"): Promise<RawClient> {
  const client = await rawClient(behind.gateway.port);
  client.request({ method, target, headers: behind.auth });
  return client;
}

/** Gives a head, then whatever the test writes. */
function held(headers: HeaderList): { answer: Answer; socket: Promise<Socket> } {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  return {
    answer: (_, socket) => {
      socket.write(headBytes("HTTP/1.1 200 OK", headers));
      resolve(socket);
    },
    socket: promise,
  };
}

describe("back-pressure", () => {
  test("a slow reader holds the provider back: 64 MiB pass through less than 64 MiB of memory", async () => {
    const total = 64 * MIB;
    let sent = 0;
    behind.upstream.answer = async (_, socket) => {
      socket.write(
        headBytes("HTTP/1.1 200 OK", [
          ["Content-Type", "video/mp4"],
          ["Content-Length", String(total)],
        ]),
      );
      const piece = Buffer.alloc(256 * 1024, "v");
      while (sent < total && (await write(socket, piece))) sent += piece.length;
    };
    let heldBack = total;
    let received = 0;
    const grown = await memoryGrowth(behind.gateway.pid, async () => {
      const client = await start();
      expect((await client.reader.head())?.startLine).toContain("200");
      client.socket.pause();
      await Bun.sleep(1500);
      heldBack = sent;
      client.socket.resume();
      // Chunks carry their sizes, so a little more than the body arrives.
      while (received < total) {
        const piece = await client.reader.some();
        if (piece === null) break;
        received += piece.length;
      }
      client.close();
    });
    expect(received).toBeGreaterThanOrEqual(total);
    expect(heldBack).toBeLessThan(32 * MIB);
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("a slow provider holds an upload back: 64 MiB pass through less than 64 MiB of memory", async () => {
    const total = 64 * MIB;
    let received = 0;
    behind.upstream.answersAtHead = true;
    behind.upstream.answer = async (_, socket, reader) => {
      socket.pause();
      await Bun.sleep(1500);
      socket.resume();
      while (received < total) {
        const piece = await reader.some();
        if (piece === null) return;
        received += piece.length;
      }
      socket.end(
        headBytes("HTTP/1.1 200 OK", [
          ["Content-Length", "0"],
          ["Connection", "close"],
        ]),
      );
    };
    let heldBack = total;
    const grown = await memoryGrowth(behind.gateway.pid, async () => {
      const client = await rawClient(behind.gateway.port);
      client.send(
        headBytes("POST /box/v1/files HTTP/1.1", [
          ...behind.auth,
          ["Content-Type", "application/octet-stream"],
          ["Content-Length", String(total)],
        ]),
      );
      const piece = Buffer.alloc(256 * 1024, "u");
      let sent = 0;
      setTimeout(() => {
        heldBack = sent;
      }, 1400);
      while (sent < total && (await write(client.socket, piece))) sent += piece.length;
      expect((await client.response())?.status).toBe(200);
      client.close();
    });
    behind.upstream.answersAtHead = false;
    expect(received).toBeGreaterThanOrEqual(total);
    expect(heldBack).toBeLessThan(32 * MIB);
    expect(grown).toBeLessThan(64 * MIB);
  });

  test("one slow reader does not slow down another", async () => {
    behind.upstream.answer = async ({ target }, socket) => {
      if (!target.includes("slow"))
        return reply({ body: "ok" })({ target } as never, socket, undefined as never);
      socket.write(headBytes("HTTP/1.1 200 OK", [["Content-Length", String(64 * MIB)]]));
      const piece = Buffer.alloc(MIB);
      for (let i = 0; i < 64; i++) if (!(await write(socket, piece))) return;
    };
    const slow = await start("GET", "/box/v1/slow");
    await slow.reader.head();
    slow.socket.pause();
    const quick = await least(2000, async () => {
      const startedAt = performance.now();
      for (let i = 0; i < 50; i++) expect((await behind.ask({ target: "/box/v1/quick" })).status).toBe(200);
      return performance.now() - startedAt;
    });
    expect(quick).toBeLessThan(2000);
    slow.close();
  });
});

/** How long after the client has gone the provider's connection is closed, milliseconds. */
async function untilClosed(client: RawClient, way: "close" | "reset", upstream: Socket): Promise<number> {
  const startedAt = performance.now();
  client[way]();
  await poll("closed upstream connection", () =>
    upstream.destroyed || upstream.readableEnded ? true : undefined,
  );
  return performance.now() - startedAt;
}

describe("a client that goes away", () => {
  for (const way of ["close", "reset"] as const) {
    const how = way === "close" ? "closes its connection" : "resets its connection";

    test(`before the answer's head, and ${how}, closes the provider's connection within 250 ms`, async () => {
      behind.upstream.answer = () => {};
      const took = await least(250, async () => {
        behind.upstream.clear();
        const client = await start("POST");
        await poll("request at the upstream", () => behind.upstream.requests.at(-1));
        const socket = [...behind.upstream.open].at(-1);
        expect(socket).toBeDefined();
        return untilClosed(client, way, socket as Socket);
      });
      expect(took).toBeLessThan(250);
    });

    test(`in the middle of a stream, and ${how}, closes the provider's connection within 250 ms`, async () => {
      const took = await least(250, async () => {
        const { answer, socket } = held(EVENTS);
        behind.upstream.answer = answer;
        const client = await start("POST");
        const upstream = await socket;
        upstream.write(chunk("data: 1\n\n"));
        await client.reader.head();
        return untilClosed(client, way, upstream);
      });
      expect(took).toBeLessThan(250);
    });

    test(`while it uploads, and ${how}, closes the provider's connection within 250 ms`, async () => {
      behind.upstream.answersAtHead = true;
      const took = await least(250, async () => {
        const { promise, resolve } = Promise.withResolvers<Socket>();
        behind.upstream.answer = async (_, socket, reader) => {
          resolve(socket);
          while ((await reader.some()) !== null);
        };
        const client = await rawClient(behind.gateway.port);
        client.send(
          headBytes("POST /box/v1/files HTTP/1.1", [
            ...behind.auth,
            ["Content-Type", "application/octet-stream"],
            ["Content-Length", "1000000"],
          ]),
        );
        client.send("half of it");
        return untilClosed(client, way, await promise);
      });
      expect(took).toBeLessThan(250);
      behind.upstream.answersAtHead = false;
    });
  }

  test("is logged with what it got", async () => {
    const { answer, socket } = held(EVENTS);
    behind.upstream.answer = answer;
    const client = await start("POST");
    const upstream = await socket;
    upstream.write(chunk("data: 1\n\n"));
    const head = await client.reader.head();
    await client.reader.some();
    client.close();
    const row = await behind.gateway.requestRow(
      header({ headers: head?.headers ?? [] }, "x-llamakey-request-id"),
    );
    expect([row.status, row.ending, row.bytesOut]).toEqual([200, "client_closed", 9]);
  });
});

describe("an answer that breaks off", () => {
  const cases: Record<string, string> = {
    "a length": "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nabc",
    "a length and no type": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
    "a length beyond 256 KiB": "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Length: 10000000\r\n\r\nabc",
    chunks: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    "chunks, within one": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30\r\nabc",
    "chunks that are none": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
  };
  for (const [what, bytes] of Object.entries(cases)) {
    for (const way of ["ends", "is reset"] as const) {
      test(`with ${what}, whose connection ${way}, reaches the client as a broken one`, async () => {
        behind.upstream.answer = async (_, socket) => {
          await write(socket, bytes);
          await Bun.sleep(20);
          if (way === "ends") socket.end();
          else socket.resetAndDestroy();
        };
        const target = `/box/v1/${`${what} ${way}`.replaceAll(/\W/g, "-")}`;
        const client = await start("GET", target);
        const response = await client.response();
        client.close();
        // Either the head is there and the body broke off, or nothing came at all; never a whole answer.
        expect(response?.complete ?? false).toBe(false);
        const row = await poll("row of the broken answer", async () =>
          (await behind.gateway.requests()).find(({ endpoint }) => target.endsWith(endpoint)),
        );
        expect([row.status, row.ending]).toEqual([200, "upstream_broken"]);
      });
    }
  }
});

describe("a provider that takes its time", () => {
  test("each event reaches the client when it is sent, not with the next one", async () => {
    const { answer, socket } = held(EVENTS);
    behind.upstream.answer = answer;
    const client = await start("POST");
    const upstream = await socket;
    upstream.write(chunk("data: 0\n\n"));
    await client.reader.head();
    await client.reader.some();
    const slowest = await least(200, async () => {
      let slowest = 0;
      for (let i = 1; i < 20; i++) {
        upstream.write(chunk(`data: ${i}\n\n`));
        const startedAt = performance.now();
        expect((await client.reader.some())?.toString()).toContain(`data: ${i}\n\n`);
        slowest = Math.max(slowest, performance.now() - startedAt);
      }
      return slowest;
    });
    expect(slowest).toBeLessThan(200);
    client.close();
  });

  test("longer than its first-byte limit: 504 upstream_timeout, and the provider's connection is closed", async () => {
    behind.upstream.answer = () => {};
    const quickest = await least(2500, async () => {
      const startedAt = performance.now();
      const response = await behind.ask({ target: "/openai/v1/x" });
      const took = performance.now() - startedAt;
      expect([response.status, header(response, "x-llamakey-refusal")]).toEqual([504, "upstream_timeout"]);
      expect(took).toBeGreaterThan(1000);
      const row = await behind.gateway.requestRow(header(response, "x-llamakey-request-id"));
      expect([row.status, row.ending, row.refusal]).toEqual([504, "timeout", "upstream_timeout"]);
      return took;
    });
    expect(quickest).toBeLessThan(2500);
  });

  test("longer than its idle limit between two pieces: the answer breaks off", async () => {
    behind.upstream.answer = async (_, socket) => {
      socket.write(headBytes("HTTP/1.1 200 OK", EVENTS));
      socket.write(chunk("data: 1\n\n"));
    };
    const quickest = await least(2500, async () => {
      const startedAt = performance.now();
      const response = await behind.ask({ target: "/openai/v1/x" });
      const took = performance.now() - startedAt;
      expect([response.status, response.complete, response.body.toString()]).toEqual([
        200,
        false,
        "data: 1\n\n",
      ]);
      const row = await behind.gateway.requestRow(header(response, "x-llamakey-request-id"));
      expect(row.ending).toBe("timeout");
      return took;
    });
    expect(quickest).toBeLessThan(2500);
  });

  test("longer than its total limit, though it never stops talking: the answer breaks off", async () => {
    behind.upstream.answer = async (_, socket) => {
      socket.write(headBytes("HTTP/1.1 200 OK", EVENTS));
      while (await write(socket, chunk("data: 1\n\n"))) await Bun.sleep(200);
    };
    const quickest = await least(5500, async () => {
      const startedAt = performance.now();
      const response = await behind.ask({ target: "/openai/v1/x" });
      const took = performance.now() - startedAt;
      expect([response.status, response.complete]).toEqual([200, false]);
      expect(took).toBeGreaterThan(3500);
      return took;
    });
    expect(quickest).toBeLessThan(5500);
  });

  test("another provider's limits are its own", async () => {
    behind.upstream.answer = async (request, socket, reader) => {
      await Bun.sleep(2500);
      await reply({ body: "late" })(request, socket, reader);
    };
    expect((await behind.ask({ target: "/box/v1/x" })).body.toString()).toBe("late");
  });
});
