import type { Sharing } from "./policy.ts";

/** What names an object: ids are unique within a provider and kind. */
export interface ObjectName {
  /** Of the provider. */
  readonly provider: string;
  /** `file`, `batch`, `thread`... */
  readonly kind: string;
  /** As the provider gave it. */
  readonly id: string;
}

/** Something that a provider keeps in the account of its key, and who had it made. */
export interface OwnedObject extends ObjectName {
  /** The credential whose account it lies in; null where that is not known. */
  readonly credentialId: string | null;
  /** The key that it was made with; null where an administrator has assigned it. */
  readonly keyId: string | null;
  readonly userId: string;
  /** The group that the user was in. */
  readonly groupId: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** null while it is there, as far as is known. */
  readonly deletedAt: number | null;
}

/** What `listObjects` looks for; names of users and groups as well as their ids. */
export interface ObjectFilter {
  provider?: string | undefined;
  kind?: string | undefined;
  id?: string | undefined;
  user?: string | undefined;
  group?: string | undefined;
  /** Deleted ones too. */
  deleted?: boolean | undefined;
  /** Only those that were written down before this one. */
  before?: number | undefined;
  limit: number;
}

/** An object as it is listed. */
export interface ListedObject extends OwnedObject {
  /** Counts up. */
  readonly seq: number;
  readonly userName: string | null;
  readonly groupName: string | null;
}

const STRICTNESS: Readonly<Record<Sharing, number>> = { own: 0, group: 1, all: 2 };

/** The strictest of what scopes say; `own` where none says anything. */
export function strictestSharing(said: Iterable<Sharing | undefined>): Sharing {
  let strictest: Sharing | undefined;
  for (const one of said) {
    if (one === undefined) continue;
    if (strictest === undefined || STRICTNESS[one] < STRICTNESS[strictest]) strictest = one;
  }
  return strictest ?? "own";
}

/**
 * Whether somebody may use an object.
 * @param object undefined for one that was not made here: whose it is nobody can say.
 */
export function maySee(
  object: Pick<OwnedObject, "userId" | "groupId"> | undefined,
  who: { readonly userId: string; readonly groupId: string },
  sharing: Sharing,
): boolean {
  if (sharing === "all") return true;
  if (object === undefined) return false;
  return object.userId === who.userId || (sharing === "group" && object.groupId === who.groupId);
}
