/**
 * What may leave a gateway: for each provider its own credential, in its own place, and nothing else that opens
 * anything. The places are written down here once more, so that a provider's file cannot be wrong unnoticed.
 */
import { type HeaderList, header } from "../support/http1.ts";
import type { Address, Note, Secret } from "../support/record.ts";
import { Needles } from "./needles.ts";
import { inflated, readings } from "./reading.ts";

/** All that was noted in one suite. */
export type Record = readonly Note[];

/** A request as its bytes say it. */
interface Request {
  line: string;
  target: string;
  headers: HeaderList;
  body: Buffer;
}

interface Verdict {
  /** How many requests each owner was sent. */
  readonly requests: ReadonlyMap<string, number>;
  /** One sentence for each thing that was where it does not belong. */
  readonly findings: readonly string[];
}

/** Where a credential may stand in a header. */
const CREDENTIAL_HEADERS = new Set([
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "x-goog-api-key",
  "xi-api-key",
  "cookie",
  "sec-websocket-protocol",
]);

type Place = (secret: string) => readonly [header: string, value: string];
const bearer: Place = (secret) => ["authorization", `Bearer ${secret}`];
const named =
  (name: string): Place =>
  (secret) => [name, secret];

/** The places of those that take something else than a bearer token. */
const PLACES: { readonly [owner: string]: readonly Place[] } = {
  // As its SDK chose: docs/decisions/0001-anthropic-key-header.md.
  anthropic: [named("x-api-key"), bearer],
  gemini: [named("x-goog-api-key")],
  azure: [named("api-key")],
  elevenlabs: [named("xi-api-key")],
  deepgram: [(secret) => ["authorization", `Token ${secret}`]],
  assemblyai: [named("authorization")],
  // A key, or the token that is made of an app client.
  vectara: [named("x-api-key"), bearer],
  storage: [],
  "price list": [],
};

/** Whatever the gateway itself gives out begins so: master keys, tokens for clients, permissions in links. */
const OURS = /lmk_[A-Za-z0-9]{10}_?|lmkt\.|lmk_capability/;

/** Judges what the stand-ins of a suite received. */
export function judge(record: Record): Verdict {
  const addresses = ofKind(record, "address");
  const secrets = ofKind(record, "secret");
  const needles = needlesFor(secrets);
  const requests = new Map<string, number>();
  const findings = new Set<string>();
  for (const { origin, bytes } of connections(record)) {
    for (const request of requestsIn(bytes)) {
      const owners = ownersOf(addresses, origin, request.target);
      const owner = [...owners.keys()][0];
      const path = request.line.replace(/\?.*/, "");
      if (owner === undefined) {
        findings.add(`"${path}" was sent to ${origin}, which is no provider's.`);
        continue;
      }
      requests.set(owner, (requests.get(owner) ?? 0) + 1);
      if (owners.size > 1)
        findings.add(
          `${origin} is the address of ${[...owners.keys()].join(" and ")}: nobody can tell whose.`,
        );
      const address = owners.get(owner) as Address;
      for (const found of wrongIn(request, address, secrets, needles))
        findings.add(`${owner}, "${path}": ${found}`);
    }
  }
  return { requests, findings: [...findings] };
}

/** What was sent past all stand-ins. */
export function strays(record: Record): string[] {
  return ofKind(record, "packet").map(
    ({ protocol, to, port, name }) => `${protocol} to ${to}:${port}${name === null ? "" : `, for ${name}`}`,
  );
}

function ofKind<What extends Note["what"]>(record: Record, what: What): Extract<Note, { what: What }>[] {
  return record.filter((one): one is Extract<Note, { what: What }> => one.what === what);
}

function connections(record: Record): Iterable<{ origin: string; bytes: Buffer }> {
  const found = new Map<string, { origin: string; pieces: Buffer[] }>();
  for (const { origin, connection, bytes } of ofKind(record, "bytes")) {
    const one = found.get(connection) ?? { origin, pieces: [] };
    found.set(connection, one);
    one.pieces.push(Buffer.from(bytes, "base64"));
  }
  return [...found.values()].map(({ origin, pieces }) => ({ origin, bytes: Buffer.concat(pieces) }));
}

