import { createHmac } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import { randomBase62 } from "../domain/key.ts";
import type { Webhook as WebhookSettings } from "../domain/settings.ts";
import type { WebhookEventStore } from "../domain/store.ts";
import type { WebhookEvent } from "../domain/webhook-event.ts";

/** What is told of a budget that has reached a threshold. Money is decimal dollars, times are RFC 3339. */
export interface ThresholdFacts {
  /** For people: `group research`. */
  readonly scope: string;
  readonly budget: string;
  readonly amount: string;
  readonly spent: string;
  /** Null for a budget that does not end. */
  readonly periodEnd: string | null;
}

export interface WebhookParts {
  readonly store: Pick<WebhookEventStore, "addThresholdEvent" | "listUntoldEvents" | "closeEvent">;
  readonly clock: Clock;
  /** Where to; null for nowhere. */
  readonly settings: () => WebhookSettings | null;
  readonly openSecret: (webhook: WebhookSettings) => string;
  /** Why this address may not be called; undefined where it may. Asked for every call: names change their addresses. */
  readonly problemOf: (url: string, allowPrivate: boolean) => Promise<string | undefined>;
  readonly proxy: string | undefined;
  readonly report: (message: string) => void;
  /** Between tries, milliseconds; as many tries as there are pauses, and one. */
  readonly pausesMs?: readonly number[];
}

const PAUSES_MS = [1_000, 10_000];
const TIMEOUT_MS = 10_000;

/**
 * Tells the administrator's webhook when budgets reach their thresholds, once a period and threshold, and when keys were
 * seen where they do not belong; restarts included.
 */
export class Webhook {
  private readonly parts: WebhookParts;
  private readonly sending = new Set<Promise<void>>();
  private readonly stopped = new AbortController();

  constructor(parts: WebhookParts) {
    this.parts = parts;
  }

  /**
   * Returns as soon as it is noted; later calls for the same threshold of the same period do nothing.
   * @param periodStart Epoch milliseconds.
   * @param threshold Percent.
   */
  async crossed(
    budgetId: string,
    periodStart: number,
    threshold: number,
    facts: ThresholdFacts,
  ): Promise<void> {
    const at = this.parts.clock.now();
    const id = `evt_${randomBase62(16)}`;
    const data = { budgetId, threshold, periodStart: new Date(periodStart).toISOString(), ...facts };
    const body = JSON.stringify({ id, type: "budget.threshold", at: new Date(at).toISOString(), data });
    const event = { id, budgetId, periodStart, threshold, at, body };
    if (await this.parts.store.addThresholdEvent(event)) this.send(event);
  }

  /** Sends what was noted before a restart and not sent. */
  async resume(): Promise<void> {
    for (const event of await this.parts.store.listUntoldEvents()) this.send(event);
  }

  /** What was not told yet is told after the next start. */
  stop(): void {
    this.stopped.abort();
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.sending);
  }

  /** @param event That is in the store, so that a restart can tell it. */
  send(event: WebhookEvent): void {
    const sending = this.tell(event)
      .catch((error: unknown) =>
        this.parts.report(`webhook: ${error instanceof Error ? error.message : "?"}`),
      )
      .finally(() => this.sending.delete(sending));
    this.sending.add(sending);
  }

  private async tell(event: WebhookEvent): Promise<void> {
    const { store, clock, pausesMs = PAUSES_MS } = this.parts;
    const webhook = this.parts.settings();
    let problem = webhook === null ? "none is set" : "it was not tried";
    for (let tries = 0; webhook !== null && tries <= pausesMs.length; tries++) {
      if (tries > 0) await pause(pausesMs[tries - 1] ?? 0);
      if (this.stopped.signal.aborted) return;
      const failed = await this.post(event, webhook);
      if (failed === undefined) return store.closeEvent(event.id, "told", clock.now());
      problem = failed;
    }
    if (this.stopped.signal.aborted) return;
    if (webhook !== null) this.parts.report(`The webhook could not be told of ${event.id}: ${problem}.`);
    await store.closeEvent(event.id, "failed", clock.now());
  }

  /** @returns what went wrong, if anything. */
  private async post({ id, body }: WebhookEvent, webhook: WebhookSettings): Promise<string | undefined> {
    const { clock, problemOf, openSecret, proxy } = this.parts;
    const problem = await problemOf(webhook.url, webhook.allowPrivate);
    if (problem !== undefined) return problem;
    try {
      const time = Math.floor(clock.now() / 1000);
      const response = await fetch(webhook.url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-llamakey-event": id,
          "x-llamakey-signature": signature(openSecret(webhook), time, body),
        },
        body,
        // Elsewhere was not looked at.
        redirect: "manual",
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.stopped.signal]),
        ...(proxy === undefined ? {} : { proxy }),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      // The platform's messages quote the URL, which may hold a secret.
      return `it could not be reached (${(error as { code?: string }).code ?? (error as Error).name})`;
    }
  }
}

/** Keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** `t=<seconds>,v1=<hex>`: HMAC-SHA256 of time, a dot and the body, so that a call cannot be sent again much later. */
function signature(secret: string, seconds: number, body: string): string {
  const hmac = createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex");
  return `t=${seconds},v1=${hmac}`;
}
