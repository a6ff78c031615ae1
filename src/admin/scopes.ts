import { HTTPException } from "hono/http-exception";
import type { Scope, ScopeKind } from "../domain/policy.ts";
import type { Store } from "../domain/store.ts";
import { findByRef } from "./groups.ts";

/** A scope with the name that people know it by. */
export interface NamedScope extends Scope {
  readonly name: string;
  /** `organisation`, `group:research`, `key:k3yId00001`. */
  readonly ref: string;
}

/** As keys in a file: the platform leaves the one out and takes the other's value for its parent's. */
const UNWRITABLE: ReadonlySet<string> = new Set(["__proto__", "<<"]);

const KINDS: readonly ScopeKind[] = ["organisation", "group", "user", "key"];

/** Which scopes there are. */
export class Scopes {
  private readonly things: Record<Exclude<ScopeKind, "organisation">, readonly Thing[]>;

  private constructor(groups: readonly Thing[], users: readonly Thing[], keys: readonly Thing[]) {
    this.things = { group: groups, user: users, key: keys };
  }

  static async read(store: Pick<Store, "listGroups" | "listUsers" | "listKeys">): Promise<Scopes> {
    const all = await Promise.all([
      store.listGroups(),
      store.listUsers(),
      store.listKeys({ children: "none" }),
    ]);
    return new Scopes(...all);
  }

  /**
   * @param ref `organisation`, or a kind and a name or id: `group:research`.
   * @throws HTTPException 404
   */
  byRef(ref: string): NamedScope {
    const colon = ref.indexOf(":");
    const kind = (colon === -1 ? ref : ref.slice(0, colon)) as ScopeKind;
    if (!KINDS.includes(kind) || (colon === -1) !== (kind === "organisation")) {
      throw new HTTPException(404, {
        message: `"${ref.slice(0, 80)}" is no scope; write organisation, group:<name>, user:<name> or key:<id>.`,
      });
    }
    const found =
      kind === "organisation" ? this.named({ kind, id: "" }) : this.find(kind, ref.slice(colon + 1));
    if (found === undefined) {
      throw new HTTPException(404, { message: `There is no ${kind} "${ref.slice(colon + 1, colon + 81)}".` });
    }
    return found;
  }

  /** By name or id; keys by id alone, for their names are not unique. */
  find(kind: Exclude<ScopeKind, "organisation">, nameOrId: string): NamedScope | undefined {
    const things = this.things[kind];
    const thing = kind === "key" ? things.find(({ id }) => id === nameOrId) : findByRef(things, nameOrId);
    return thing && this.named({ kind, id: thing.id });
  }

  named({ kind, id }: Scope): NamedScope {
    if (kind === "organisation") return { kind, id, name: "organisation", ref: "organisation" };
    const name = this.things[kind].find((thing) => thing.id === id)?.name ?? id;
    return { kind, id, name, ref: `${kind}:${this.key({ kind, id })}` };
  }

  /** What it is called in a file: its name, unless that would be read as something else. */
  key({ kind, id }: Scope): string {
    if (kind === "organisation" || kind === "key") return id;
    const { name } = this.things[kind].find((thing) => thing.id === id) ?? { name: id };
    return UNWRITABLE.has(name) || this.things[kind].some((thing) => thing.id === name) ? id : name;
  }
}

interface Thing {
  readonly id: string;
  readonly name: string;
}
