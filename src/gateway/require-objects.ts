import { maySee, type ObjectName, type OwnedObject } from "../domain/owned-object.ts";
import type { Sharing } from "../domain/policy.ts";
import { Refusal } from "../domain/refusal.ts";
import type { MadeRule, OwnedKind } from "../providers/owned.ts";
import type { Call } from "./authorise.ts";
import type { KeyHolder } from "./directory.ts";
import { UnclearJson } from "./json-bytes.ts";
import type { ObjectHomes } from "./object-homes.ts";
import { keyOf, type ObjectIndex } from "./object-index.ts";
import { idIn, type OwnedCall, type OwnedPlan, type Reference } from "./owned-plan.ts";
import { type Mentioned, mentionsIn, NOTHING } from "./references.ts";

/** What is known of objects. */
interface Known {
  readonly objects: ObjectIndex;
  readonly homes: Pick<ObjectHomes, "remember">;
}

/** Longer ones are nobody's. */
const LONGEST_ID = 512;
/** More than one call ever names. */
const MOST_REFERENCES = 20_000;

/**
 * Refuses a call that would use what is not the caller's to use: as if it were not there.
 * @returns a promise where it names something, which has to be looked up.
 * @throws Refusal `object_not_found`, or `bad_request` where the body cannot be read for certain.
 */
export function requireObjects(
  call: Call,
  plan: OwnedPlan,
  holder: KeyHolder,
  known: Known,
): OwnedCall | Promise<OwnedCall> {
  const mentioned = mentionedBy(call, plan);
  return plan.named.length === 0 && mentioned.values.length === 0
    ? ownedCall(call, plan, mentioned, holder.sharing, NO_PARENTS)
    : requireNamed(call, plan, mentioned, holder, known);
}

const NO_PARENTS: readonly OwnedObject[] = [];

async function requireNamed(
  call: Call,
  plan: OwnedPlan,
  mentioned: Mentioned,
  holder: KeyHolder,
  { objects: index, homes }: Known,
): Promise<OwnedCall> {
  const { sharing } = holder;
  const provider = call.route.upstream.provider.id;
  const nameOf = ({ kind, id }: Reference): ObjectName => ({ provider, kind: kind.kind, id });
  const references = [...namedBy(call, plan), ...referencesOf(mentioned, plan)];
  if (references.length > MOST_REFERENCES) {
    throw new Refusal("bad_request", `The request names more than ${MOST_REFERENCES} objects.`);
  }
  // Who may see all need not be looked up, but for whose the things are that come of it.
  const asked = sharing === "all" ? plan.named.map((one) => ({ ...one, changes: false })) : references;
  const found = asked.length === 0 ? NONE : await index.find(asked.map(nameOf));
  const who = { userId: holder.user.id, groupId: holder.group.id };
  for (const reference of sharing === "all" ? [] : references) {
    const { kind, id, changes } = reference;
    const object = id.length > LONGEST_ID ? undefined : found.get(keyOf(nameOf(reference)));
    const isPublic = object === undefined && kind.isPublic === true && !changes;
    if (!isPublic && !maySee(object, who, sharing)) throw notFound(kind, id);
  }
  // Where they lie is on the disk, so that it is known after a start, too.
  for (const { id, credentialId } of found.values()) {
    if (credentialId !== null) homes.remember(provider, id, credentialId);
  }
  const parents = plan.named.flatMap((one) => found.get(keyOf(nameOf(one))) ?? []);
  return ownedCall(call, plan, mentioned, sharing, parents);
}

function ownedCall(
  call: Call,
  plan: OwnedPlan,
  mentioned: Mentioned,
  sharing: Sharing,
  parents: readonly OwnedObject[],
): OwnedCall {
  const makes = madeBy(call, plan, mentioned);
  const made =
    plan.made.length === 0
      ? plan.made
      : plan.made.filter(([, rule]) => rule.method === call.method && isAsked(rule, call));
  const lists = call.method === "GET" && sharing !== "all" ? plan.collection : undefined;
  const listed = lists?.list === undefined ? undefined : lists;
  const gives =
    (plan.named.length > 0 && plan.named.some(({ kind }) => kind.gives !== undefined)) ||
    (call.method === "GET" && plan.collection?.gives !== undefined);
  return {
    plan,
    parents,
    lists: listed,
    makes,
    made,
    readsAnswer: listed !== undefined || makes !== undefined || gives || made.length > 0,
    sharing,
  };
}

const NONE: ReadonlyMap<string, OwnedObject> = new Map();

/** A reference that has to be the caller's. */
interface Checked extends Reference {
  /** The object itself is changed by this. */
  readonly changes: boolean;
}

function namedBy({ method }: Call, { named }: OwnedPlan): Checked[] {
  const changes = method !== "GET" && method !== "HEAD" && method !== "OPTIONS";
  return named
    .filter(({ kind }) => kind.methods === undefined || kind.methods.includes(method))
    .map((one) => ({ ...one, changes: changes && one.kind.isElsewhere !== true }));
}

function referencesOf({ values }: Mentioned, { rules }: OwnedPlan): Checked[] {
  const known = new Map<string, Checked>();
  for (const [name, value] of values) {
    const kind = rules.kinds.get(name);
    const id = kind && idIn(kind, value);
    if (kind !== undefined && id !== undefined) known.set(`${name} ${id}`, { kind, id, changes: false });
  }
  return [...known.values()];
}

function mentionedBy({ read, route }: Call, { uses }: OwnedPlan): Mentioned {
  if (uses === undefined) return NOTHING;
  const values: (readonly [string, string])[] = [];
  if (uses.query !== undefined && route.query !== "") {
    for (const [name, value] of new URLSearchParams(route.query)) {
      const kind = uses.query[name];
      if (kind !== undefined) values.push([kind, value]);
    }
  }
  if (read === undefined) return values.length === 0 ? NOTHING : { ...NOTHING, values };
  if (read.form !== null) {
    for (const [name, all] of read.form.values) {
      // `video[id]`, `file_ids[]`, `input_reference[file_id]`: some SDKs write nested members so.
      const parts = name.split(/[[\].]+/).filter((part) => part !== "");
      const kind = parts.map((part) => uses.members[part]).findLast((one) => one !== undefined);
      if (kind !== undefined) for (const value of all) values.push([kind, value]);
    }
    return { ...NOTHING, values };
  }
  try {
    const mentioned = mentionsIn(read.bytes, uses);
    return values.length === 0 ? mentioned : { ...mentioned, values: [...values, ...mentioned.values] };
  } catch (error) {
    if (!(error instanceof UnclearJson)) throw error;
    throw new Refusal("bad_request", `The request's JSON cannot be read for certain: ${error.message}.`);
  }
}

function isAsked({ when }: MadeRule, { read }: Call): boolean {
  if (when === undefined) return true;
  if (read === undefined) return false;
  const { bytes } = read;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(when);
}

function madeBy({ method }: Call, { collection }: OwnedPlan, said: Mentioned): OwnedKind | undefined {
  if (method !== "POST" || collection === undefined || collection.isElsewhere === true) return undefined;
  if (collection.stored === "if" && !said.stores) return undefined;
  if (collection.stored === "unless" && said.storesNot && !said.stores) return undefined;
  return collection;
}

/** Of one that is somebody else's the same as of one that nobody knows. */
function notFound({ kind }: OwnedKind, id: string): Refusal {
  const shown = /^[\w.:@-]{1,128}$/.test(id) ? ` "${id}"` : " of that id";
  return new Refusal("object_not_found", `There is no ${kind.replaceAll("_", " ")}${shown}.`);
}
