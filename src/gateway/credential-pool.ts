import type { Credential } from "./credential.ts";

/** What a provider last said or did that kept a credential from serving; for administrators, without secrets. */
export interface CredentialError {
  /** Epoch milliseconds. */
  readonly at: number;
  /** null where there was no answer. */
  readonly status: number | null;
  readonly message: string;
}

/** `rejected` until the provider takes it again, `limited` and `failing` until `coolingUntil`. */
export type Health = "ready" | "limited" | "failing" | "rejected";

/** A credential and how it does. Changed by its pool alone. */
export interface Member {
  readonly credential: Credential;
  readonly weight: number;
  inFlight: number;
  health: Health;
  /** Epoch milliseconds; 0 where it is not cooling. */
  coolingUntil: number;
  /** When it is worth asking the provider whether it works again; Infinity where only time will tell. */
  probeAt: number;
  /** In a row. */
  failures: number;
  lastError: CredentialError | null;
  /** How far it is in the order of turns: each call moves it on by 1/weight. */
  turn: number;
}

/** What a provider may ask us to wait is taken within these bounds. */
const SHORTEST_LIMIT_MS = 1_000;
const LONGEST_LIMIT_MS = 5 * 60_000;
/** Where it does not say how long. */
const FIRST_COOLING_MS = { limited: 2_000, failing: 1_000, rejected: 2_000 };
const LONGEST_COOLING_MS = { limited: 60_000, failing: 60_000, rejected: 5 * 60_000 };

/**
 * A provider's credentials, and which of them is next.
 *
 * No credential carries more of the running calls than its weight's share, and of those that could take one more, the
 * one goes whose turn it is by weight. One that was rejected is left out; one that is limited or failing waits, unless
 * there is no other.
 */
export class CredentialPool {
  members: readonly Member[] = [];
  /** The turn that was last had: who comes back begins here. */
  private turn = 0;

  /** Takes other credentials, when an administrator changes them; those that stay keep their health. */
  replace(credentials: readonly Credential[]): void {
    const known = new Map(this.members.map((member) => [member.credential.id, member]));
    this.members = credentials.map((credential) => {
      const before = known.get(credential.id);
      if (before === undefined || before.credential.secret !== credential.secret)
        return newMember(credential, this.turn);
      // The same object: calls that are under way will give back what they took of it.
      return Object.assign(before, { credential, weight: credential.weight });
    });
  }

  get size(): number {
    return this.members.length;
  }

  /** True where calls have a choice, so that health and place matter. */
  get isShared(): boolean {
    return this.members.length > 1;
  }

  find(credentialId: string): Member | undefined {
    return this.members.find(({ credential }) => credential.id === credentialId);
  }

  /**
   * The credential for the next call.
   * @param tried Those that this call has been refused with.
   * @returns undefined where there is none, or none that was not rejected.
   */
  next(now: number, tried: readonly Member[] = []): Member | undefined {
    if (!this.isShared) return tried.length === 0 ? this.members[0] : undefined;
    const left = this.members.filter((member) => member.health !== "rejected" && !tried.includes(member));
    const ready = left.filter((member) => isReady(member, now));
    if (ready.length > 0) return this.byTurn(ready);
    // Rather than refuse: the one whose time is over soonest may have recovered already.
    return left.length === 0 ? undefined : left.reduce((a, b) => (b.coolingUntil < a.coolingUntil ? b : a));
  }

  /** The same credential for the same user, as long as there is it: for what a provider keeps per account. */
  homeOf(userId: string): Member | undefined {
    if (!this.isShared) return this.members[0];
    let best: Member | undefined;
    let most = Number.NEGATIVE_INFINITY;
    for (const member of this.members) {
      if (member.health === "rejected") continue;
      const score = rendezvous(userId, member);
      if (score > most) [best, most] = [member, score];
    }
    return best;
  }

