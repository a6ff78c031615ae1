/** `kill -9` while 256 streams are open: what the provider saw, and what the ledger says. */
import { Database } from "bun:sqlite";
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { HoldRecord } from "../../src/domain/ledger.ts";
import { parseRecords } from "../../src/ledger/records.ts";
import { atEnd } from "../support/cleanup.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { Dice } from "../support/simulation.ts";

const KILLS = process.env["LMK_TEST_FULL"] ? 200 : 40;
const STREAMS = 256;
const SEED = 20_261_124;

/** A provider that writes down, before it answers, which calls have reached it. */
function startProvider() {
  /** By the model that the call names, which is another one for each call. */
  const seen = new Map<string, number>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const { model } = (await request.json()) as { model: string };
      seen.set(model, (seen.get(model) ?? 0) + 1);
      return new Response(words(model) as unknown as ReadableStream, {
        headers: { "content-type": "text/event-stream" },
      });
    },
  });
  atEnd(() => server.stop(true));
  return { base: `http://127.0.0.1:${server.port}/v1`, seen };
}

async function* words(model: string): AsyncGenerator<string> {
  const choice = { index: 0, delta: { content: "word " }, finish_reason: null };
  for (let n = 0; n < 4; n++) {
    yield `data: ${JSON.stringify({ id: "c", model, choices: [choice] })}\n\n`;
    await Bun.sleep(20);
  }
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
  yield `data: ${JSON.stringify({ id: "c", model, choices: [], usage })}\n\ndata: [DONE]\n\n`;
}

/** 256 clients, each of which calls again as soon as it is answered, until it is told to stop. */
function startTraffic(gateway: Gateway, key: string, from: number) {
  let isOver = false;
  let next = from;
  const clients = Array.from({ length: STREAMS }, async () => {
    while (!isOver) {
      const model = `load-${next++}`;
      try {
        const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({ model, stream: true, messages: [] }),
        });
        await response.text();
      } catch {
        // The gateway was killed meanwhile.
        return;
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

let gateway: Gateway | undefined;
afterAll(() => gateway?.end());

test(
  `killed at ${KILLS} moments under ${STREAMS} streams: every call that the provider saw has a hold, none twice`,
  async () => {
    const provider = startProvider();
    gateway = await startGateway({
      env: { OPENAI_API_KEY: "sk-fake-example-of-a-key-0123456789", LMK_OPENAI_UPSTREAM: provider.base },
    });
    const { secret } = await gateway.addUser("ada");
    await gateway.api("PUT", "/prices", {
      provider: "openai",
      model: "load-*",
      perCall: "0.000001",
    });
    if (process.env["WITH_BUDGETS"])
      for (const [scope, per] of [
        ["organisation", "month"],
        ["user:ada", "day"],
      ])
        await gateway.api("PUT", "/budgets", { scope, name: "all", amount: "1000", per });
    const dice = new Dice(SEED);
    let next = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const traffic = startTraffic(gateway, secret, next);
      await Bun.sleep(dice.between(20, 500));
      await gateway.kill();
      next = await traffic.stop();
      await gateway.restart();
    }
    await gateway.stop();

    const { holds, ended } = readLedger(gateway);
    const held = new Map<string, number>();
    for (const { model } of holds.values()) held.set(model ?? "", (held.get(model ?? "") ?? 0) + 1);
    // The provider saw each call once, and the ledger has one hold for it.
    expect([...provider.seen].filter(([, times]) => times !== 1)).toEqual([]);
    expect([...provider.seen.keys()].filter((model) => held.get(model) !== 1)).toEqual([]);
    // It was worth it: thousands of calls, and at every kill some were under way.
    expect(provider.seen.size).toBeGreaterThan(KILLS * 100);
    expect(holds.size - ended.size).toBeGreaterThan(KILLS * 10);
    expect(holds.size - ended.size).toBeLessThanOrEqual(KILLS * STREAMS);
  },
  KILLS * 10_000,
);
