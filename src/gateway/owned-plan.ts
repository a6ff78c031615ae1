import type { OwnedObject } from "../domain/owned-object.ts";
import type { Sharing } from "../domain/policy.ts";
import type { MadeRule, OwnedKind, OwnedObjects, UseRule } from "../providers/owned.ts";

/** An object as a request names it. */
export interface Reference {
  readonly kind: OwnedKind;
  readonly id: string;
}

/** What an endpoint has to do with objects that somebody owns. */
export interface OwnedPlan {
  readonly rules: CompiledOwned;
  /** The object that the path leads to, and those on the way. */
  readonly named: readonly Reference[];
  /** The path is the object's own: a `DELETE` deletes it. */
  readonly isWhole: boolean;
  /** The path is that of the kind's collection: a `GET` lists, a `POST` makes one. */
  readonly collection: OwnedKind | undefined;
  /** Rules that make something else. */
  readonly made: readonly (readonly [OwnedKind, MadeRule])[];
  readonly uses: UseRule | undefined;
}

/** What a call does with objects, and what its answer has to be read for. */
export interface OwnedCall {
  readonly plan: OwnedPlan;
  /** The known ones of those that the path names, the innermost last. */
  readonly parents: readonly OwnedObject[];
  /** The kind whose list the answer is, where the caller may not see all of it. */
  readonly lists: OwnedKind | undefined;
  /** The kind of which it makes one. */
  readonly makes: OwnedKind | undefined;
  /** What else it makes. */
  readonly made: OwnedPlan["made"];
  /** True where the answer's body is read, so that it must not be compressed. */
  readonly readsAnswer: boolean;
  readonly sharing: Sharing;
}

interface Place {
  readonly kind: OwnedKind;
  /** The id in its first group, what follows it in the second; without both, the collection itself. */
  readonly pattern: RegExp;
}

/** A provider's rules, prepared once. */
export interface CompiledOwned {
  readonly kinds: ReadonlyMap<string, OwnedKind>;
  readonly places: readonly Place[];
  readonly hasMethods: boolean;
  readonly uses: readonly UseRule[];
  /** Matches what any of them matches. */
  readonly any: RegExp;
  /** Plans of endpoints that name nothing. */
  readonly plain: Map<string, OwnedPlan>;
}

const compiled = new WeakMap<OwnedObjects, CompiledOwned>();

function compiledOf(owned: OwnedObjects): CompiledOwned {
  let known = compiled.get(owned);
  if (known === undefined) {
    const places = owned.kinds.flatMap((kind) =>
      kind.at.map((at) => ({ kind, pattern: placePattern(at, owned.hasMethods === true) })),
    );
    const made = owned.kinds.flatMap((kind) => (kind.made ?? []).map(({ path }) => path));
    const sources = [...places.map(({ pattern }) => pattern), ...made, ...owned.uses.map(({ path }) => path)];
    // What is given by others only (`fine_tuned_model`) need not have a place of its own.
    const kinds = new Map(owned.kinds.toReversed().map((kind) => [kind.kind, kind]));
    const any = new RegExp(sources.map(({ source }) => `(?:${source})`).join("|"), "i");
    known = { kinds, places, hasMethods: owned.hasMethods === true, uses: owned.uses, any, plain: new Map() };
    compiled.set(owned, known);
  }
  return known;
}

/** Google's methods follow a colon, at collections and objects alike: `/files:register`, `/files/abc:download`. */
function placePattern(at: string, hasMethods: boolean): RegExp {
  const collection = at.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]+");
  return new RegExp(`^${collection}${hasMethods ? "(?::[a-z]*)?" : ""}(?:/+(?:([^/]+)(/.*)?)?)?$`, "i");
}

/** Endpoints without an id in them are few, and most calls go there. */
const MOST_PLAIN = 1000;

/**
 * @param endpoint Lower-case, as rules are matched against it.
 * @param readings What readers may take the path for, in their own letters: ids have capitals.
 * @param isPlain There is one reading, which is the endpoint but for its capitals.
 * @returns undefined for an endpoint that has nothing to do with any.
 */
export function ownedPlan(
  owned: OwnedObjects,
  endpoint: string,
  isPlain: boolean,
  readings: () => readonly string[],
): OwnedPlan | undefined {
  const rules = compiledOf(owned);
  const known = isPlain ? rules.plain.get(endpoint) : undefined;
  if (known !== undefined) return known;
  if (!rules.any.test(endpoint)) return undefined;
  const plan = planOf(rules, endpoint, readings());
  if (isPlain && plan.named.length === 0 && rules.plain.size < MOST_PLAIN) rules.plain.set(endpoint, plan);
  return plan;
}

function planOf(rules: CompiledOwned, endpoint: string, readings: readonly string[]): OwnedPlan {
  const named: Reference[] = [];
  let isWhole = false;
  let collection: OwnedKind | undefined;
  for (const reading of readings) {
    for (const { kind, pattern } of rules.places) {
      const match = pattern.exec(reading);
      if (match === null) continue;
      const [, segment, rest] = match;
      if (segment === undefined) collection ??= kind;
      else if (kind.notIds?.includes(segment.toLowerCase()) !== true) {
        const id = rules.hasMethods ? withoutMethod(segment) : segment;
        if (kind.ids?.test(id) === false) continue;
        isWhole = (rest === undefined || rest === "/") && id === segment;
        named.push({ kind, id });
      }
    }
  }
  const made = [...rules.kinds.values()].flatMap((kind) =>
    (kind.made ?? []).filter(({ path }) => path.test(endpoint)).map((rule) => [kind, rule] as const),
  );
  return {
    rules,
    named,
    isWhole,
    collection,
    made,
    uses: rules.uses.find(({ path }) => path.test(endpoint)),
  };
}

function withoutMethod(segment: string): string {
  const colon = segment.indexOf(":");
  return colon === -1 ? segment : segment.slice(0, colon);
}

/** The id that a value refers to, where it does: of a name with slashes the last part. */
export function idIn({ pick, ids }: OwnedKind, value: string): string | undefined {
  const id = pick === undefined ? value.slice(value.lastIndexOf("/") + 1) : pick.exec(unescaped(value))?.[1];
  return id === undefined || id === "" || ids?.test(id) === false ? undefined : id;
}

/** Links may have escapes, and mean the same. */
function unescaped(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
