import type { Ask, AskDecision, AskFilter } from "./ask.ts";
import type { AuditFilter, AuditNote, AuditRow, AuditSource } from "./audit.ts";
import type { ChildKey, ChildLimits } from "./child-key.ts";
import type { Claim } from "./claim.ts";
import type { StoredCredential } from "./credential.ts";
import type { Group, MasterKey, User } from "./directory.ts";
import type { Leak } from "./leak.ts";
import type { AccountBalance, AccountId, Block, Commit, LedgerTail } from "./ledger.ts";
import type { NamedProvider } from "./named-provider.ts";
import type { ListedObject, ObjectFilter, ObjectName, OwnedObject } from "./owned-object.ts";
import type { ScopeChange, ScopePolicy, StoredBudget } from "./policy.ts";
import type {
  KeptPriceBook,
  PinnedSnapshot,
  PriceOverride,
  PricingDefault,
  UnpricedModel,
} from "./prices.ts";
import type {
  LoggedRequest,
  RequestFilter,
  RequestPage,
  RequestPageFilter,
  RowCostView,
  UsageFilter,
  UsageSum,
} from "./request-record.ts";
import type { Traffic, TrafficFilter } from "./rollup.ts";
import type { OrganisationSettings } from "./settings.ts";
import type {
  ApiToken,
  Identity,
  Passkey,
  SignedUser,
  SignInLink,
  SignInSettings,
  StoredSession,
} from "./sign-in.ts";
import type { ThresholdEvent, WebhookEvent } from "./webhook-event.ts";

/**
 * Everything that outlives the process. One contract suite runs against every implementation.
 *
 * Names are unique among groups and among users. A method that finds nothing returns null or false; it throws
 * `Conflict` for a name that is taken, and `StorageFailure` when the store itself cannot do its work.
 */
export interface Store
  extends AuditedStore,
    AuditStore,
    SecretStore,
    ChildKeyStore,
    RequestStore,
    RollupStore,
    CreationStore,
    LedgerStore,
    LedgerSearch,
    KeptPriceStore,
    ObjectStore,
    SignInTraceStore,
    WebhookEventStore {
  close(): Promise<void>;
}

/**
 * What people decide. Methods that only read are named `list...` or `read...`; each of the others needs a rule in
 * `storage/queries/audit-rules.ts`, and is called by way of `audited`.
 */
export interface AuditedStore
  extends DirectoryStore,
    CredentialStore,
    NamedProviderStore,
    PriceStore,
    PolicyStore,
    ClaimStore,
    AskStore,
    ObjectDecisions,
    SignInStore {}

/** A method that changes what people decide. */
export type Change = Exclude<keyof AuditedStore, `list${string}` | `read${string}`>;

/** The audit log, to which rows are added and nothing else. */
export interface AuditStore {
  /** Needed before the first row. @param key For the chain of hashes, 32 bytes. */
  openAudit(key: Uint8Array): Promise<void>;
  /** Makes the change and writes down who made it and what it replaced: both or neither. A change of nothing has no row. */
  audited<Name extends Change>(
    source: AuditSource,
    change: Name,
    ...args: Parameters<AuditedStore[Name]>
  ): ReturnType<AuditedStore[Name]>;
  /** Writes down what changes nothing here. */
  noteAudit(source: AuditSource, note: AuditNote): Promise<void>;
  /** Newest first, or oldest first where `filter.after` is given. */
  listAudit(filter: AuditFilter): Promise<AuditRow[]>;
  /** The log's end, signed: see `signHead`. */
  readAuditHead(): Promise<string>;
}

/** What the admin API gets: it reads, and whatever it changes is audited. */
export type AdminStore = Pick<AuditedStore, Exclude<keyof AuditedStore, Change>> &
  Pick<RequestStore, "listRequests" | "pageRequests" | "readRequest" | "sumUsage" | "listUnpriced"> &
  Pick<RollupStore, "readTraffic"> &
  CreationStore &
  Pick<ObjectStore, "listObjects"> &
  Omit<SignInTraceStore, "pruneSignIn"> &
  Omit<AuditStore, "openAudit">;

/**
 * Groups, users and master keys.
 *
 * A change that would leave nobody who can sign in as owner, where there was somebody, throws `Conflict`.
 */
export interface DirectoryStore {
  addGroup(group: Group): Promise<void>;
  listGroups(): Promise<Group[]>;
  updateGroup(id: string, change: Partial<Omit<Group, "id">>): Promise<boolean>;

