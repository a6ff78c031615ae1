import { Refusal } from "../domain/refusal.ts";
import type { LinkRule } from "../providers/provider.ts";
import { Answer, piecesOf } from "../upstream/answer.ts";
import { replaceStrings } from "./json-strings.ts";
import type { Route } from "./route.ts";

const MAX_BYTES = 64 * 1024 * 1024;

/** What links are made of here. */
export interface LinkMaker {
  readonly publicUrl: string;
  /** Makes a link of ours one that can be followed without a key. */
  permit(link: string): string;
}

/**
 * Points the links in an answer to the gateway, in its headers and in its JSON, changing nothing else in its bytes.
 *
 * An SDK follows such a link with the master key, or without any past the gateway, so whatever host it names becomes
 * ours; the path stays.
 * @param headers The answer's, as the client gets them; changed here.
 */
export async function rewriteLinks(
  reply: Answer,
  headers: Headers,
  route: Route,
  maker: LinkMaker,
): Promise<Answer> {
  for (const rule of route.links) {
    for (const name of rule.headers ?? []) {
      const value = headers.get(name);
      const ours = value === null ? undefined : ourLink(value, rule, route, maker);
      if (ours !== undefined) headers.set(name, ours);
    }
  }
  const rules = rulesByField(route.links);
  if (rules.size === 0 || !isJson(reply)) return reply;
  const text = await readText(reply);
  const rewritten = replaceStrings(text, new Set(rules.keys()), (value, field) => {
    const rule = rules.get(field);
    return rule && ourLink(value, rule, route, maker);
  });
  const body = Buffer.from(rewritten, "latin1");
  headers.set("content-length", String(body.length));
  return Answer.withBytes(reply, body);
}

/** True where the answer's body has to be read to find its links. */
export function readsBody(links: readonly LinkRule[]): boolean {
  return links.some(({ fields }) => fields !== undefined);
}

function rulesByField(links: readonly LinkRule[]): Map<string, LinkRule> {
  return new Map(links.flatMap((rule) => (rule.fields ?? []).map((field) => [field, rule])));
}

/** Undefined for what is no absolute link: a `next` may hold a cursor. */
function ourLink(link: string, rule: LinkRule, { upstream }: Route, maker: LinkMaker): string | undefined {
  // Two slashes without a scheme lead to another host, too.
  if (!/^(?:https?:)?[\\/]{2}/i.test(link) || !URL.canParse(link, upstream.base)) return undefined;
  const { host, pathname, search, hash } = new URL(link, upstream.base);
  const place = rule.places?.find(([pattern]) => pattern.test(host));
  const isWithin = upstream.basePath !== "" && pathname.startsWith(`${upstream.basePath}/`);
  const path = isWithin ? pathname.slice(upstream.basePath.length) : pathname;
  const within = place === undefined ? path : host.replace(...place) + pathname;
  const ours = `${maker.publicUrl}/${upstream.provider.id}${within === "/" ? "" : within}${search}`;
  return (rule.followedWithoutKey === true ? maker.permit(ours) : ours) + hash;
}

function isJson(reply: Answer): boolean {
  return (
    /^application\/(?:[\w.+-]+\+)?json\b/i.test(reply.headers.get("content-type") ?? "") &&
    reply.body !== null
  );
}

/** A character for each byte, so that what is no valid text stays as it is. */
async function readText(reply: Answer): Promise<string> {
  const encoding = reply.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") throw unsafe();
  const pieces: Uint8Array[] = [];
  let size = Number(reply.headers.get("content-length") ?? 0) > MAX_BYTES ? MAX_BYTES : 0;
  for await (const piece of piecesOf(reply.body)) {
    size += piece.length;
    if (size > MAX_BYTES) throw unsafe();
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("latin1");
}

function unsafe(): Refusal {
  return new Refusal(
    "upstream_unreachable",
    "The provider's answer holds links that could not be made safe.",
  );
}
