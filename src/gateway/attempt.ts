import type { Clock } from "../domain/clock.ts";
import { Refusal } from "../domain/refusal.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Answer } from "../upstream/answer.ts";
import { admitAgain } from "./admit.ts";
import type { Call } from "./authorise.ts";
import { type Member, waitOf } from "./credential-pool.ts";
import type { Exchange } from "./exchange.ts";
import { type ForwardSettings, forward } from "./forward.ts";
import { type ObjectHomes, type Place, placeOf } from "./object-homes.ts";
import { rejectedCredential } from "./rejected-credential.ts";
import type { Upstream } from "./upstreams.ts";

export interface AttemptSettings extends ForwardSettings {
  readonly clock: Clock;
  readonly homes: ObjectHomes;
  readonly inFlight: { readonly now: number };
  readonly ledger: Ledger;
  readonly report: (message: string) => void;
}

/** Why another credential may serve: nothing was sent, or the provider did not do what was asked. */
export type Failure = "not_sent" | "rejected" | "limited" | "not_found";

/** What came of an attempt. */
type Outcome = (
  | { readonly reply: Answer; readonly error?: undefined }
  | { readonly error: unknown; readonly reply?: undefined }
) & { readonly failure?: Failure };

const MOST_ATTEMPTS = 3;

/** @throws Refusal `no_credential`: nothing has to be reserved to find that out. */
export function requireCredential({ route }: Call): void {
  const { provider, pool } = route.upstream;
  if (route.withoutKey || pool.size > 0 || !provider.credential.required) return;
  throw new Refusal(
    "no_credential",
    `No ${provider.name} key is set up on this gateway. An administrator adds one with: lmk credential add ${provider.id}.`,
  );
}

/**
 * Sends the call with the credential whose turn it is, and with another where that fails without being billed; each
 * attempt has a hold of its own, of which the caller has taken the first.
 * Whatever credential was last used is the exchange's `member`, and given back at its end.
 * @returns the provider's own answer, of whichever attempt: 401 excepted.
 * @throws Refusal `credential_rejected`, `storage_unavailable`, or what `forward` throws.
 */
export async function attempt(call: Call, exchange: Exchange, settings: AttemptSettings): Promise<Answer> {
  const { pool, provider } = call.route.upstream;
  const isChoosing = pool.isShared && !call.route.withoutKey;
  const place = isChoosing ? placeOf(call, exchange.holder?.user.id ?? "", settings.homes) : undefined;
  // What is no choice for this call, from the beginning or because it was tried.
  const tried = isChoosing ? strangersOf(call) : [];
  let member = firstMember(call, place, tried, settings);
  let answer: Answer | undefined;
  for (let count = 1; ; count++) {
    take(exchange, member);
    exchange.enter("waiting", settings.inFlight.now, provider.timeouts.firstByteMs);
    let outcome: Outcome | Promise<Outcome>;
    try {
      // Most credentials are sent themselves, and wait for nothing.
      const minted = member?.credential.minted;
      const token = minted === undefined ? undefined : await minted.get(exchange.abort.signal);
      const reply = await forward(call, member?.credential, token, exchange, settings);
      outcome = outcomeOf(reply, call, member, settings);
    } catch (error) {
      outcome = outcomeOfError(error, call, member, exchange, settings);
    }
    if (outcome instanceof Promise) outcome = await outcome;
    if (outcome.reply !== undefined) {
      answer?.body?.cancel();
      answer = outcome.reply;
    }
    if (member !== undefined) tried.push(member);
    const another = mayTryAgain(call, outcome, place, count)
      ? pool.next(settings.clock.now(), tried)
      : undefined;
    // Nobody waits for another attempt whose client has left, be this one's answer read on or not.
    const isLeft = exchange.abort.aborted || exchange.drainUntil !== null;
    const isOver = another === undefined || isLeft;
    if (isOver || !(await admitAgain(exchange, settings.ledger))) {
      // An attempt that nobody can say was not billed is what the exchange ends with.
      if (outcome.reply === undefined && outcome.failure === undefined) throw outcome.error;
      // Of an earlier attempt there may be an answer of the provider itself.
      if (answer !== undefined) return answer;
      exchange.costsNothing = true;
      throw outcome.error;
    }
    member = another;
  }
}

