/** Who changed something. */
export interface AuditActor {
  /**
   * `operator`: whoever holds the operator token; `token`: a user's personal API token; `system`: LlaMaKey itself, for
   * example at its start; `nobody`: who came in under no name.
   */
  readonly kind: "operator" | "user" | "token" | "system" | "nobody";
  /** Of the user or token. */
  readonly id: string | null;
  /** Of a token: `<user>/<token>`. */
  readonly name: string;
}

/** On whose behalf a change is made, and from where. */
export interface AuditSource {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: AuditActor;
  /** Of the client; null for what needs no connection. */
  readonly address: string | null;
}

/** What was changed. */
export interface AuditTarget {
  /** `group`, `user`, `key`, `credential`, `price`... */
  readonly kind: string;
  readonly id: string;
  readonly name: string;
}

/** What is said of a thing: fields from an allow-list, never a secret, a hash of one, or what is sealed. */
export type AuditFields = Readonly<Record<string, unknown>>;

/** Something worth a row that changes nothing in the store. */
export interface AuditNote {
  /** Kind and verb: `credential.test`. */
  readonly action: string;
  readonly target: AuditTarget;
  readonly before: AuditFields | null;
  readonly after: AuditFields | null;
}

/** A row as it is stored; its hash covers all else of it. */
export interface AuditRow extends AuditSource {
  /** From 1, without gaps. */
  readonly seq: number;
  /** Kind and verb: `key.revoke`. */
  readonly action: string;
  readonly target: AuditTarget;
  /** JSON of the fields before the change, exactly as it was hashed; null where there was nothing. */
  readonly before: string | null;
  readonly after: string | null;
  /** Hash of the row before it, hex. */
  readonly previous: string;
  /** Hex. */
  readonly hash: string;
}

export interface AuditFilter {
  /** Only rows at or after this time, epoch milliseconds. */
  since?: number | undefined;
  until?: number | undefined;
  /** Name or id. */
  actor?: string | undefined;
  /** `key.revoke`, or `key` for all that begins with `key.`. */
  action?: string | undefined;
  /** Name or id. */
  target?: string | undefined;
  /** Only rows written before this one. */
  before?: number | undefined;
  /** Only rows written after this one, oldest first. */
  after?: number | undefined;
  limit: number;
}

/** LlaMaKey's own doing. @param name What it was at: `start`, `restore`... */
export function bySystem(name: string, at: number): AuditSource {
  return { at, actor: { kind: "system", id: null, name }, address: null };
}
