import { type CompiledScope, compileScope } from "../domain/compiled-scope.ts";
import type { Group, KeySecret, MasterKey, User } from "../domain/directory.ts";
import type { LimitedScope } from "../domain/limits.ts";
import { strictestSharing } from "../domain/owned-object.ts";
import type { PathReader } from "../domain/pattern.ts";
import type { Scope, ScopePolicy, Sharing } from "../domain/policy.ts";
import type { Store } from "../domain/store.ts";

/** A key and whom it belongs to. */
export interface KeyHolder {
  readonly key: MasterKey;
  readonly user: User;
  readonly group: Group;
  /**
   * What restricts its calls: organisation, group, user, the keys that it was made with, and key, in this order, those that
   * have a policy or a budget.
   */
  readonly scopes: readonly CompiledScope[];
  /** Of the scopes that it is in, those that have limits; undefined where none has. */
  readonly limits?: readonly LimitedScope[];
  /** Whose files, batches, threads... it may use. */
  readonly sharing: Sharing;
  /** Of a child key: the key that it was made with, the one that that was made with, ... */
  readonly ancestors?: readonly MasterKey[];
}

/** A key that was presented, and which of its secrets it is. */
interface Identified {
  readonly keyId: string;
  readonly secret: KeySecret;
}

/** Keys, and their aliases, that are remembered at a time. */
const MOST_IDENTIFIED = 20_000;

type Known = Pick<Store, "listGroups" | "listUsers" | "listKeys" | "listPolicies">;

const NO_SCOPES: readonly CompiledScope[] = [];

/**
 * All keys and policies in memory, so that identifying a request and deciding on it wait for nothing; loaded again
 * whenever one changes.
 */
export class Directory {
  private holders = new Map<string, KeyHolder>();
  /** By what clients sent, letter for letter; forgotten with every load, so that nobody outlives a change. */
  private identified = new Map<string, Identified>();
  /** By scope; kept over loads where nothing changed, because counts may hang on them. */
  private compiled = new Map<string, CompiledScope>();
  private readonly readPath: PathReader;

  constructor(readPath: PathReader = (_, path) => path.toLowerCase()) {
    this.readPath = readPath;
  }

  find(keyId: string): KeyHolder | undefined {
    return this.holders.get(keyId);
  }

  /** All keys of a user. */
  keysOf(userId: string): MasterKey[] {
    return [...this.holders.values()].flatMap(({ key }) => (key.userId === userId ? [key] : []));
  }

  /** The keys that were made with this one. */
  childrenOf(keyId: string): KeyHolder[] {
    return [...this.holders.values()].filter(({ key }) => key.parent?.keyId === keyId);
  }

  /** Which key this text was found to be, since anything last changed. */
  identifiedBy(text: string): Identified | undefined {
    return this.identified.get(text);
  }

  /** @param text What was found to be this key with this secret. */
  noteIdentified(text: string, keyId: string, secret: KeySecret): void {
    if (this.identified.size >= MOST_IDENTIFIED) this.identified.clear();
    this.identified.set(text, { keyId, secret });
  }

  /** What restricts calls of this key, or of any key of this user or group. */
  scopesOf(ids: {
    group: string;
    user?: string | undefined;
    key?: string | undefined;
  }): readonly CompiledScope[] {
    const holder = ids.key === undefined ? undefined : this.holders.get(ids.key);
    return holder?.scopes ?? scopesOf({ ...ids, keys: [] }, this.compiled);
  }

  /** Every scope that has a policy or a budget, whether a key is in it or not. */
  get scopes(): Iterable<CompiledScope> {
    return this.compiled.values();
  }

