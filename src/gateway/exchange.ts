import type { Demand } from "../domain/demand.ts";
import { withoutKeys } from "../domain/key.ts";
import type { Permit } from "../domain/limits.ts";
import type { Refusal } from "../domain/refusal.ts";
import type { Ending, RequestRecord } from "../domain/request-record.ts";
import type { Hold } from "../ledger/ledger.ts";
import type { Ceiling } from "../pricing/ceiling.ts";
import type { Timeouts } from "../providers/provider.ts";
import { Abort } from "../upstream/abort.ts";
import type { Member } from "./credential-pool.ts";
import type { KeyHolder } from "./directory.ts";
import type { Meter } from "./meter.ts";
import type { OwnedCall } from "./owned-plan.ts";
import type { Base, Upstream } from "./upstreams.ts";
import type { UsageEventFilter } from "./usage-event.ts";

/** Where an exchange stands; each phase has its own deadline. */
type Phase = "receiving" | "waiting" | "answering";

/** One request and its answer, from arrival to the last byte: what is known of it, and how to end it early. */
export class Exchange {
  readonly id: string;
  readonly method: string;
  /** Arrival, epoch milliseconds. */
  readonly at: number;
  readonly address: string | null;
  /** Ends the call upstream, and what else waits for it. */
  readonly abort = new Abort();
  holder: KeyHolder | undefined;
  /** What the ledger keeps for it; undefined until it is about to be forwarded. */
  hold: Hold | undefined;
  /** Whether anything of it may have reached the provider. */
  isSent = false;
  /** Whether its provider takes nothing for it: an error, or an endpoint that is free. */
  costsNothing = false;
  /** What bounds its cost; undefined until its body was taken in. */
  demand: Demand | undefined;
  /** The most that it can cost, where a budget asked. */
  most: Ceiling | undefined;
  /** The client is gone, and the answer is read on for what it says of its cost; until then, see `InFlight.now`. */
  drainUntil: number | null = null;
  /** The cap on the answer that the gateway wrote into the request, tokens. */
  outputCap: number | null = null;
  upstream: Upstream | undefined;
  /** The upstream's own address, or another host of its provider. */
  base: Base | undefined;
  endpoint = "";
  model: string | null = null;
  status = 0;
  refusal: string | null = null;
  /** What scopes that only count would have refused it for: `group research: model_not_allowed`. */
  readonly shadowRefusals: string[] = [];
  sentMs: number | null = null;
  firstByteMs: number | null = null;
  bytesIn = 0;
  bytesOut = 0;
  upstreamRequestId: string | null = null;
  ended = false;
  /** What it does with objects that somebody owns; undefined where that is nothing. */
  owned: OwnedCall | undefined;
  /** Takes out of the stream what is there only because we asked for usage; undefined where we did not. */
  usageFilter: UsageEventFilter | undefined;
  /** Reads what the answer used; undefined until there is an answer. */
  meter: Meter | undefined;

  /** The credential that it was last sent with; undefined before it is sent, and after it is over. */
  member: Member | undefined;
  /** What it holds of its scopes' limits; undefined where they have none. */
  permit: Permit | undefined;

  /** When the phase, or the pause since the last piece of the answer, began: the registry's coarse clock, ms. */
  since: number;
  phase: Phase = "receiving";
  /** How long this phase may last from `since`, milliseconds. */
  patienceMs: number;
  /** See `Roll`. */
  place = -1;
  /** Sees the body's pieces as they pass, where it is not read whole. */
  onPiece: ((piece: Uint8Array) => void) | undefined;
  /** What waits for the client, which an abort of the upstream call does not wake. */
  onCut: ((reason: Refusal) => void) | undefined;
  private readonly started = performance.now();

  constructor(
    id: string,
    method: string,
    at: number,
    address: string | null,
    now: number,
    receiveMs: number,
  ) {
    this.id = id;
    this.method = method;
    this.at = at;
    this.address = address;
    this.since = now;
    this.patienceMs = receiveMs;
  }

  get timeouts(): Timeouts | undefined {
    return this.upstream?.provider.timeouts;
  }

  enter(phase: Phase, now: number, patienceMs: number): void {
    this.phase = phase;
    this.since = now;
    this.patienceMs = patienceMs;
  }

  /** Milliseconds since the request arrived. */
  elapsedMs(): number {
    return performance.now() - this.started;
  }

  /** Ends it from our side: the upstream call is aborted, and the client gets this refusal or a broken answer. */
  cut(reason: Refusal): void {
    if (this.ended) return;
    this.onCut?.(reason);
    this.abort.abort(reason);
  }

  record(ending: Ending): RequestRecord {
    return {
      id: this.id,
      at: this.at,
      keyId: this.holder?.key.id ?? null,
      userId: this.holder?.user.id ?? null,
      groupId: this.holder?.group.id ?? null,
      provider: this.upstream?.provider.id ?? null,
      method: this.method,
      endpoint: withoutKeys(this.endpoint),
      model: this.model === null ? null : withoutKeys(this.model),
      status: this.status,
      refusal: this.refusal,
      shadowRefusal: this.shadowRefusals.length === 0 ? null : this.shadowRefusals.join("; ").slice(0, 500),
      ending,
      sentMs: this.sentMs,
      firstByteMs: this.firstByteMs,
      durationMs: this.elapsedMs(),
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
      upstreamRequestId: this.upstreamRequestId,
      address: this.address,
      metered: null,
    };
  }
}