  addUser(user: User): Promise<void>;
  listUsers(): Promise<User[]>;
  updateUser(id: string, change: Partial<Omit<User, "id">>): Promise<boolean>;

  addKey(key: MasterKey): Promise<void>;
  /**
   * Makes it, with what restricts it: both or neither.
   * @throws TooManyChildren
   */
  addChildKey(key: ChildKey, scope: ScopeChange, limits: ChildLimits): Promise<void>;
  /** Oldest first. */
  listKeys(filter?: KeyFilter): Promise<MasterKey[]>;
  updateKey(id: string, change: Partial<Omit<MasterKey, "id" | "secrets">>): Promise<boolean>;
  /** Makes this the key's current secret; the one before it lives until `overlapUntil`, all older ones are deleted. */
  rotateKey(id: string, hash: Uint8Array, now: number, overlapUntil: number): Promise<boolean>;
  /**
   * Notes that one of its secrets was seen, with what the webhook is told of it: both or neither. False where that secret,
   * or a newer one, was seen before.
   * @param frozenWhy Freezes it; null to let it work on.
   */
  noteLeak(id: string, leak: Leak, frozenWhy: string | null, event: WebhookEvent): Promise<boolean>;
}

export interface KeyFilter {
  /** Of child keys none, or only those that had not ended before this time, epoch milliseconds. */
  readonly children?: "none" | { readonly aliveAt: number };
}

/** What child keys leave behind. */
export interface ChildKeyStore {
  /**
   * Drops the policies, and ends the budgets, of child keys that ended before this time, epoch milliseconds: nothing can
   * be called with them any more.
   */
  retireChildKeys(endedBefore: number): Promise<void>;
}

/** Sealed provider keys. */
export interface CredentialStore {
  addCredential(credential: StoredCredential): Promise<void>;
  listCredentials(): Promise<StoredCredential[]>;
  updateCredential(id: string, change: { weight: number }): Promise<boolean>;
  removeCredential(id: string): Promise<boolean>;
}

/** Providers that administrators have named. */
export interface NamedProviderStore {
  addProvider(provider: NamedProvider): Promise<void>;
  /** By id. */
  listProviders(): Promise<NamedProvider[]>;
  removeProvider(id: string): Promise<boolean>;
}

/** Links that make a key for whoever opens them. */
export interface ClaimStore {
  addClaim(claim: Claim): Promise<void>;
  /** Newest first. */
  listClaims(): Promise<Claim[]>;
  readClaim(id: string): Promise<Claim | null>;
  /** False where it was used or revoked before. */
  revokeClaim(id: string, at: number): Promise<boolean>;
  /** Adds the key and uses the link up: both, or neither and false where it was used, revoked or has expired. */
  useClaim(id: string, key: MasterKey, at: number): Promise<boolean>;
}

/** Small secrets of the installation itself (pepper, data key), wrapped before they get here. */
export interface SecretStore {
  readSecret(purpose: string): Promise<Uint8Array | null>;
  /** Stores it unless there is one already; returns the one that is now stored. */
  putSecret(purpose: string, wrapped: Uint8Array): Promise<Uint8Array>;
}

/** The request log. */
export interface RequestStore {
  /** Newest first, or oldest first where `filter.after` is given. */
  listRequests(filter: RequestFilter): Promise<LoggedRequest[]>;
  /** Newest arrival first, or oldest where asked; a page may be short of rows and yet not the last. */
  pageRequests(filter: RequestPageFilter): Promise<RequestPage>;
  /** By the request's id, or its place in the log. */
  readRequest(ref: string): Promise<LoggedRequest | null>;
  /** The log's rows added up, dearest first; without keys, all of them as one. Never anything but their sum. */
  sumUsage(filter: UsageFilter): Promise<UsageSum[]>;
  /** Deletes rows that arrived before this time; returns how many. */
  pruneRequests(before: number): Promise<number>;
  /** Rows that arrived before this time may be missing; 0 where none was ever deleted. */
  prunedBefore(): Promise<number>;
  /** Costs of the rows behind this one, oldest first. */
  readRowCosts(after: number, limit: number): Promise<RowCostView[]>;
  /** Of the log's rows that used something and have no cost; most requests first. */
  listUnpriced(priceBook: string, since?: number): Promise<UnpricedModel[]>;
}

