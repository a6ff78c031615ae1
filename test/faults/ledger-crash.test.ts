/** `kill -9` while 256 streams are open: what the provider saw, and what the ledger says. */
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HoldRecord } from "../../src/domain/ledger.ts";
import { parseRecords } from "../../src/ledger/records.ts";
import { atEnd } from "../support/cleanup.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { chunk, LAST_CHUNK } from "../support/http1.ts";
import { runLmk } from "../support/lmk.ts";
import { Dice } from "../support/simulation.ts";

const KILLS = process.env["LMK_TEST_FULL"] ? 200 : 40;
const STREAMS = 256;
const SEED = 20_261_124;

const WORDS = 4;
const WORD_MS = 20;

/**
 * A provider as a bare socket, which writes down which calls have reached it with the first bytes of each: not what some
 * server made of them, and before it answers.
 */
async function startProvider() {
  /** By the name that each call has in a header, another one for each. */
  const seen = new Map<string, number>();
  /** Requests that were cut before their name. */
  let nameless = 0;
  const server = createServer((socket) => {
    let text = "";
    socket.on("error", () => {});
    socket.on("close", () => {
      if (text !== "") nameless++;
    });
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      for (;;) {
        const headEnd = text.indexOf("\r\n\r\n");
        if (headEnd === -1) return;
        const head = text.slice(0, headEnd);
        const name = /^x-call: (.+)$/im.exec(head)?.[1] ?? "";
        const end = headEnd + 4 + Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
        if (text.length < end) {
          // What was seen was seen, be it never whole.
          if (!begun.has(socket)) count(name);
          begun.add(socket);
          return;
        }
        if (!begun.delete(socket)) count(name);
        text = text.slice(end);
        answer(socket, name);
      }
    });
  });
  const begun = new WeakSet<Socket>();
  let wanted = { size: Number.POSITIVE_INFINITY, reached: () => {} };
  const count = (name: string) => {
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (seen.size >= wanted.size) wanted.reached();
  };
  /** Resolves when it has seen so many more; a moment that comes on slow machines, too. */
  const more = (calls: number) =>
    new Promise<void>((reached) => {
      wanted = { size: seen.size + calls, reached };
    });
  await once(server.listen(0, "127.0.0.1"), "listening");
  atEnd(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { base: `http://127.0.0.1:${port}/v1`, seen, more, nameless: () => nameless };
}

function answer(socket: Socket, model: string): void {
  const send = (event: string) => {
    if (socket.writable) socket.write(chunk(`data: ${event}\n\n`));
  };
  socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  const choice = { index: 0, delta: { content: "word " }, finish_reason: null };
  let word = 0;
  const timer = setInterval(() => {
    if (word++ < WORDS) return send(JSON.stringify({ id: "c", model, choices: [choice] }));
    clearInterval(timer);
    const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
    send(JSON.stringify({ id: "c", model, choices: [], usage }));
    send("[DONE]");
    if (socket.writable) socket.write(LAST_CHUNK);
  }, WORD_MS);
}

