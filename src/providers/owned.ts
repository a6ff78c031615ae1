/**
 * What a provider keeps in the account of its key, so that everybody who shares the key could use it: how paths name,
 * make and list it, and where requests refer to it.
 */
export interface OwnedObjects {
  readonly kinds: readonly OwnedKind[];
  /** Google's way: methods stand behind a colon at the end of a path (`/files/abc:download`). */
  readonly hasMethods?: true;
  /** Endpoints whose requests refer to objects; the first that matches. */
  readonly uses: readonly UseRule[];
}

export interface OwnedKind {
  /** For people, and in the store: `file`, `vector_store`. */
  readonly kind: string;
  /**
   * Paths of its collections, matched as in `Denial`, `*` for any one segment. A `POST` there makes one, a `GET` lists
   * them, and whatever lies behind `<collection>/<id>` belongs to that one.
   */
  readonly at: readonly string[];
  /** Segments behind the collection that are no ids, but endpoints of their own. */
  readonly notIds?: readonly string[];
  /** Paths there name some that are made and listed elsewhere. */
  readonly isElsewhere?: true;
  /** Methods that need it to be the caller's; all where not given. */
  readonly methods?: readonly string[];
  /** The member of an answer that has the id; `id` where not given. Of a name with slashes the last part is the id. */
  readonly id?: string;
  /** The member of the answer that makes one, where it is another. */
  readonly madeId?: string;
  /** The header that has the id of what is made, where the answer's body does not. */
  readonly idHeader?: string;
  /** What ids of an account's own look like; others are the provider's, and open to all. */
  readonly ids?: RegExp;
  /** undefined where there is no list, or one that is open to all. */
  readonly list?: ListShape;
  /** Further endpoints whose answers make some, by the members that have their ids; see `watchList`. */
  readonly made?: readonly MadeRule[];
  /** Whether the request's `store` decides if there is one: kept `unless` it is false, or `if` it is true. */
  readonly stored?: "unless" | "if";
  /** Members of its own answers, and of its elements in lists, with ids of what came of it: `output_file_id`. */
  readonly gives?: Readonly<Record<string, string>>;
  /** Members of a stream's events with ids of what is made, by kind. */
  readonly streamed?: Readonly<Record<string, string>>;
  /** Of a value that refers to one, the id in its first group; what does not match refers to none. */
  readonly pick?: RegExp;
  /** Ids that nobody here has made are the provider's own, and open to all but to be changed. */
  readonly isPublic?: true;
  /** Clients choose the names: one that is made anew is its new owner's. */
  readonly reusable?: true;
}

export interface MadeRule {
  readonly method: string;
  /** Matched as in `Denial`. */
  readonly path: RegExp;
  /** Members of the answer that have an id. */
  readonly ids: readonly string[];
  /** Members of a stream's events that have one. */
  readonly streamed?: readonly string[];
  /** Only where the request's body has this text: of other answers nothing has to be read. */
  readonly when?: string;
}

export interface ListShape {
  /** The member with the elements; empty where the answer is the array itself. */
  readonly items: string;
  /** The member of an element that has the id, where it is not the kind's own. */
  readonly id?: string;
  /** How to ask for the page behind one that is empty for the caller: SDKs take an empty page for the last one. */
  readonly next?: {
    /** The query parameter that takes the cursor. */
    readonly parameter: string;
    /** The member of the answer that has it; `last` for the last element's id. */
    readonly from: string;
    /** The member that must be true, where there is one. */
    readonly more?: string;
    /** Where the query has this parameter, pages go the other way. */
    readonly unless?: string;
    /** Its SDKs fail at a last page that is empty: where nothing of the caller's follows, the cursor is taken out. */
    readonly isEnd?: true;
  };
}

export interface UseRule {
  /** Matched as in `Denial`. */
  readonly path: RegExp;
  /** Members of the body, wherever they stand, that hold an id, a list of ids, or an object with an `id`; by kind. */
  readonly members: Readonly<Record<string, string>>;
  /** Members whose content is the client's own, and nothing to the provider. */
  readonly opaque?: readonly string[];
  /** Forms are read, too: a field may hold an id. */
  readonly forms?: true;
  /** Parameters of the query that hold an id, by kind. */
  readonly query?: Readonly<Record<string, string>>;
}
