/** What docs/transparency.md allows the gateway to change; whatever it does not list, no test allows. */
import { readFileSync } from "node:fs";
import type { HeaderList } from "./http1.ts";

const page = readFileSync(new URL("../../docs/transparency.md", import.meta.url), "utf8");

/** The names of the page's rows. */
export const listed: ReadonlySet<string> = new Set(
  page.split("\n").flatMap((line) => /^\| `([a-z-]+)`: /.exec(line)?.[1] ?? []),
);

export interface SentRequest {
  method: string;
  target: string;
  headers: HeaderList;
  body: Buffer;
}

export interface Expected {
  target: string;
  headers: Record<string, string>;
}

/** Where a request goes, and with which key. */
export interface Destination {
  /** First segment of the path at the gateway. */
  provider: string;
  /** The path in the provider's base. */
  basePath: string;
  host: string;
  credential: readonly [name: string, value: string] | undefined;
}

const KEY_HEADERS = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key"];
const FRAMING = ["content-length", "transfer-encoding"];

/** What the upstream must receive for what the client sent, framing aside. */
export function expectedRequest(sent: SentRequest, to: Destination): Expected {
  const headers = merged(sent.headers, listed.has("header-merging"));
  for (const name of FRAMING) delete headers[name];
  if (listed.has("credential")) {
    for (const name of KEY_HEADERS) delete headers[name];
    if (to.credential) headers[to.credential[0]] = to.credential[1];
  }
  if (listed.has("base-address")) headers["host"] = to.host;
  if (listed.has("hop-by-hop")) delete headers["connection"];
  return { target: expectedTarget(sent.target, to), headers };
}

function expectedTarget(target: string, { provider, basePath }: Destination): string {
  const [path = "", ...query] = target.split("?");
  let rest = path.slice(provider.length + 1);
  if (listed.has("doubled-slashes")) rest = rest.replace(/\/{2,}/g, "/");
  if (listed.has("escaped-characters")) rest = percentEncode(rest, /["<>^`{}]/g);
  if (listed.has("base-address") && basePath.endsWith("/v1") && /^\/v1(\/|$)/.test(rest))
    rest = rest.slice(3);
  let tail = query.length === 0 ? "" : `?${query.join("?")}`;
  if (listed.has("escaped-characters")) tail = percentEncode(tail, /["<>']/g);
  // A request line always has a path.
  return (basePath + rest || "/") + tail;
}

function percentEncode(text: string, characters: RegExp): string {
  return text.replace(
    characters,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Headers by lower-case name; several of one name are told apart where merging them is not allowed. */
export function merged(headers: HeaderList, mayMerge = true): Record<string, string> {
  const byName: Record<string, string> = {};
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    const before = byName[key];
    byName[key] = before === undefined ? value : `${before}${mayMerge ? ", " : "\n"}${value}`;
  }
  // Space around a value is not part of it; joining empty ones makes some.
  for (const [name, value] of Object.entries(byName)) byName[name] = value.replace(/^[ \t]+|[ \t]+$/g, "");
  return byName;
}

const ANSWER_HEADERS_TAKEN_OFF: Record<string, readonly string[]> = {
  "hop-by-hop": [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
  ],
  "host-headers": ["alt-svc", "strict-transport-security"],
};

export interface ExpectedAnswer {
  headers: Record<string, string>;
  cookies: readonly string[];
}

/** What the client must receive for what the upstream answered, framing aside. */
export function expectedAnswer(headers: HeaderList): ExpectedAnswer {
  const isCookie = ([name]: readonly [string, string]) => name.toLowerCase() === "set-cookie";
  const plain = merged(
    headers.filter((one) => !isCookie(one)),
    listed.has("header-merging"),
  );
  for (const name of FRAMING) delete plain[name];
  for (const [slug, names] of Object.entries(ANSWER_HEADERS_TAKEN_OFF)) {
    for (const name of names) if (listed.has(slug)) delete plain[name];
  }
  return { headers: plain, cookies: headers.filter(isCookie).map(([, value]) => value) };
}

/** The client's view of an answer, without what may be added to it and how its body was delimited. */
export function receivedAnswer(headers: HeaderList, sent: HeaderList): ExpectedAnswer {
  const { headers: own, cookies } = {
    headers: merged(headers.filter(([n]) => n.toLowerCase() !== "set-cookie")),
    cookies: headers.filter(([n]) => n.toLowerCase() === "set-cookie").map(([, v]) => v),
  };
  for (const name of FRAMING) delete own[name];
  if (listed.has("request-id")) delete own["x-llamakey-request-id"];
  if (listed.has("date") && !sent.some(([name]) => name.toLowerCase() === "date")) delete own["date"];
  return { headers: own, cookies };
}