  /** @param aliveAt Child keys that had ended before this time are forgotten. */
  async load(store: Known, aliveAt = 0): Promise<void> {
    // Asked for at once: the answers to two loads then come in the order of the loads, and the later one's stays.
    const [groups, users, keys, policies] = await Promise.all([
      store.listGroups(),
      store.listUsers(),
      store.listKeys({ children: { aliveAt } }),
      store.listPolicies(),
    ]);
    const groupById = new Map(groups.map((group) => [group.id, group]));
    const userById = new Map(users.map((user) => [user.id, user]));
    const keyById = new Map(keys.map((key) => [key.id, key]));
    const nameOf = ({ kind, id }: Scope): string => {
      if (kind === "organisation") return "the organisation";
      if (kind === "key") return `key ${keyById.get(id)?.name ?? ""} (${id})`;
      return `${kind} ${(kind === "group" ? groupById : userById).get(id)?.name ?? id}`;
    };
    const compiled = new Map<string, CompiledScope>();
    for (const policy of policies) {
      if (isEmpty(policy)) continue;
      compiled.set(scopeKey(policy.scope), this.compile(policy, nameOf(policy.scope)));
    }
    const holders = new Map<string, KeyHolder>();
    for (const key of keys) {
      const user = userById.get(key.userId);
      const group = user && groupById.get(user.groupId);
      if (user === undefined || group === undefined) continue;
      const ancestors = ancestorsOf(key, keyById);
      // Whoever forgot its parent does not know what it may do.
      if (ancestors === undefined) continue;
      const keys = [...ancestors.map(({ id }) => id).reverse(), key.id];
      const scopes = scopesOf({ group: group.id, user: user.id, keys }, compiled);
      const limits = limitsOf(scopes);
      const sharing = sharingOf(scopes);
      holders.set(key.id, {
        key,
        user,
        group,
        scopes,
        sharing,
        ...(limits.length > 0 && { limits }),
        ...(ancestors.length > 0 && { ancestors }),
      });
    }
    this.holders = holders;
    this.identified = new Map();
    this.compiled = compiled;
  }

  /** Before a load: what a provider's paths mean may be another thing now. */
  forgetPatterns(): void {
    this.compiled = new Map();
  }

  private compile(policy: ScopePolicy, name: string): CompiledScope {
    const known = this.compiled.get(scopeKey(policy.scope));
    if (known?.version === policy.version && known.name === name) return known;
    return compileScope(policy, name, this.readPath);
  }
}

/** Nearest first; undefined where one of them is not there. */
function ancestorsOf(key: MasterKey, keyById: ReadonlyMap<string, MasterKey>): MasterKey[] | undefined {
  const ancestors: MasterKey[] = [];
  for (let at = key; at.parent !== undefined; ) {
    const parent = keyById.get(at.parent.keyId);
    if (parent === undefined || ancestors.includes(parent)) return undefined;
    ancestors.push(parent);
    at = parent;
  }
  return ancestors;
}

function scopesOf(
  { group, user, keys }: { group: string; user?: string | undefined; keys: readonly string[] },
  compiled: ReadonlyMap<string, CompiledScope>,
): readonly CompiledScope[] {
  if (compiled.size === 0) return NO_SCOPES;
  const names = ["organisation:", `group:${group}`, `user:${user}`, ...keys.map((id) => `key:${id}`)];
  return names.flatMap((name) => compiled.get(name) ?? []);
}

/** Scopes that only count decide nothing. */
function sharingOf(scopes: readonly CompiledScope[]): Sharing {
  return strictestSharing(scopes.filter(({ shadow }) => !shadow).map(({ policy }) => policy.sharing));
}

function limitsOf(scopes: readonly CompiledScope[]): readonly LimitedScope[] {
  return scopes.flatMap(({ scope, name, policy: { limits }, shadow }) =>
    limits === undefined
      ? []
      : [{ id: scope.kind === "organisation" ? scope.kind : scopeKey(scope), label: name, limits, shadow }],
  );
}

function scopeKey({ kind, id }: Scope): string {
  return `${kind}:${id}`;
}

/** Nothing is left of it but its version. */
function isEmpty({ policy, budgets }: ScopePolicy): boolean {
  return budgets.length === 0 && Object.keys(policy).length === 0;
}
