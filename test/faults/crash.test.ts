/** What survives `kill -9`, and how the gateway stops when it is asked to. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Behind, behindGateway } from "../support/behind-gateway.ts";
import { chunk, type HeaderList, headBytes, header, LAST_CHUNK } from "../support/http1.ts";
import { poll } from "../support/poll.ts";
import { type RawClient, rawClient, rawRequest } from "../support/raw-client.ts";
import { reply, write } from "../support/recording-upstream.ts";

const EVENTS: HeaderList = [
  ["Content-Type", "text/event-stream"],
  ["Transfer-Encoding", "chunked"],
];
const kills = process.env["LMK_TEST_FULL"] ? 30 : 4;

let behind: Behind;
afterEach(() => {
  behind.gateway.killNow();
  behind.upstream.close();
});

/** Talks until it is told to stop, or its client is gone. */
function streaming(isOver: () => boolean): Behind["upstream"]["answer"] {
  return async (_, socket) => {
    socket.write(headBytes("HTTP/1.1 200 OK", EVENTS));
    while (!isOver() && (await write(socket, chunk("data: 1\n\n")))) await Bun.sleep(20);
    if (!socket.destroyed) await write(socket, LAST_CHUNK);
  };
}

async function open(count: number): Promise<RawClient[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await rawClient(behind.gateway.port);
      client.request({
        method: "POST",
        target: "/openai/v1/stream",
        headers: [...behind.auth, ["Content-Type", "application/json"]],
        body: '{"model":"gpt-5","stream":true}',
      });
      expect((await client.reader.head())?.startLine).toContain("200");
      return client;
    }),
  );
}

