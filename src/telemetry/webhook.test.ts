import { afterAll, beforeEach, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { Webhook as WebhookSettings } from "../domain/settings.ts";
import type { ThresholdEvent } from "../domain/webhook-event.ts";
import { Webhook, type WebhookParts } from "./webhook.ts";

const NOW = Date.parse("2026-11-24T12:00:00Z");
const SECRET = "whsec_fakefakefakefake";
const facts = {
  scope: "group research",
  budget: "monthly",
  amount: "20.00",
  spent: "16.01",
  periodEnd: null,
};

const got: { headers: Headers; body: string }[] = [];
let answers: number[] = [];
const receiver = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    got.push({ headers: request.headers, body: await request.text() });
    const status = answers.shift() ?? 200;
    return new Response(null, { status, headers: status === 302 ? { location: "/elsewhere" } : {} });
  },
});
afterAll(() => receiver.stop(true));

/** What the store keeps over restarts. */
let events: (ThresholdEvent & { outcome?: string })[];
beforeEach(() => {
  events = [];
  got.length = 0;
  answers = [];
});

function sender(change: Partial<WebhookParts> = {}): Webhook {
  const settings: WebhookSettings = {
    url: `http://127.0.0.1:${receiver.port}/hook`,
    sealedSecret: new Uint8Array(),
    allowPrivate: true,
  };
  return new Webhook({
    store: {
      addThresholdEvent: async (event) => {
        const isSame = (one: ThresholdEvent) =>
          one.budgetId === event.budgetId &&
          one.periodStart === event.periodStart &&
          one.threshold === event.threshold;
        if (events.some(isSame)) return false;
        events.push({ ...event });
        return true;
      },
      listUntoldEvents: async () => events.filter(({ outcome }) => outcome === undefined),
      closeEvent: async (id, outcome) => {
        for (const event of events) if (event.id === id) event.outcome = outcome;
      },
    },
    clock: { now: () => NOW },
    settings: () => settings,
    openSecret: () => SECRET,
    problemOf: async () => undefined,
    proxy: undefined,
    report: () => {},
    pausesMs: [1, 1],
    ...change,
  });
}

test("is told once of a threshold, signed, with what happened", async () => {
  const webhook = sender();
  await webhook.crossed("bud_1", NOW - 1000, 80, facts);
  await webhook.crossed("bud_1", NOW - 1000, 80, facts);
  await webhook.settled();
  // After a restart, too.
  const restarted = sender();
  await restarted.resume();
  await restarted.crossed("bud_1", NOW - 1000, 80, facts);
  await restarted.settled();
  expect(got).toHaveLength(1);
  const [{ headers, body } = { headers: new Headers(), body: "" }] = got;
  expect(JSON.parse(body)).toEqual({
    id: events[0]?.id,
    type: "budget.threshold",
    at: "2026-11-24T12:00:00.000Z",
    data: { budgetId: "bud_1", threshold: 80, periodStart: "2026-11-24T11:59:59.000Z", ...facts },
  });
  const expected = createHmac("sha256", SECRET)
    .update(`${NOW / 1000}.${body}`)
    .digest("hex");
  expect(headers.get("x-llamakey-signature")).toBe(`t=${NOW / 1000},v1=${expected}`);
  expect(headers.get("x-llamakey-event")).toBe(events[0]?.id ?? "");
  expect(events[0]?.outcome).toBe("told");
});

test("is told of each threshold and each period", async () => {
  const webhook = sender();
  await webhook.crossed("bud_1", NOW, 80, facts);
  await webhook.crossed("bud_1", NOW, 100, facts);
  await webhook.crossed("bud_1", NOW + 1, 80, facts);
  await webhook.crossed("bud_2", NOW, 80, facts);
  await webhook.settled();
  expect(got).toHaveLength(4);
});

test("is tried three times, the same event each time, and then left", async () => {
  answers = [500, 302, 503, 200];
  const reports: string[] = [];
  const webhook = sender({ report: (message) => reports.push(message) });
  await webhook.crossed("bud_1", NOW, 80, facts);
  await webhook.settled();
  expect(got).toHaveLength(3);
  expect(new Set(got.map(({ body }) => body)).size).toBe(1);
  expect(events[0]?.outcome).toBe("failed");
  expect(reports.join()).toContain("it answered 503");
});

test("what was noted before the process died is told afterwards", async () => {
  const event = { id: "evt_1", budgetId: "bud_1", periodStart: NOW, threshold: 50, at: NOW, body: '{"a":1}' };
  events.push(event);
  const webhook = sender();
  await webhook.resume();
  await webhook.settled();
  expect(got.map(({ body }) => body)).toEqual(['{"a":1}']);
});

test("is not called where its address may not be, nor where there is none", async () => {
  const refusing = sender({ problemOf: async () => "The webhook's host is in a private network" });
  await refusing.crossed("bud_1", NOW, 80, facts);
  await refusing.settled();
  const none = sender({ settings: () => null });
  await none.crossed("bud_2", NOW, 80, facts);
  await none.settled();
  expect(got).toEqual([]);
  expect(events.map(({ outcome }) => outcome)).toEqual(["failed", "failed"]);
});

test("what a stop interrupts is told after the next start", async () => {
  answers = [500];
  const webhook = sender({ pausesMs: [60_000] });
  await webhook.crossed("bud_1", NOW, 80, facts);
  while (got.length === 0) await Bun.sleep(1);
  webhook.stop();
  expect(events[0]?.outcome).toBeUndefined();
  const restarted = sender();
  await restarted.resume();
  await restarted.settled();
  expect(events[0]?.outcome).toBe("told");
});
