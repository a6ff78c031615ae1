import type { OwnedObject } from "../domain/owned-object.ts";
import { maySee } from "../domain/owned-object.ts";
import { Refusal } from "../domain/refusal.ts";
import { JsonWatcher, watchList } from "../providers/formats/json-watch.ts";
import { SseReader } from "../providers/formats/sse.ts";
import type { ListShape, OwnedKind } from "../providers/owned.ts";
import { Answer, piecesOf } from "../upstream/answer.ts";
import type { Call } from "./authorise.ts";
import type { KeyHolder } from "./directory.ts";
import { UnclearJson } from "./json-bytes.ts";
import { type Elements, elementsOf, withoutElements, withoutMember } from "./list-elements.ts";
import type { Meter } from "./meter.ts";
import { keyOf, type ObjectIndex } from "./object-index.ts";
import { idIn, type OwnedCall } from "./owned-plan.ts";

/** What noting objects needs beside the answer. */
export interface Owning {
  readonly call: Call;
  readonly owned: OwnedCall;
  readonly holder: KeyHolder;
  /** The credential that the call was made with; null for none. */
  readonly credentialId: string | null;
  readonly index: ObjectIndex;
  /** Epoch milliseconds. */
  readonly at: number;
  /** The same call with another query, for the next page of a list. */
  readonly again: (query: string) => Promise<Answer>;
}

const MAX_BYTES = 64 * 1024 * 1024;
/** Pages of others' objects that are passed over for one list. */
const MOST_PAGES = 100;

/** Whether an answer may make, give, list or end an object: those of most calls do nothing of it. */
export function concernsObjects({ plan, makes, made, readsAnswer }: OwnedCall, method: string): boolean {
  return readsAnswer || makes !== undefined || made.length > 0 || (method === "DELETE" && plan.isWhole);
}

/**
 * Writes down whose the objects are that an answer tells of, before anybody can read their ids; takes what is not the
 * caller's out of lists.
 * @param headers The answer's, as the client gets them; changed here.
 * @returns The answer as it goes on.
 * @throws Refusal `upstream_unreachable` for a list that cannot be filtered, `StorageFailure` where nothing can be
 *   written down.
 */
export async function ownObjects(reply: Answer, headers: Headers, owning: Owning): Promise<Answer> {
  const { call, owned, index, at } = owning;
  await noteHeader(reply, owning);
  if (!reply.ok) return reply;
  const target = owned.plan.named.at(-1);
  if (call.method === "DELETE" && owned.plan.isWhole && target !== undefined && !target.kind.isElsewhere) {
    await index.noteDeleted(nameOf(owning, target.kind, target.id), at);
  }
  if (!owned.readsAnswer || reply.body === null) return reply;
  if (owned.lists !== undefined) return filtered(reply, headers, owned.lists, owning);
  if (!isJson(reply)) return reply;
  const bytes = await readAll(reply);
  if (bytes === undefined) return reply;
  const parsed = parse(bytes);
  if (parsed !== undefined) await noteAnswer(parsed, owning);
  return answer(bytes, reply, headers);
}

/** The meter, which holds a stream's piece back until the objects that it names are written down. */
export function notesStream(meter: Meter, reply: Answer, owning: Owning): Meter {
  const { makes, made, plan } = owning.owned;
  const streamed: Record<string, string> = { ...makes?.streamed };
  for (const [kind, rule] of made) {
    Object.assign(streamed, kind.streamed);
    for (const path of rule.streamed ?? []) streamed[path] = kind.kind;
  }
  const paths = Object.keys(streamed);
  if (!reply.ok || paths.length === 0 || !isEventStream(reply)) return meter;
  const noted = new Set<string>();
  const fresh: OwnedObject[] = [];
  const onValue = (path: string, value: unknown) => {
    const kind = plan.rules.kinds.get(streamed[path] ?? "");
    const id = kind && typeof value === "string" ? idIn(kind, value) : undefined;
    if (kind === undefined || id === undefined || noted.has(`${kind.kind} ${id}`)) return;
    noted.add(`${kind.kind} ${id}`);
    fresh.push(objectOf(owning, kind, id));
  };
  const events = new SseReader(new JsonWatcher(watchList(paths), { onValue }));
  return {
    push(bytes) {
      const behind = meter.push(bytes);
      // Of most streams one id is all there is to know.
      if (paths.length === 1 && noted.size > 0) return behind;
      events.push(bytes);
      if (fresh.length === 0) return behind;
      const adding = owning.index.add(fresh.splice(0), false);
      return Promise.all([behind, adding]).then(() => undefined);
    },
    end: () => meter.end(),
    soFar: () => meter.soFar(),
    get textBytes() {
      return meter.textBytes;
    },
  };
}

/** Some send the client on with its file, and say in a header what it will be. */
async function noteHeader({ status, headers }: Answer, owning: Owning): Promise<void> {
  const { makes } = owning.owned;
  const id = makes?.idHeader === undefined ? null : headers.get(makes.idHeader);
  if (makes !== undefined && id && status < 400) await owning.index.add([objectOf(owning, makes, id)], false);
}