  begin(member: Member): void {
    member.inFlight++;
    this.turn = Math.max(this.turn, member.turn);
    member.turn += 1 / member.weight;
  }

  end(member: Member): void {
    member.inFlight--;
  }

  worked(member: Member): void {
    if (member.health === "ready" && member.failures === 0) return;
    member.health = "ready";
    member.failures = 0;
    member.coolingUntil = 0;
    member.probeAt = Number.POSITIVE_INFINITY;
    member.turn = Math.max(member.turn, this.turn);
  }

  /** @param waitMs What the provider asked for; undefined where it did not say. */
  limited(member: Member, waitMs: number | undefined, error: CredentialError): void {
    const bounded =
      waitMs === undefined ? undefined : Math.min(Math.max(waitMs, SHORTEST_LIMIT_MS), LONGEST_LIMIT_MS);
    this.cool(member, "limited", error, bounded);
  }

  failed(member: Member, error: CredentialError): void {
    this.cool(member, "failing", error, undefined);
  }

  rejected(member: Member, error: CredentialError): void {
    this.cool(member, "rejected", error, undefined);
  }

  private cool(
    member: Member,
    health: Exclude<Health, "ready">,
    error: CredentialError,
    waitMs: number | undefined,
  ): void {
    member.lastError = error;
    // Of calls that were sent together only the first failure counts, and a rejection is not mended by another error.
    if (health !== "rejected" && (member.health === "rejected" || member.coolingUntil > error.at)) return;
    member.failures++;
    const grown = FIRST_COOLING_MS[health] * 2 ** Math.min(member.failures - 1, 20);
    const coolingMs = waitMs ?? Math.min(grown, LONGEST_COOLING_MS[health]);
    member.health = health;
    member.coolingUntil = health === "rejected" ? 0 : error.at + coolingMs;
    member.probeAt = Number.POSITIVE_INFINITY;
    if (health === "rejected") member.probeAt = error.at + coolingMs;
    // Half way: whoever is well again need not wait for the end.
    if (health === "failing") member.probeAt = error.at + coolingMs / 2;
  }

  private byTurn(ready: readonly Member[]): Member {
    let running = 1;
    let weights = 0;
    for (const member of ready) {
      running += member.inFlight;
      weights += member.weight;
      if (member.health !== "ready") member.turn = Math.max(member.turn, this.turn);
    }
    // Rounded up, the shares are together at least what runs: somebody has room.
    const hasRoom = ({ inFlight, weight }: Member) => inFlight < Math.ceil((running * weight) / weights);
    const open = ready.filter(hasRoom);
    return open.reduce((a, b) => (b.turn + 1 / b.weight < a.turn + 1 / a.weight ? b : a));
  }
}

/** One that has cooled off is tried with one call at a time until that succeeds. */
function isReady(member: Member, now: number): boolean {
  if (member.health === "ready") return true;
  return member.coolingUntil <= now && member.inFlight === 0;
}

function newMember(credential: Credential, turn: number): Member {
  return {
    credential,
    weight: credential.weight,
    inFlight: 0,
    health: "ready",
    coolingUntil: 0,
    probeAt: Number.POSITIVE_INFINITY,
    failures: 0,
    lastError: null,
    turn,
  };
}

/** Weighted rendezvous hashing: who joins or leaves moves only the users that come to it or were with it. */
function rendezvous(userId: string, { credential, weight }: Member): number {
  const hash = Number(BigInt.asUintN(52, Bun.hash.xxHash64(`${userId} ${credential.id}`)));
  return -weight / Math.log((hash + 1) / (2 ** 52 + 2));
}

/** How long an answer asks to wait, milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function waitOf(headers: Headers, now: number): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (Number.isFinite(ms)) return ms;
  const after = headers.get("retry-after");
  if (after === null) return undefined;
  const wait = Number.isFinite(Number(after)) ? Number(after) * 1000 : Date.parse(after) - now;
  return Number.isNaN(wait) ? undefined : wait;
}