/** 256 clients, each of which calls again as soon as it is answered, until it is told to stop. */
function startTraffic(gateway: Gateway, key: string, from: number) {
  let isOver = false;
  let next = from;
  const clients = Array.from({ length: STREAMS }, async () => {
    while (!isOver) {
      const number = next++;
      const model = `load-${number}`;
      // Every tenth client leaves in the middle.
      const leaving = new AbortController();
      if (number % 10 === 0) setTimeout(() => leaving.abort(), WORD_MS * 2);
      try {
        const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${key}`,
            "content-type": "application/json",
            "x-call": model,
          },
          body: JSON.stringify({ model, stream: true, messages: [] }),
          signal: leaving.signal,
        });
        await response.text();
      } catch {
        // The gateway was killed meanwhile.
        if (!leaving.signal.aborted) return;
      }
    }
  });
  const stop = async () => {
    isOver = true;
    await Promise.all(clients);
    return next;
  };
  return { stop };
}

interface Ledger {
  holds: Map<number, HoldRecord>;
  ended: Set<number>;
}

function readLedger(gateway: Gateway): Ledger {
  const database = new Database(join(gateway.dataDir, "llamakey.db"), { readonly: true });
  expect(database.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  const holds = new Map<number, HoldRecord>();
  const ended = new Set<number>();
  for (const { text } of database.query("SELECT text FROM ledger_blocks ORDER BY seq").all() as {
    text: string;
  }[]) {
    for (const record of parseRecords(text)) {
      if (record.kind === "hold") {
        expect(holds.has(record.hold.id)).toBe(false);
        holds.set(record.hold.id, record.hold);
      } else if (record.kind === "end") {
        expect(ended.has(record.entry.holdId)).toBe(false);
        ended.add(record.entry.holdId);
      }
    }
  }
  database.close();
  return { holds, ended };
}

/** Of the files as the killed process left them; the next one finds them untouched. */
function checkIntegrity({ dataDir }: Gateway): void {
  const copy = mkdtempSync(join(tmpdir(), "lmk-crash-"));
  for (const name of ["llamakey.db", "llamakey.db-wal"])
    if (existsSync(join(dataDir, name))) copyFileSync(join(dataDir, name), join(copy, name));
  const database = new Database(join(copy, "llamakey.db"));
  expect(database.query("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
  database.close();
  rmSync(copy, { recursive: true });
}

let gateway: Gateway | undefined;
afterAll(() => gateway?.end());

test(
  `killed at ${KILLS} moments under ${STREAMS} streams: every call that the provider saw has a hold, none twice`,
  async () => {
    const provider = await startProvider();
    gateway = await startGateway({
      env: { OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789", LMK_OPENAI_UPSTREAM: provider.base },
    });
    const { secret, key } = await gateway.addUser("ada");
    await gateway.api("PUT", "/prices", {
      provider: "openai",
      model: "load-*",
      perCall: "0.000001",
    });
    for (const [scope, per] of [
      ["organisation", "month"],
      ["group:default", "week"],
      ["user:ada", "day"],
      [`key:${key.id}`, "total"],
    ])
      await gateway.api("PUT", "/budgets", { scope, name: "all", amount: "1000", per });
    const dice = new Dice(SEED);
    let next = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const traffic = startTraffic(gateway, secret, next);
      await provider.more(dice.between(1, 250));
      await Bun.sleep(dice.between(0, 50));
      await gateway.kill();
      next = await traffic.stop();
      checkIntegrity(gateway);
      await gateway.restart();
    }
    await gateway.stop();
    const verified = await runLmk(gateway, ["verify", "--json"]);
    const { findings, open } = JSON.parse(verified.out) as { findings: unknown[]; open: number };
    expect({ code: verified.code, findings }).toEqual({ code: 0, findings: [] });

    const { holds, ended } = readLedger(gateway);
    const held = new Map<string, number>();
    for (const { model } of holds.values()) held.set(model ?? "", (held.get(model ?? "") ?? 0) + 1);
    // The provider saw each call once, and the ledger has one hold for it.
    expect([...provider.seen].filter(([, times]) => times !== 1)).toEqual([]);
    expect([...provider.seen.keys()].filter((model) => held.get(model) !== 1)).toEqual([]);
    expect(open).toBe(holds.size - ended.size);
    expect(holds.size).toBeGreaterThanOrEqual(provider.seen.size + provider.nameless());
    expect([...holds.values()].every(({ accounts }) => accounts.length === 4)).toBe(true);
    // It was worth it: thousands of calls, and at every kill some were under way.
    expect(provider.seen.size).toBeGreaterThan(KILLS * 80);
    expect(holds.size - ended.size).toBeGreaterThan(KILLS * 10);
    // A client that leaves calls again before the gateway has noticed.
    expect(holds.size - ended.size).toBeLessThanOrEqual(KILLS * STREAMS * 2);
  },
  KILLS * 20_000,
);