/** Sums of the log's rows by hour and day. */
export interface RollupStore {
  /** Adds the next rows of the log to the sums, at most so many; returns how many. */
  rollUp(limit: number): Promise<number>;
  readTraffic(filter: TrafficFilter): Promise<Traffic>;
  /** In words, where the sums are not those of the rows. */
  listRollupDifferences(): Promise<string[]>;
}

/** Holds, entries and balances; log rows are written with them. */
export interface LedgerStore {
  /** All of it or nothing; durable when it returns. */
  commit(commit: Commit): Promise<void>;
  readLedgerTail(): Promise<LedgerTail>;
  /** Those behind this one, oldest first. */
  readBlocks(after: number, limit: number): Promise<Block[]>;
  /** Balances of periods that end after this time, epoch milliseconds. */
  listAccounts(since: number): Promise<AccountBalance[]>;
  readAccounts(ids: readonly AccountId[]): Promise<AccountBalance[]>;
  /** Says that this request metered this job; false where another one has. */
  claimJob(job: string, requestId: string): Promise<boolean>;
  /** Takes back what requests claimed that came to no end. */
  unclaimJobs(requestIds: readonly string[]): Promise<void>;
  /** Those of these requests that the log has no row of. */
  findUnlogged(requestIds: readonly string[]): Promise<string[]>;
}

export interface LedgerSearch {
  /** Blocks of this time that contain this text, oldest first. @param from The first that is looked at. */
  findBlocks(since: number, until: number, text: string, limit: number, from?: number): Promise<Block[]>;
}

/** What the administrator decided on prices. */
export interface PriceStore {
  /** Replaces the one for the same provider, model and tier. */
  putPriceOverride(override: PriceOverride): Promise<void>;
  /** Oldest decision first. */
  listPriceOverrides(): Promise<PriceOverride[]>;
  removePriceOverride(provider: string, model: string, serviceTier: string | null): Promise<boolean>;
  /** Null takes the decision back. */
  putPricingDefault(provider: string, pricing: PricingDefault | null): Promise<void>;
  /** By provider. */
  listPricingDefaults(): Promise<Record<string, PricingDefault>>;
  /** Null goes back to the list prices that came with this version. */
  pinSnapshot(snapshot: PinnedSnapshot | null): Promise<void>;
  readPinnedSnapshot(): Promise<PinnedSnapshot | null>;
}

/** What price books were made of, so that what a call cost can be worked out again. */
export interface KeptPriceStore {
  /**
   * Keeps what a book was made of, for good; one that is kept already stays as it is.
   * @param snapshotText That of its snapshot; null where it is kept already.
   */
  keepPriceBook(book: KeptPriceBook, snapshotText: string | null): Promise<void>;
  /** All that were ever kept. */
  listKeptPriceBooks(): Promise<KeptPriceBook[]>;
  /** The text of a kept book's snapshot. */
  readKeptSnapshot(hash: string): Promise<string | null>;
}

/** Policies, budgets, and what holds for the whole installation. */
export interface PolicyStore {
  /** Scopes that have, or had, a policy or a budget; their budgets in force by name. Those of child keys too, unless `none`. */
  listPolicies(filter?: { children?: "none" }): Promise<ScopePolicy[]>;
  /**
   * Gives each scope this policy and exactly these budgets, all or none of it. A budget that is known by its id keeps
   * what was spent; one that is missing is removed, and stays known to those who ask for it.
   * @throws Conflict where a scope has another version than the one that is changed.
   */
  changePolicies(changes: readonly ScopeChange[], at: number): Promise<void>;
  /** Those in force by scope and name; with `removed`, the others too. */
  listBudgets(filter?: { removed?: boolean }): Promise<StoredBudget[]>;
  readSettings(): Promise<OrganisationSettings>;
  putSettings(settings: OrganisationSettings): Promise<void>;
}

/** What users ask administrators for. */
export interface AskStore {
  addAsk(ask: Ask): Promise<void>;
  /**
   * Closes it, and changes what it asked for: both or neither.
   * @throws Conflict where it is closed already, or a scope was changed meanwhile.
   */
  decideAsk(id: string, decision: AskDecision, changes: readonly ScopeChange[]): Promise<void>;
  /** Newest first. */
  listAsks(filter: AskFilter): Promise<Ask[]>;
  readAsk(id: string): Promise<Ask | null>;
}

/** What was asked to be done once, under keys that clients choose. */
export interface CreationStore {
  /**
   * Notes that it is begun; null where it was not begun before.
   * @param keptSince What was begun before is forgotten.
   */
  beginCreation(key: string, requestHash: string, at: number, keptSince: number): Promise<Creation | null>;
  /** Keeps its answer; null where nothing was done, so that it may be tried again. */
  endCreation(key: string, answer: Creation["answer"]): Promise<void>;
}