describe("kill -9", () => {
  test(
    "during traffic loses no key and no row of a request that ended half a second before",
    async () => {
      behind = await behindGateway();
      const further = await behind.gateway.addUser("ada");
      const finished = new Map<string, number>();
      for (let kill = 0; kill < kills; kill++) {
        behind.upstream.answer = async (request, socket, reader) => {
          if (request.target === "/v1/stream") await streaming(() => false)(request, socket, reader);
          else await reply({ body: "{}" })(request, socket, reader);
        };
        const streams = await open(32);
        let traffic = true;
        const workers = Array.from({ length: 4 }, async () => {
          while (traffic) {
            try {
              const response = await behind.ask({ target: "/openai/v1/quick" });
              const id = header(response, "x-llamakey-request-id");
              if (response.complete && id) finished.set(id, performance.now());
            } catch {
              // The gateway was killed meanwhile.
              return;
            }
          }
        });
        // So much that it is worth it, however slow the machine is.
        await poll("calls of this run", () => (finished.size >= (kill + 1) * 20 ? true : undefined));
        await Bun.sleep(900 + kill * 37);
        const killedAt = performance.now();
        await behind.gateway.kill();
        traffic = false;
        await Promise.all(workers);
        for (const stream of streams) stream.close();
        for (const [id, at] of finished) if (at > killedAt - 500) finished.delete(id);

        await behind.gateway.restart();
        behind.upstream.answer = reply({ body: "{}" });
        for (const key of [behind.key, further.secret]) {
          const headers: HeaderList = [
            ["Host", "h"],
            ["Authorization", `Bearer ${key}`],
          ];
          expect((await rawRequest(behind.gateway.port, { target: "/openai/v1/x", headers })).status).toBe(
            200,
          );
        }
      }
      await behind.gateway.stop();
      const database = new Database(join(behind.gateway.dataDir, "llamakey.db"), { readonly: true });
      expect(database.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      const ids = (database.query("SELECT id FROM requests").all() as { id: string }[]).map(({ id }) => id);
      database.close();
      expect(new Set(ids).size).toBe(ids.length);
      expect(finished.size).toBeGreaterThan(50);
      const rows = new Set(ids);
      expect([...finished.keys()].filter((id) => !rows.has(id))).toEqual([]);
    },
    60_000 + kills * 10_000,
  );

  test("at any moment of the first start leaves a directory that starts again", async () => {
    for (let waitMs = 0; waitMs < 300; waitMs += 60) {
      behind = await behindGateway();
      const { gateway } = behind;
      const { dataDir } = gateway;
      await gateway.stop();
      const { rmSync } = await import("node:fs");
      rmSync(dataDir, { recursive: true });
      const starting = gateway.start().catch(() => {});
      await Bun.sleep(waitMs);
      gateway.killNow();
      await starting;
      await gateway.start();
      const { items } = await gateway.api<{ items: unknown[] }>("GET", "/users");
      expect(items).toHaveLength(1);
      const { items: keys } = await gateway.api<{ items: unknown[] }>("GET", "/keys");
      expect(keys).toHaveLength(1);
      behind.upstream.answer = reply({ body: "{}" });
      const headers: HeaderList = [
        ["Host", "h"],
        ["Authorization", `Bearer ${gateway.key}`],
      ];
      expect((await rawRequest(gateway.port, { target: "/openai/v1/x", headers })).status).toBe(200);
      await gateway.kill();
      behind.upstream.close();
    }
  }, 60_000);
});

describe("SIGTERM", () => {
  test("lets running streams finish, refuses new requests, and loses no row", async () => {
    behind = await behindGateway();
    let over = false;
    behind.upstream.answer = streaming(() => over);
    const streams = await open(8);
    // A connection from before the stop, as a client's pool has it.
    const kept = await rawClient(behind.gateway.port);
    kept.request({ target: "/healthz", headers: behind.auth });
    expect((await kept.response())?.status).toBe(200);

    const exited = behind.gateway.stop();
    const ready = () => rawRequest(behind.gateway.port, { target: "/readyz", headers: [["Host", "h"]] });
    await poll("503 of /readyz", async () => ((await ready()).status === 503 ? true : undefined));
    kept.request({ target: "/openai/v1/new", headers: behind.auth });
    const refused = await kept.response();
    expect([refused?.status, header(refused ?? { headers: [] }, "x-llamakey-refusal")]).toEqual([
      503,
      "shutting_down",
    ]);
    const fresh = await behind.ask({ target: "/openai/v1/new" });
    expect(header(fresh, "x-llamakey-refusal")).toBe("shutting_down");
    expect(header(fresh, "retry-after")).toMatch(/^\d+$/);
    expect(behind.upstream.requests.some(({ target }) => target === "/v1/new")).toBe(false);

    over = true;
    for (const stream of streams) {
      const body = await stream.reader.body(EVENTS, true);
      expect([body.complete, body.bytes.toString().startsWith("data: 1")]).toEqual([true, true]);
    }
    expect(await exited).toBe(0);
    const database = new Database(join(behind.gateway.dataDir, "llamakey.db"), { readonly: true });
    const count = (where: string) =>
      (database.query(`SELECT count(*) AS n FROM requests WHERE ${where}`).get() as { n: number }).n;
    expect(count("endpoint = '/stream' AND ending = 'complete'")).toBe(8);
    expect(count("refusal = 'shutting_down'")).toBe(2);
    database.close();
  });

  test("waits no longer than LMK_DRAIN: then what still runs is cut, and its rows say so", async () => {
    behind = await behindGateway({ env: { LMK_DRAIN: "1s" } });
    behind.upstream.answer = streaming(() => false);
    const streams = await open(4);
    const startedAt = performance.now();
    const exited = behind.gateway.stop();
    const bodies = await Promise.all(streams.map((stream) => stream.reader.body(EVENTS, true)));
    expect(bodies.map(({ complete }) => complete)).toEqual([false, false, false, false]);
    expect(await exited).toBe(0);
    expect(performance.now() - startedAt).toBeGreaterThan(900);
    expect(performance.now() - startedAt).toBeLessThan(8000);
    await behind.gateway.start();
    const rows = (await behind.gateway.requests()).filter(({ endpoint }) => endpoint === "/stream");
    expect(rows.map(({ ending }) => ending)).toEqual(["cut", "cut", "cut", "cut"]);
  });

  test("with nothing to wait for ends at once", async () => {
    behind = await behindGateway();
    const idle = await rawClient(behind.gateway.port);
    const startedAt = performance.now();
    expect(await behind.gateway.stop()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(6000);
    idle.close();
  });

  test("at the moment at which it says that it listens ends it cleanly too", async () => {
    behind = await behindGateway();
    await behind.gateway.stop();
    for (let i = 0; i < 12; i++) {
      await behind.gateway.start();
      expect(await behind.gateway.stop()).toBe(0);
    }
  });

  test("twice does not wait for the streams", async () => {
    behind = await behindGateway();
    behind.upstream.answer = streaming(() => false);
    const streams = await open(2);
    const startedAt = performance.now();
    const exited = behind.gateway.stop();
    await Bun.sleep(200);
    process.kill(behind.gateway.pid, "SIGTERM");
    expect(await exited).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(8000);
    for (const stream of streams) stream.close();
  });
});