/** An answer that is not a list: what was made, and what came of what the path names. */
async function noteAnswer(parsed: unknown, owning: Owning): Promise<void> {
  const { owned, call, index } = owning;
  const { plan, makes, made } = owned;
  const parent = owned.parents.at(-1);
  const anew: OwnedObject[] = [];
  const objects: OwnedObject[] = [];
  const add = (kind: OwnedKind, path: string) => {
    const ofKind = kind.reusable === true ? anew : objects;
    for (const id of idsAt(parsed, path, kind)) ofKind.push(objectOf(owning, kind, id));
  };
  if (makes !== undefined) {
    add(makes, makes.madeId ?? makes.id ?? "id");
    objects.push(...givenBy(parsed, makes, undefined, owning));
  }
  for (const [kind, { ids }] of made) for (const path of ids) add(kind, path);
  // Who may see all may look at what nobody here has made, and does not get it thereby.
  if (parent !== undefined) {
    for (const { kind } of plan.named) objects.push(...givenBy(parsed, kind, parent, owning));
  }
  const { collection } = plan;
  if (call.method === "GET" && collection?.list !== undefined && collection.gives !== undefined) {
    await noteElements(elementsIn(parsed, collection.list), collection, owning);
  }
  if (anew.length > 0) await index.add(anew, true);
  if (objects.length > 0) await index.add(objects, false);
}

/** Of a list that the caller sees all of. */
async function noteElements(elements: readonly unknown[], kind: OwnedKind, owning: Owning): Promise<void> {
  const ids = elements.map((element) => elementId(element, kind));
  const found = await owning.index.find(ids.map((id) => nameOf(owning, kind, id ?? "")));
  const given = elements.flatMap((element, i) => {
    const owner = found.get(keyOf(nameOf(owning, kind, ids[i] ?? "")));
    return owner === undefined ? [] : givenBy(element, kind, owner, owning);
  });
  if (given.length > 0) await owning.index.add(given, false);
}

async function filtered(first: Answer, headers: Headers, kind: OwnedKind, owning: Owning): Promise<Answer> {
  const shape = kind.list as ListShape;
  let reply = first;
  let { query } = owning.call.route;
  for (let pages = 1; ; pages++) {
    const page = await readPage(reply, kind, query, owning);
    const { cursor, visible } = page;
    if (visible.size > 0 || cursor === undefined || pages === MOST_PAGES) {
      await noteElements(
        page.parsed.filter((_, i) => visible.has(i)),
        kind,
        owning,
      );
      const isLast =
        cursor !== undefined &&
        shape.next?.isEnd === true &&
        !(await isMoreBehind(kind, withParameter(query, shape.next.parameter, cursor), owning));
      const bytes = isLast ? withoutMember(page.bytes, shape.next?.from ?? "") : page.bytes;
      // What stood before the list has moved its places.
      const elements = isLast ? elementsFor(bytes, shape) : page.elements;
      const kept = withoutElements(bytes, elements, (i) => visible.has(i));
      return answer(kept, reply, headers);
    }
    query = withParameter(query, shape.next?.parameter ?? "", cursor);
    reply = await nextPage(query, owning);
  }
}

/** Whether any page from here on has something that the caller may see. */
async function isMoreBehind(kind: OwnedKind, from: string, owning: Owning): Promise<boolean> {
  const { next } = kind.list as ListShape;
  let query = from;
  for (let pages = 1; pages < MOST_PAGES; pages++) {
    const { visible, cursor } = await readPage(await nextPage(query, owning), kind, query, owning);
    if (visible.size > 0) return true;
    if (cursor === undefined) return false;
    query = withParameter(query, next?.parameter ?? "", cursor);
  }
  return true;
}

async function nextPage(query: string, owning: Owning): Promise<Answer> {
  const reply = await owning.again(query);
  // What stands between the caller and its own is not the caller's to be told of.
  if (!reply.ok) throw unfilterable();
  return reply;
}

interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly elements: Elements;
  readonly parsed: readonly unknown[];
  /** The places of those that the caller may see. */
  readonly visible: ReadonlySet<number>;
  /** Where the next page begins; undefined where there is none. */
  readonly cursor: string | undefined;
}

async function readPage(reply: Answer, kind: OwnedKind, query: string, owning: Owning): Promise<Page> {
  const shape = kind.list as ListShape;
  const bytes = isJson(reply) ? await readAll(reply) : undefined;
  if (bytes === undefined) throw unfilterable();
  const elements = elementsFor(bytes, shape);
  const parsed = elements.map(([start, end]) => parse(bytes.subarray(start, end)));
  const visible = await visibleOf(parsed, kind, owning);
  return { bytes, elements, parsed, visible, cursor: nextCursor(bytes, parsed, kind, shape, query) };
}

function elementsFor(bytes: Uint8Array, shape: ListShape): Elements {
  try {
    return elementsOf(bytes, shape.items);
  } catch (error) {
    if (error instanceof UnclearJson) throw unfilterable();
    throw error;
  }
}