/** The requests of a connection, one after another; of one that was cut off, what came of it. */
function* requestsIn(bytes: Buffer): Generator<Request> {
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n\r\n", at);
    const [line = "", ...lines] = bytes.toString("latin1", at, end === -1 ? bytes.length : end).split("\r\n");
    const headers = lines.map((one) => {
      const colon = one.indexOf(":");
      return [one.slice(0, colon), one.slice(colon + 1).trim()] as const;
    });
    const start = end === -1 ? bytes.length : end + 4;
    const isChunked = /chunked/i.test(header({ headers }, "transfer-encoding") ?? "");
    const length = Number(header({ headers }, "content-length") ?? 0);
    const { body, next } = isChunked
      ? chunksFrom(bytes, start)
      : { body: bytes.subarray(start, start + length), next: start + length };
    yield { line, target: line.split(" ")[1] ?? "", headers, body };
    at = next;
  }
}

function chunksFrom(bytes: Buffer, start: number): { body: Buffer; next: number } {
  const pieces: Buffer[] = [];
  for (let at = start; ; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = end === -1 ? Number.NaN : Number.parseInt(bytes.toString("latin1", at, end), 16);
    // Cut off, or no chunk: the rest is looked at as it came.
    if (Number.isNaN(size))
      return { body: Buffer.concat([...pieces, bytes.subarray(at)]), next: bytes.length };
    if (size === 0) return { body: Buffer.concat(pieces), next: bytes.indexOf("\r\n", end + 2) + 2 };
    pieces.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

/** Those whose address this is, by name; of several whose paths begin alike, the longest's. */
function ownersOf(addresses: readonly Address[], origin: string, target: string): Map<string, Address> {
  const fitting = addresses.filter(
    (one) =>
      one.origin === origin &&
      (one.path === "" || target === one.path || /^[/?:]/.test(rest(target, one.path))),
  );
  const longest = Math.max(...fitting.map(({ path }) => path.length));
  return new Map(fitting.filter(({ path }) => path.length === longest).map((one) => [one.owner, one]));
}

function rest(target: string, path: string): string {
  return target.startsWith(path) ? target.slice(path.length) : "";
}

function wrongIn(
  request: Request,
  { owner, gives }: Address,
  secrets: readonly Secret[],
  needles: Needles,
): string[] {
  const own = secrets.filter((secret) => secret.owner === owner).map(({ text }) => text);
  const places = gives === "tokens" ? [] : (PLACES[owner] ?? [bearer]);
  const isOwn = ([name, value]: HeaderList[number]) =>
    own.some((secret) =>
      places.some((place) => {
        const [header, expected] = place(secret);
        return name.toLowerCase() === header && value === expected;
      }),
    );
  const ownHeaders = request.headers.filter(isOwn);
  const others = request.headers.filter((one) => !ownHeaders.slice(0, 1).includes(one));
  const findings = others
    .filter(([name]) => CREDENTIAL_HEADERS.has(name.toLowerCase()))
    .map(([name]) => `a credential that is not its own in ${name.toLowerCase()}`);

  const isCompressed = header(request, "content-encoding") !== undefined;
  const plain = (isCompressed ? inflated(request.body) : request.body).toString("latin1");
  const body = gives === "tokens" ? withoutClientSecret(plain, own) : plain;
  for (const [where, text] of [
    ["its head", [request.line, ...others.map(([name, value]) => `${name}: ${value}`)].join("\n")],
    ["its body", body],
    ["its body as it came", isCompressed ? request.body.toString("latin1") : ""],
  ] as const) {
    for (const whose of secretsIn(text, needles)) findings.push(`${whose} in ${where}`);
  }
  return findings;
}

/** An app client's secret is for the token server, as one field of its form. */
function withoutClientSecret(body: string, own: readonly string[]): string {
  for (const secret of own) {
    const field = `client_secret=${encodeURIComponent(secret)}`;
    if (body.split("&").includes(field)) return body.replace(field, "");
  }
  return body;
}

/** A master key's own part is a secret by halves, too. */
function needlesFor(secrets: readonly Secret[]): Needles {
  const needles = new Map<string, string>();
  for (const { owner, text } of secrets) {
    const [, part] = /^lmk_\w{10}_(\w{32})_/.exec(text) ?? [];
    const whose = owner === "gateway" ? "a key of the gateway" : `the credential for ${owner}`;
    for (const one of part === undefined ? [text] : [part.slice(0, 16), part.slice(16)])
      needles.set(one, whose);
  }
  return new Needles(needles);
}

function secretsIn(text: string, needles: Needles): Set<string> {
  const found = new Set<string>();
  for (const reading of readings(text)) {
    if (OURS.test(reading)) found.add("what the gateway gave out");
    for (const whose of needles.in(reading)) found.add(whose);
  }
  return found;
}