export interface Creation {
  readonly requestHash: string;
  /** Null while it is under way, or where nobody knows how it ended. */
  readonly answer: { readonly status: number; readonly body: string } | null;
}

/** Who had made what lies at the providers. */
export interface ObjectStore {
  /**
   * Durable when it returns. One that is known already stays its owner's, unless it was deleted.
   * @param anew These were made this moment, under names that clients choose: whoever had one of that name lost it.
   */
  addObjects(objects: readonly OwnedObject[], anew: boolean): Promise<void>;
  /** Those of these that are known, deleted ones too, in any order. */
  findObjects(names: readonly ObjectName[]): Promise<OwnedObject[]>;
  noteDeleted(name: ObjectName, at: number): Promise<void>;
  /** Newest first. */
  listObjects(filter: ObjectFilter): Promise<ListedObject[]>;
}

/** What administrators decide on objects at the providers. */
export interface ObjectDecisions {
  /** Makes it this user's, whether it was known or not; false where there is no such user. */
  assignObject(name: ObjectName, userId: string, at: number): Promise<boolean>;
  /** From then on nobody knows whose it is. */
  forgetObject(name: ObjectName): Promise<boolean>;
}

/** How people come into the admin API. */
export interface SignInStore {
  addSession(session: StoredSession): Promise<void>;
  /** Newest first; of one user, or of all. */
  listSessions(userId?: string): Promise<StoredSession[]>;
  readSession(hash: Uint8Array): Promise<(SignedUser & { session: StoredSession }) | null>;
  /** Its user has shown again who they are. */
  stepUpSession(id: string, at: number): Promise<boolean>;
  endSession(id: string): Promise<boolean>;
  /** All of a user's but this one; false where there was none. */
  endSessions(userId: string, except: string | null): Promise<boolean>;

  addSignInLink(link: SignInLink): Promise<void>;
  readSignInLink(hash: Uint8Array): Promise<(SignedUser & { link: SignInLink }) | null>;
  /** False where it is used up already: whoever gets true is the only one. */
  useSignInLink(id: string): Promise<boolean>;

  readPassword(userId: string): Promise<string | null>;
  /** Null takes it away; false where there was none. */
  setPassword(userId: string, hash: string | null, at: number): Promise<boolean>;

  /** Oldest first. */
  listPasskeys(userId: string): Promise<Passkey[]>;
  readPasskey(id: string): Promise<(SignedUser & { passkey: Passkey }) | null>;
  addPasskey(passkey: Passkey): Promise<void>;
  removePasskey(id: string): Promise<boolean>;

  /** Oldest first; of one user, or of all. */
  listApiTokens(userId?: string): Promise<ApiToken[]>;
  readApiToken(id: string): Promise<(SignedUser & { token: ApiToken }) | null>;
  addApiToken(token: ApiToken): Promise<void>;
  removeApiToken(id: string): Promise<boolean>;

  readIdentity(issuer: string, subject: string): Promise<(SignedUser & { identity: Identity }) | null>;
  addIdentity(identity: Identity): Promise<void>;

  readSignInSettings(): Promise<SignInSettings>;
  putSignInSettings(settings: SignInSettings): Promise<void>;
}

/** What is noted of sign-ins without being anybody's decision. */
export interface SignInTraceStore {
  touchSession(id: string, at: number): Promise<void>;
  touchApiToken(id: string, at: number): Promise<void>;
  touchPasskey(id: string, counter: number, at: number): Promise<void>;
  /** Forgets links and sessions that ended before this time. */
  pruneSignIn(before: number): Promise<void>;
}

/** What webhooks are told. */
export interface WebhookEventStore {
  /** False where this threshold of this period was noted before: it is told once. */
  addThresholdEvent(event: ThresholdEvent): Promise<boolean>;
  /** What was noted and not yet told, oldest first. */
  listUntoldEvents(): Promise<WebhookEvent[]>;
  /** @param outcome `told`, or `failed` where nobody took it. */
  closeEvent(id: string, outcome: "told" | "failed", at: number): Promise<void>;
}

/** A name or id that is taken already. */
export class Conflict extends Error {
  override name = "Conflict";
}

/** The store cannot read or write: disk full, read-only, corrupt, gone. */
export class StorageFailure extends Error {
  override name = "StorageFailure";
}