/** The places of those that the caller may see. */
async function visibleOf(
  elements: readonly unknown[],
  kind: OwnedKind,
  owning: Owning,
): Promise<ReadonlySet<number>> {
  const { holder, owned, index } = owning;
  const who = { userId: holder.user.id, groupId: holder.group.id };
  const ids = elements.map((element) => elementId(element, kind));
  const found = await index.find(ids.flatMap((id) => (id === undefined ? [] : [nameOf(owning, kind, id)])));
  const visible = new Set<number>();
  for (const [i, id] of ids.entries()) {
    const object = id === undefined ? undefined : found.get(keyOf(nameOf(owning, kind, id)));
    const isOthers = id === undefined ? kind.ids !== undefined : kind.isPublic === true;
    const isPublic = object === undefined && isOthers;
    if (isPublic || maySee(object, who, owned.sharing)) visible.add(i);
  }
  return visible;
}

/** Where the next page begins; undefined where there is none. */
function nextCursor(
  bytes: Uint8Array,
  elements: readonly unknown[],
  kind: OwnedKind,
  { next }: ListShape,
  query: string,
): string | undefined {
  if (next === undefined || elements.length === 0) return undefined;
  if (next.unless !== undefined && new URLSearchParams(query).has(next.unless)) return undefined;
  const whole = parse(bytes);
  if (next.more !== undefined && valuesAt(whole, next.more)[0] !== true) return undefined;
  if (next.from === "last") return elementId(elements.at(-1), kind);
  const [cursor] = valuesAt(whole, next.from);
  return typeof cursor === "string" && cursor !== "" ? cursor : undefined;
}

function withParameter(query: string, name: string, value: string): string {
  const others = query
    .slice(1)
    .split("&")
    .filter((parameter) => parameter !== "" && parameter.split("=")[0] !== name);
  return `?${[...others, `${name}=${encodeURIComponent(value)}`].join("&")}`;
}

function elementsIn(parsed: unknown, { items }: ListShape): readonly unknown[] {
  const list = items === "" ? parsed : valuesAt(parsed, items)[0];
  return Array.isArray(list) ? list : [];
}

function elementId(element: unknown, kind: OwnedKind): string | undefined {
  return idsAt(element, kind.list?.id ?? kind.id ?? "id", kind)[0];
}

/** @param owner Of what they came of; undefined for the caller. */
function givenBy(
  parsed: unknown,
  { gives }: OwnedKind,
  owner: OwnedObject | undefined,
  owning: Owning,
): OwnedObject[] {
  return Object.entries(gives ?? {}).flatMap(([path, name]) => {
    const kind = owning.owned.plan.rules.kinds.get(name);
    if (kind === undefined) return [];
    return idsAt(parsed, path, kind).map((id) => {
      const object = objectOf(owning, kind, id);
      if (owner === undefined) return object;
      const { keyId, userId, groupId } = owner;
      return { ...object, keyId, userId, groupId };
    });
  });
}

function idsAt(parsed: unknown, path: string, kind: OwnedKind): string[] {
  return valuesAt(parsed, path).flatMap((value) => {
    const text = typeof value === "number" ? String(value) : value;
    return typeof text === "string" ? (idIn(kind, text) ?? []) : [];
  });
}

/** @param path Members joined by dots, `*` for any element of a list. */
function valuesAt(value: unknown, path: string): unknown[] {
  let values: unknown[] = [value];
  for (const name of path.split(".")) {
    values = values.flatMap((one) => {
      if (name === "*") return Array.isArray(one) ? one : [];
      if (one === null || typeof one !== "object" || !Object.hasOwn(one, name)) return [];
      return [(one as Record<string, unknown>)[name]];
    });
  }
  return values;
}

function nameOf({ call }: Owning, { kind }: OwnedKind, id: string) {
  return { provider: call.route.upstream.provider.id, kind, id };
}

function objectOf(owning: Owning, kind: OwnedKind, id: string): OwnedObject {
  const { holder, credentialId, at } = owning;
  return {
    ...nameOf(owning, kind, id),
    credentialId,
    keyId: holder.key.id,
    userId: holder.user.id,
    groupId: holder.group.id,
    createdAt: at,
    deletedAt: null,
  };
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

function answer(bytes: Uint8Array<ArrayBuffer>, reply: Answer, headers: Headers): Answer {
  headers.set("content-length", String(bytes.length));
  return Answer.withBytes(reply, bytes);
}

function isJson({ headers }: Answer): boolean {
  return /^(?:application\/(?:[\w.+-]+\+)?json|text\/(?:json|plain))\b/i.test(
    headers.get("content-type") ?? "",
  );
}

function isEventStream({ headers }: Answer): boolean {
  return headers.get("content-type")?.startsWith("text/event-stream") === true;
}

/** @returns undefined where it is compressed all the same, or too large; it is then left as it is. */
async function readAll(reply: Answer): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const encoding = reply.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity") return undefined;
  if (Number(reply.headers.get("content-length") ?? 0) > MAX_BYTES) return undefined;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of piecesOf(reply.body)) {
    size += piece.length;
    if (size > MAX_BYTES) throw unfilterable();
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

function unfilterable(): Refusal {
  return new Refusal(
    "upstream_unreachable",
    "The provider's list could not be read, so that what is not yours could not be taken out of it.",
  );
}