/** Gives back what the exchange took of its credential; at its end, whichever way. */
export function giveBack(exchange: Exchange): void {
  const { member, upstream } = exchange;
  exchange.member = undefined;
  if (member !== undefined) upstream?.pool.end(member);
}

function take(exchange: Exchange, member: Member | undefined): void {
  giveBack(exchange);
  if (member === undefined) return;
  // The client may have left while an earlier attempt was under way: nobody would give this one back.
  exchange.abort.throwIfAborted();
  exchange.member = member;
  exchange.upstream?.pool.begin(member);
}

/** Credentials of other accounts than the one that the path names. */
function strangersOf({ route }: Call): Member[] {
  const { account, upstream } = route;
  if (account === undefined) return [];
  return upstream.pool.members.filter(({ credential }) => credential.account !== account);
}

function firstMember(
  { route }: Call,
  place: Place | undefined,
  strangers: readonly Member[],
  { clock }: AttemptSettings,
): Member | undefined {
  if (route.withoutKey) return undefined;
  const { provider, pool } = route.upstream;
  const placed = place?.member;
  const member =
    placed === undefined || strangers.includes(placed) ? pool.next(clock.now(), strangers) : placed;
  if (member !== undefined) return member;
  if (pool.size > 0) {
    throw new Refusal(
      "credential_rejected",
      `${provider.name} rejected every key that this gateway holds. Your own key is fine; tell your administrator.`,
    );
  }
  return undefined;
}

/** Only what is still in memory can be sent again, and only where the provider did nothing for it. */
function mayTryAgain(
  { body, route }: Call,
  { failure }: Outcome,
  place: Place | undefined,
  attempts: number,
): boolean {
  if (failure === undefined || !route.upstream.pool.isShared || attempts >= MOST_ATTEMPTS) return false;
  if (body instanceof ReadableStream) return false;
  if (place?.by === "object") return false;
  // Where its user's objects are made, another credential would not find them; only where they may be elsewhere.
  return place === undefined ? failure !== "not_found" : failure === "not_found" || failure === "rejected";
}

/** @returns a promise where the provider rejected the credential: its text is read first. */
function outcomeOf(
  reply: Answer,
  call: Call,
  member: Member | undefined,
  settings: AttemptSettings,
): Outcome | Promise<Outcome> {
  const { upstream, withoutKey } = call.route;
  if (reply.status === 401 && !withoutKey) {
    return rejectedCredential(reply, upstream, member, settings).then((error) => ({
      error,
      failure: "rejected",
    }));
  }
  const failure = member === undefined ? undefined : judge(reply, call, member, settings.clock);
  return failure === undefined ? { reply } : { reply, failure };
}

function outcomeOfError(
  error: unknown,
  { route }: Call,
  member: Member | undefined,
  exchange: Exchange,
  { clock }: AttemptSettings,
): Outcome {
  const failure =
    member === undefined ? undefined : failureOf(error, exchange, member, route.upstream, clock);
  return failure === undefined ? { error } : { error, failure };
}

function failureOf(
  error: unknown,
  { isSent }: Exchange,
  member: Member,
  { pool }: Upstream,
  clock: Clock,
): Failure | undefined {
  if (!(error instanceof Refusal)) return undefined;
  // The token server's word on the credential was noted where it was heard.
  if (error.code === "credential_rejected") return "rejected";
  if (error.code !== "upstream_unreachable") return undefined;
  const code = (error.cause as { code?: string } | undefined)?.code ?? "no answer";
  pool.failed(member, { at: clock.now(), status: null, message: `could not be reached (${code})` });
  return isSent ? undefined : "not_sent";
}

const FAILING = new Set([500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);

/** What an answer says of the credential, and whether the provider did what was asked. */
function judge(reply: Answer, call: Call, member: Member, clock: Clock): Failure | undefined {
  const { pool } = call.route.upstream;
  const { status } = reply;
  if (reply.ok) pool.worked(member);
  else if (status === 429) {
    const at = clock.now();
    pool.limited(member, waitOf(reply.headers, at), { at, status, message: "too many requests" });
    return "limited";
  } else if (FAILING.has(status)) {
    // It may have been billed, so the answer stands; the client's next call goes elsewhere.
    pool.failed(member, { at: clock.now(), status, message: "the provider failed" });
  } else if (status === 404 && call.method !== "POST") return "not_found";
  return undefined;
}
