/** What every store does, written once: `describeStore` runs it against an implementation. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Budget } from "../../src/domain/budget.ts";
import { type ChildKey, TooManyChildren } from "../../src/domain/child-key.ts";
import type { Claim } from "../../src/domain/claim.ts";
import type { StoredCredential } from "../../src/domain/credential.ts";
import type { Group, MasterKey, User } from "../../src/domain/directory.ts";
import type { NamedProvider } from "../../src/domain/named-provider.ts";
import type { ObjectFilter, OwnedObject } from "../../src/domain/owned-object.ts";
import type { ScopeChange } from "../../src/domain/policy.ts";
import type { PriceOverride } from "../../src/domain/prices.ts";
import type { Metered, RequestRecord } from "../../src/domain/request-record.ts";
import { Conflict, type KeyFilter, type Store } from "../../src/domain/store.ts";
import type { ThresholdEvent } from "../../src/domain/webhook-event.ts";

/** A place that stores can be opened on, one after another: what one wrote, the next one finds. */
export interface StorePlace {
  open(): Promise<Store>;
  /** What somebody does to the database behind the store's back. */
  execute(statement: string): Promise<void>;
  /** A statement after which no row can be added to the audit log. */
  readonly failAudit: string;
  remove(): Promise<void>;
}

const active = { revokedAt: null, expiresAt: null };
const T0 = 1_763_900_000_000;

function group(id: string, change: Partial<Group> = {}): Group {
  return { id, name: `group ${id}`, createdAt: T0, ...active, ...change };
}

function user(id: string, groupId = "g1", change: Partial<User> = {}): User {
  return { id, name: `user ${id}`, groupId, role: "member", createdAt: T0, ...active, ...change };
}

function hash(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

function key(id: string, userId = "u1", change: Partial<MasterKey> = {}): MasterKey {
  const secrets = [{ version: 1, hash: hash(1), createdAt: T0, expiresAt: null }];
  return {
    id,
    name: "key",
    userId,
    createdAt: T0,
    frozenAt: null,
    frozenWhy: null,
    leak: null,
    secrets,
    ...active,
    ...change,
  };
}

function credential(id: string, change: Partial<StoredCredential> = {}): StoredCredential {
  const sealed = Uint8Array.of(0, 255, 1, 2, 3);
  return {
    id,
    provider: "openai",
    name: id,
    upstream: "https://x/v1",
    sealed,
    masked: "sk-...",
    weight: 3,
    createdAt: T0,
    ...change,
  };
}

function row(id: string, change: Partial<RequestRecord> = {}): RequestRecord {
  return {
    id,
    at: T0,
    keyId: "k1",
    userId: "u1",
    groupId: "g1",
    provider: "openai",
    method: "POST",
    endpoint: "/chat/completions",
    model: "gpt-5",
    status: 200,
    refusal: null,
    shadowRefusal: null,
    ending: "complete",
    sentMs: 0.5,
    firstByteMs: 12.5,
    durationMs: 100.25,
    bytesIn: 10,
    bytesOut: 2 ** 40,
    upstreamRequestId: "req_1",
    address: "127.0.0.1",
    metered: null,
    ...change,
  };
}

/** What a call was rejected with. Not `expect().rejects`: that waits without letting other threads' answers in. */
function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** As the ledger's journal writes them, without anything of the ledger. */
function appendRows(store: Store, rows: readonly RequestRecord[]): Promise<void> {
  return store.commit({ block: null, rows, jobs: [], costs: [], checkpoint: null });
}

export function describeStore(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(name, () => {
    let place: StorePlace;
    let store: Store;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    async function reopen(): Promise<void> {
      await store.close();
      store = await place.open();
    }

    async function addPeople(): Promise<void> {
      await store.addGroup(group("g1"));
      await store.addUser(user("u1"));
      await store.addKey(key("k1"));
    }

    test("starts empty", async () => {
      expect(await store.listGroups()).toEqual([]);
      expect(await store.listUsers()).toEqual([]);
      expect(await store.listKeys()).toEqual([]);
      expect(await store.listCredentials()).toEqual([]);
      expect(await store.listRequests({ limit: 10 })).toEqual([]);
    });

    test("gives back what was put in, every field, after it was closed too", async () => {
      const ended = { revokedAt: T0 + 1, expiresAt: T0 + 2 };
      await store.addGroup(group("g1", ended));
      await store.addUser(user("u1", "g1", ended));
      await store.addKey(key("k1", "u1", ended));
      await store.addCredential(credential("c1"));
      await appendRows(store, [row("r1")]);
      for (let time = 0; time < 2; time++) {
        expect(await store.listGroups()).toEqual([group("g1", ended)]);
        expect(await store.listUsers()).toEqual([user("u1", "g1", ended)]);
        expect(await store.listKeys()).toEqual([key("k1", "u1", ended)]);
        expect(await store.listCredentials()).toEqual([credential("c1")]);
        const names = { userName: "user u1", groupName: "group g1", keyName: "key" };
        expect(await store.listRequests({ limit: 10 })).toMatchObject([{ ...row("r1"), ...names }]);
        await reopen();
      }
    });

    test("keeps texts as they are: quotes, zeros of meaning, emoji, long ones", async () => {
      await store.addGroup(group("g1"));
      const names = [
        "'; DROP TABLE users; --",
        '"',
        "%_\\",
        "Zoë 👩‍💻 模型",
        "x".repeat(10_000),
        " spaced ",
        "?1 $1 :a",
      ];
      for (const [index, text] of names.entries())
        await store.addUser(user(`u${index}`, "g1", { name: text }));
      expect((await store.listUsers()).map((one) => one.name).sort()).toEqual([...names].sort());
    });

    test("throws Conflict for a name or id that is taken, and changes nothing", async () => {
      await addPeople();
      expect(await failureOf(store.addGroup(group("g2", { name: "group g1" })))).toBeInstanceOf(Conflict);
      expect(await failureOf(store.addUser(user("u2", "g1", { name: "user u1" })))).toBeInstanceOf(Conflict);
      expect(await failureOf(store.addKey(key("k1")))).toBeInstanceOf(Conflict);
      await store.addGroup(group("g2"));
      expect(await failureOf(store.updateGroup("g2", { name: "group g1" }))).toBeInstanceOf(Conflict);
      await store.addUser(user("u2"));
      expect(await failureOf(store.updateUser("u2", { name: "user u1" }))).toBeInstanceOf(Conflict);
      await store.addCredential(credential("c1"));
      expect(await failureOf(store.addCredential(credential("c2", { name: "c1" })))).toBeInstanceOf(Conflict);
      await store.addCredential(credential("c3", { name: "c1", provider: "anthropic" }));
      expect((await store.listGroups()).map(({ name }) => name)).toEqual(["group g1", "group g2"]);
      expect((await store.listKeys())[0]?.secrets).toHaveLength(1);
    });

    test("does not add a user to no group, nor a key to no user", async () => {
      expect(await failureOf(store.addUser(user("u1", "nowhere")))).toBeInstanceOf(Error);
      expect(await failureOf(store.addKey(key("k1", "nobody")))).toBeInstanceOf(Error);
      expect(await store.listUsers()).toEqual([]);
      expect(await store.listKeys()).toEqual([]);
    });

    test("changes the named fields and no others; says false for what is not there", async () => {
      await addPeople();
      await store.addGroup(group("g2"));
      expect(await store.updateGroup("g1", { expiresAt: T0 + 5 })).toBe(true);
      expect(await store.updateUser("u1", { groupId: "g2", revokedAt: T0 + 6 })).toBe(true);
      expect(await store.updateKey("k1", { name: "laptop" })).toBe(true);
      expect(await store.updateKey("k1", {})).toBe(true);
      expect(await store.listGroups()).toEqual([group("g1", { expiresAt: T0 + 5 }), group("g2")]);
      expect(await store.listUsers()).toEqual([user("u1", "g2", { revokedAt: T0 + 6 })]);
      expect(await store.listKeys()).toEqual([key("k1", "u1", { name: "laptop" })]);
      expect(await store.updateUser("u1", { revokedAt: null })).toBe(true);
      expect((await store.listUsers())[0]?.revokedAt).toBeNull();
      for (const change of [{ name: "x" }, {}]) {
        expect(await store.updateGroup("none", change)).toBe(false);
        expect(await store.updateUser("none", change)).toBe(false);
        expect(await store.updateKey("none", change)).toBe(false);
      }
    });

    test("takes no field that it does not know", async () => {
      await addPeople();
      const change = { "name = 'x' WHERE 1=1; --": 1 } as unknown as Partial<User>;
      expect(await failureOf(store.updateUser("u1", change))).toBeInstanceOf(Error);
      expect((await store.listUsers())[0]?.name).toBe("user u1");
    });

    test("keeps a rotated key's last secret for the overlap and deletes all older ones", async () => {
      await addPeople();
      expect(await store.rotateKey("k1", hash(2), T0 + 10, T0 + 20)).toBe(true);
      expect((await store.listKeys())[0]?.secrets).toEqual([
        { version: 2, hash: hash(2), createdAt: T0 + 10, expiresAt: null },
        { version: 1, hash: hash(1), createdAt: T0, expiresAt: T0 + 20 },
      ]);
      expect(await store.rotateKey("k1", hash(3), T0 + 30, T0 + 40)).toBe(true);
      expect(
        (await store.listKeys())[0]?.secrets.map(({ version, expiresAt }) => [version, expiresAt]),
      ).toEqual([
        [3, null],
        [2, T0 + 40],
      ]);
      expect(await store.rotateKey("none", hash(9), T0, T0)).toBe(false);
    });

    test("keeps the providers that somebody named, each id once", async () => {
      const provider = (id: string): NamedProvider => ({
        id,
        kind: id.startsWith("hf-") ? "huggingface_endpoint" : "server",
        name: `provider ${id}`,
        upstream: `https://${id}.example.com`,
        allowPrivate: id === "lab",
        createdAt: T0,
      });
      await store.addProvider(provider("lab"));
      await store.addProvider(provider("hf-lab"));
      expect(await failureOf(store.addProvider(provider("lab")))).toBeInstanceOf(Conflict);
      await reopen();
      expect(await store.listProviders()).toEqual([provider("hf-lab"), provider("lab")]);
      expect(await store.removeProvider("lab")).toBe(true);
      expect(await store.removeProvider("lab")).toBe(false);
      expect(await store.listProviders()).toEqual([provider("hf-lab")]);
    });

    test("notes once that a secret was seen, with what the webhook is told, and freezes where it is to", async () => {
      await addPeople();
      const leak = { at: T0 + 1, place: "prompt", secretVersion: 1, requestId: "req_1" } as const;
      const event = (id: string) => ({ id, at: T0 + 1, body: `{"id":"${id}"}` });
      expect(await store.noteLeak("k1", leak, null, event("e1"))).toBe(true);
      expect(await store.noteLeak("k1", { ...leak, at: T0 + 2 }, "seen", event("e2"))).toBe(false);
      await reopen();
      expect(await store.listKeys()).toEqual([key("k1", "u1", { leak })]);
      expect(await store.listUntoldEvents()).toEqual([event("e1")]);
      await store.closeEvent("e1", "told", T0 + 3);
      expect(await store.listUntoldEvents()).toEqual([]);

      await store.rotateKey("k1", hash(2), T0 + 10, T0 + 20);
      const again = { ...leak, at: T0 + 12, place: "url", secretVersion: 2 } as const;
      expect(await store.noteLeak("k1", again, "seen", event("e3"))).toBe(true);
      expect(await store.listKeys()).toMatchObject([{ leak: again, frozenAt: T0 + 12, frozenWhy: "seen" }]);
      // What was seen before is no news behind what is seen now.
      expect(await store.noteLeak("k1", leak, "seen", event("e4"))).toBe(false);
      expect(await store.noteLeak("none", leak, null, event("e5"))).toBe(false);
      await store.updateKey("k1", { revokedAt: T0 + 30 });
      expect(await store.noteLeak("k1", { ...leak, secretVersion: 3 }, null, event("e6"))).toBe(false);
    });

    test("rotates one key after another when several are asked for at once, losing none", async () => {
      await addPeople();
      await Promise.all(Array.from({ length: 20 }, (_, i) => store.rotateKey("k1", hash(i), T0 + i, T0 + i)));
      const secrets = (await store.listKeys())[0]?.secrets ?? [];
      expect(secrets.map(({ version }) => version)).toEqual([21, 20]);
      expect(secrets.filter(({ expiresAt }) => expiresAt === null)).toHaveLength(1);
    });

    describe("child keys", () => {
      const limits = { ofParent: 3, ofUser: 4, perMinute: 100 };
      const child = (id: string, change: Partial<ChildKey> = {}): ChildKey => ({
        ...key(id),
        expiresAt: T0 + 1000,
        parent: { keyId: "k1", secretVersion: 1 },
        ...change,
      });
      const scopeOf = (id: string, budgets: Budget[] = []): ScopeChange => ({
        scope: { kind: "key", id },
        version: 0,
        policy: { providers: ["openai"] },
        budgets,
      });
      const add = (one: ChildKey, budgets: Budget[] = []) =>
        store.addChildKey(one, scopeOf(one.id, budgets), limits);

      test("come back with their parent and what restricts them: both or neither", async () => {
        await addPeople();
        await add(child("c1"), [budget("b1")]);
        await reopen();
        expect(await store.listKeys()).toEqual([child("c1"), key("k1")]);
        expect(await store.listPolicies()).toEqual([
          {
            scope: { kind: "key", id: "c1" },
            policy: { providers: ["openai"] },
            budgets: [budget("b1")],
            version: 1,
          },
        ]);
        // Its budgets have the same name twice, so the key must not come either.
        const two = [budget("b2"), budget("b3", { name: "b2" })];
        expect(await failureOf(add(child("c2"), two))).toBeInstanceOf(Conflict);
        expect((await store.listKeys()).map(({ id }) => id)).toEqual(["c1", "k1"]);
      });

      test("are counted where they are added: of what comes at once, no more pass than may", async () => {
        await addPeople();
        await store.addKey(key("k2"));
        const made = await Promise.all(Array.from({ length: 10 }, (_, n) => failureOf(add(child(`c${n}`)))));
        expect(made.filter((failure) => failure === undefined)).toHaveLength(3);
        expect(made.filter((failure) => failure instanceof TooManyChildren)).toHaveLength(7);
        // One more of the other key, and the user has as many as a user may.
        const ofOther = { parent: { keyId: "k2", secretVersion: 1 } };
        expect(await failureOf(add(child("d1", ofOther)))).toBeUndefined();
        expect(await failureOf(add(child("d2", ofOther)))).toBeInstanceOf(TooManyChildren);
        // What has ended makes room.
        const later = { ...ofOther, createdAt: T0 + 1000, expiresAt: T0 + 2000 };
        expect(await failureOf(add(child("d3", later)))).toBeUndefined();
        const many = store.addChildKey(child("d4", later), scopeOf("d4"), { ...limits, perMinute: 5 });
        expect(await failureOf(many)).toBeInstanceOf(TooManyChildren);
      });

      test("that have ended are left out where only the living are asked for, and drop what restricted them", async () => {
        await addPeople();
        await add(child("c1", { expiresAt: T0 + 10 }), [budget("b1")]);
        await add(child("c2", { expiresAt: T0 + 50 }), [budget("b2")]);
        await add(child("c3", { expiresAt: T0 + 50 }));
        await store.updateKey("c3", { revokedAt: T0 + 10 });
        const ids = async (filter?: KeyFilter) => (await store.listKeys(filter)).map(({ id }) => id);
        expect(await ids()).toEqual(["c1", "c2", "c3", "k1"]);
        expect(await ids({ children: { aliveAt: T0 + 10 } })).toEqual(["c1", "c2", "c3", "k1"]);
        expect(await ids({ children: { aliveAt: T0 + 11 } })).toEqual(["c2", "k1"]);
        expect(await ids({ children: "none" })).toEqual(["k1"]);
        await store.retireChildKeys(T0 + 11);
        expect((await store.listPolicies()).map(({ scope }) => scope.id)).toEqual(["c2"]);
        expect(await store.listPolicies({ children: "none" })).toEqual([]);
        expect((await store.listBudgets()).map(({ id }) => id)).toEqual(["b2"]);
        expect((await store.listBudgets({ removed: true })).map(({ id }) => id)).toEqual(["b1", "b2"]);
      });

      test("show with their parent in the log and in sums, and a parent's rows are theirs too", async () => {
        await addPeople();
        await add(child("c1"));
        await add(child("c2", { parent: { keyId: "c1", secretVersion: 1 } }));
        await appendRows(store, [
          row("r1", { keyId: "k1" }),
          row("r2", { keyId: "c1" }),
          row("r3", { keyId: "c2" }),
        ]);
        const rows = await store.listRequests({ key: "k1", limit: 10 });
        expect(rows.map(({ id, parentKeyId }) => [id, parentKeyId])).toEqual([
          ["r3", "c1"],
          ["r2", "k1"],
          ["r1", null],
        ]);
        expect((await store.listRequests({ key: "c1", limit: 10 })).map(({ id }) => id)).toEqual([
          "r3",
          "r2",
        ]);
        const sums = await store.sumUsage({ by: ["key"] });
        expect(sums.map(({ keys }) => keys[0]).sort()).toEqual(["c1/c2", "k1", "k1/c1"]);
        expect((await store.sumUsage({ by: [], key: "k1" }))[0]?.requests).toBe(3);
      });
    });

    describe("claim links", () => {
      const claim = (id: string, change: Partial<Claim> = {}): Claim => ({
        id,
        userId: "u1",
        keyName: "claimed",
        keyExpiresAt: T0 + 99,
        hash: hash(7),
        createdAt: T0,
        expiresAt: T0 + 1000,
        revokedAt: null,
        claimedAt: null,
        keyId: null,
        ...change,
      });

      test("come back with every field, and are revoked once", async () => {
        await addPeople();
        await store.addClaim(claim("cl1", { keyExpiresAt: null }));
        await store.addClaim(claim("cl2", { createdAt: T0 + 1 }));
        await reopen();
        expect(await store.listClaims()).toEqual([
          claim("cl2", { createdAt: T0 + 1 }),
          claim("cl1", { keyExpiresAt: null }),
        ]);
        expect(await store.readClaim("cl1")).toEqual(claim("cl1", { keyExpiresAt: null }));
        expect(await store.readClaim("none")).toBeNull();
        expect(await store.revokeClaim("cl1", T0 + 5)).toBe(true);
        expect(await store.revokeClaim("cl1", T0 + 6)).toBe(false);
        expect((await store.readClaim("cl1"))?.revokedAt).toBe(T0 + 5);
      });

      test("make one key, however many use one at once, and none when revoked or over", async () => {
        await addPeople();
        await store.addClaim(claim("cl1"));
        await store.addClaim(claim("cl2"));
        await store.revokeClaim("cl2", T0);
        const used = await Promise.all(
          Array.from({ length: 20 }, (_, n) => store.useClaim("cl1", key(`n${n}`), T0 + 10)),
        );
        expect(used.filter((one) => one)).toHaveLength(1);
        const [made] = (await store.listKeys()).filter(({ id }) => id.startsWith("n"));
        expect(await store.readClaim("cl1")).toMatchObject({ claimedAt: T0 + 10, keyId: made?.id });
        expect(await store.useClaim("cl2", key("m1"), T0 + 10)).toBe(false);
        await store.addClaim(claim("cl3"));
        expect(await store.useClaim("cl3", key("m1"), T0 + 1000)).toBe(false);
        expect(await store.revokeClaim("cl1", T0 + 20)).toBe(false);
        // A key that cannot be added leaves the link as it was.
        expect(await failureOf(store.useClaim("cl3", key("k1"), T0 + 10))).toBeInstanceOf(Conflict);
        expect((await store.readClaim("cl3"))?.claimedAt).toBeNull();
        expect(await store.listKeys()).toHaveLength(2);
      });
    });

    test("changes a credential's weight", async () => {
      await store.addCredential(credential("c1"));
      expect(await store.updateCredential("c1", { weight: 7 })).toBe(true);
      expect(await store.updateCredential("c2", { weight: 7 })).toBe(false);
      expect(await store.listCredentials()).toEqual([credential("c1", { weight: 7 })]);
    });

    test("removes a credential once", async () => {
      await store.addCredential(credential("c1"));
      expect(await store.removeCredential("c1")).toBe(true);
      expect(await store.removeCredential("c1")).toBe(false);
      expect(await store.listCredentials()).toEqual([]);
    });

    test("keeps the first of two secrets for the same purpose, and gives both callers that one", async () => {
      expect(await store.readSecret("pepper")).toBeNull();
      const [first, second] = await Promise.all([
        store.putSecret("pepper", Uint8Array.of(1)),
        store.putSecret("pepper", Uint8Array.of(2)),
      ]);
      expect(first).toEqual(second);
      await reopen();
      expect(await store.readSecret("pepper")).toEqual(first);
      expect(await store.putSecret("pepper", Uint8Array.of(3))).toEqual(first);
      expect(await store.readSecret("other")).toBeNull();
    });

    test("lists requests newest first, and in their order where one follows the log", async () => {
      await appendRows(store, [row("r1"), row("r2")]);
      await appendRows(store, [row("r3")]);
      const ids = async (filter: object) =>
        (await store.listRequests({ limit: 10, ...filter })).map(({ id }) => id);
      expect(await ids({})).toEqual(["r3", "r2", "r1"]);
      expect(await ids({ limit: 2 })).toEqual(["r3", "r2"]);
      const [, second] = await store.listRequests({ limit: 10 });
      expect(await ids({ after: second?.seq })).toEqual(["r3"]);
      expect(await ids({ after: 0 })).toEqual(["r1", "r2", "r3"]);
    });

    test("filters requests by each field, and by several together", async () => {
      await addPeople();
      await appendRows(store, [
        row("r1"),
        row("r2", { userId: "u2", groupId: "g2", keyId: "k2", provider: "anthropic", model: null }),
        row("r3", { status: 403, refusal: "endpoint_not_allowed", ending: "refused", at: T0 + 1000 }),
        row("r4", {
          keyId: null,
          userId: null,
          groupId: null,
          provider: null,
          status: 401,
          refusal: "invalid_key",
        }),
      ]);
      const ids = async (filter: object) =>
        (await store.listRequests({ limit: 10, ...filter })).map(({ id }) => id).reverse();
      expect(await ids({ user: "u1" })).toEqual(["r1", "r3"]);
      expect(await ids({ user: "user u1" })).toEqual(["r1", "r3"]);
      expect(await ids({ group: "group g1" })).toEqual(["r1", "r3"]);
      expect(await ids({ key: "k2" })).toEqual(["r2"]);
      expect(await ids({ provider: "anthropic" })).toEqual(["r2"]);
      expect(await ids({ model: "gpt-5", status: 200 })).toEqual(["r1"]);
      expect(await ids({ refusal: "invalid_key" })).toEqual(["r4"]);
      expect(await ids({ since: T0 + 1000 })).toEqual(["r3"]);
      expect(await ids({ user: "nobody" })).toEqual([]);
      expect(await ids({ user: "' OR '1'='1" })).toEqual([]);
    });

    test("deletes the rows that arrived before a time, and says how many", async () => {
      await appendRows(store, [row("old", { at: T0 - 1 }), row("new", { at: T0 })]);
      expect(await store.prunedBefore()).toBe(0);
      expect(await store.pruneRequests(T0)).toBe(1);
      expect(await store.pruneRequests(T0)).toBe(0);
      expect(await store.pruneRequests(T0 - 1000)).toBe(0);
      expect(await store.prunedBefore()).toBe(T0);
      expect((await store.listRequests({ limit: 10 })).map(({ id }) => id)).toEqual(["new"]);
    });

    test("appends a batch whole or not at all", async () => {
      const broken = row("r2", { endpoint: null as unknown as string });
      const batch = { block: null, rows: [row("r1"), broken], costs: [], checkpoint: null };
      // What also claims a job waits for the database.
      expect(await failureOf(store.commit({ ...batch, jobs: [["job", "r1"]] }))).toBeInstanceOf(Error);
      expect(await store.claimJob("job", "r3")).toBe(true);
      expect(await store.listRequests({ limit: 10 })).toEqual([]);
      await appendRows(store, []);
      await appendRows(
        store,
        Array.from({ length: 5000 }, (_, i) => row(`b${i}`)),
      );
      expect(await store.listRequests({ limit: 10_000 })).toHaveLength(5000);
    });

    test("appends a block and its rows whole or not at all, with their texts as they are", async () => {
      const hash = Uint8Array.from({ length: 32 }, (_, at) => at * 8);
      const block = { seq: 1, at: T0, text: '["a","ünï€ \u2028"]\n["b"]\n', hash };
      const commit = (...rows: RequestRecord[]) =>
        store.commit({ block, rows, jobs: [["job", "r1"]], costs: [], checkpoint: null });
      const priced = row("r1", {
        endpoint: "/two\nlines",
        metered: { quantities: { input_tokens: 1 }, evidence: "reported", costNanos: 1n, priceBook: "book" },
      });
      const broken = row("r2", { endpoint: null as unknown as string });
      expect(await failureOf(commit(priced, broken))).toBeInstanceOf(Error);
      expect(await store.readBlocks(0, 10)).toEqual([]);
      await commit(priced);
      expect(await store.readBlocks(0, 10)).toEqual([block]);
      // The price book, too, is not that of the commit that failed.
      expect(await store.listRequests({ limit: 10 })).toMatchObject([priced]);
      expect(await store.findUnlogged(["r2", "r1"])).toEqual(["r2"]);
    });

    test("works on while many call at once", async () => {
      await store.addGroup(group("g1"));
      await Promise.all([
        ...Array.from({ length: 100 }, (_, i) => store.addUser(user(`u${i}`))),
        ...Array.from({ length: 100 }, (_, i) => appendRows(store, [row(`r${i}`)])),
        ...Array.from({ length: 20 }, () => store.listUsers()),
      ]);
      expect(await store.listUsers()).toHaveLength(100);
      expect(await store.listRequests({ limit: 1000 })).toHaveLength(100);
    });

    const override = (model: string, change: Partial<PriceOverride> = {}): PriceOverride => ({
      provider: "openai",
      model,
      serviceTier: null,
      rates: { units: { input_tokens: 1_250_000_000n, output_tokens: 2n ** 70n } },
      createdAt: T0,
      ...change,
    });

    test("keeps one price for a model and tier, the last one, to the nano-dollar", async () => {
      await store.putPriceOverride(override("a"));
      await store.putPriceOverride(override("a", { serviceTier: "flex", createdAt: T0 + 1 }));
      const perCall = override("a", { rates: { units: {}, perCall: 7n }, createdAt: T0 + 2 });
      await store.putPriceOverride(perCall);
      await reopen();
      const flex = override("a", { serviceTier: "flex", createdAt: T0 + 1 });
      expect(await store.listPriceOverrides()).toEqual([flex, perCall]);
      expect(await store.removePriceOverride("openai", "a", null)).toBe(true);
      expect(await store.removePriceOverride("openai", "a", null)).toBe(false);
      expect(await store.listPriceOverrides()).toEqual([flex]);
    });

    test("keeps a pricing default for a provider until it is taken back", async () => {
      await store.putPricingDefault("vectara", { kind: "free" });
      await store.putPricingDefault("vectara", { kind: "flat", price: 2_000_000n });
      await store.putPricingDefault("ollama", { kind: "priced" });
      await reopen();
      const flat = { kind: "flat", price: 2_000_000n } as const;
      expect(await store.listPricingDefaults()).toEqual({ vectara: flat, ollama: { kind: "priced" } });
      await store.putPricingDefault("ollama", null);
      expect(await store.listPricingDefaults()).toEqual({ vectara: flat });
    });

    test("keeps what price books were made of, each once and as it was first", async () => {
      const book = (hash: string) => ({ hash, basis: `{"of":"${hash}"}`, snapshotHash: "s1" });
      await store.keepPriceBook(book("b2"), "snapshot é");
      await store.keepPriceBook(book("b1"), null);
      await store.keepPriceBook({ ...book("b2"), basis: "another" }, "another");
      await reopen();
      expect(await store.listKeptPriceBooks()).toEqual([book("b1"), book("b2")]);
      expect(await store.readKeptSnapshot("s1")).toBe("snapshot é");
      expect(await store.readKeptSnapshot("s2")).toBeNull();
    });

    test("keeps the snapshot that was pinned last", async () => {
      expect(await store.readPinnedSnapshot()).toBeNull();
      await store.pinSnapshot({ text: "one", pinnedAt: T0 });
      await store.pinSnapshot({ text: "two", pinnedAt: T0 + 1 });
      await reopen();
      expect(await store.readPinnedSnapshot()).toEqual({ text: "two", pinnedAt: T0 + 1 });
      await store.pinSnapshot(null);
      expect(await store.readPinnedSnapshot()).toBeNull();
    });

    test("lists the models that used something of unknown price, most requests first", async () => {
      const used = (quantities: Metered["quantities"], change: Partial<Metered> = {}): Metered => ({
        quantities,
        evidence: "reported",
        costNanos: null,
        priceBook: "book1",
        ...change,
      });
      await appendRows(store, [
        row("r1", { model: "a", metered: used({ input_tokens: 3 }) }),
        row("r2", { model: null, metered: used({ requests: 1 }) }),
        row("r3", {
          model: "a",
          at: T0 + 5,
          metered: used({ output_tokens: 2, input_tokens: 1 }, { priceBook: "book2" }),
        }),
        row("r4", { model: "b", metered: used({ input_tokens: 1 }, { costNanos: 0n }) }),
        row("r5", { model: "c" }),
      ]);
      const a = { provider: "openai", model: "a", requests: 2, requestsOfBook: 1, lastAt: T0 + 5 };
      const none = { provider: "openai", model: null, requests: 1, requestsOfBook: 0, lastAt: T0 };
      expect(await store.listUnpriced("book2")).toEqual([
        { ...a, units: ["input_tokens", "output_tokens"] },
        { ...none, units: ["requests"] },
      ]);
      expect(await store.listUnpriced("book2", T0 + 5)).toMatchObject([{ model: "a", requests: 1 }]);
    });

    test("says that it is closed where it is", async () => {
      await store.close();
      expect(await failureOf(store.listUsers())).toBeInstanceOf(Error);
      store = await place.open();
    });

    describe("objects at the providers", () => {
      const name = (id: string, kind = "file") => ({ provider: "openai", kind, id });
      const object = (id: string, change: Partial<OwnedObject> = {}): OwnedObject => ({
        ...name(id),
        credentialId: "env",
        keyId: "k1",
        userId: "u1",
        groupId: "g1",
        createdAt: T0,
        deletedAt: null,
        ...change,
      });
      const found = (...ids: string[]) => store.findObjects(ids.map((id) => name(id)));

      test("are found by their whole names, after the store was closed too", async () => {
        const others = [object("f1", { kind: "batch" }), object("f1", { provider: "groq" })];
        await store.addObjects([object("f1"), object("f2", { credentialId: null }), ...others], false);
        await reopen();
        expect(await found("f1", "nobody's")).toEqual([object("f1")]);
        expect(await found("f2")).toEqual([object("f2", { credentialId: null })]);
        expect(await store.findObjects([])).toEqual([]);
        const many = Array.from({ length: 1000 }, (_, i) => object(`m${i}`));
        await store.addObjects(many, false);
        expect(await found(...many.map(({ id }) => id))).toHaveLength(1000);
      });

      test("stay whose they were first, but for what was deleted or is made anew", async () => {
        const mine = object("f1");
        const theirs = object("f1", { userId: "u2", groupId: "g2", keyId: "k2", createdAt: T0 + 1 });
        await store.addObjects([mine], false);
        await store.addObjects([theirs], false);
        expect(await found("f1")).toEqual([mine]);
        await store.noteDeleted(name("f1"), T0 + 5);
        await store.noteDeleted(name("f1"), T0 + 9);
        expect(await found("f1")).toEqual([{ ...mine, deletedAt: T0 + 5 }]);
        await store.addObjects([theirs], false);
        expect(await found("f1")).toEqual([theirs]);
        await store.addObjects([mine], true);
        expect(await found("f1")).toEqual([mine]);
      });

      test("are listed newest first, by each field, with names", async () => {
        await store.addGroup(group("g1"));
        await store.addUser(user("u1"));
        await store.addObjects([object("f1"), object("b1", { kind: "batch" })], false);
        await store.addObjects([object("f2", { userId: "u2", groupId: "g2", provider: "groq" })], false);
        await store.noteDeleted(name("f1"), T0 + 5);
        const ids = async (filter: Partial<ObjectFilter>) =>
          (await store.listObjects({ limit: 10, ...filter })).map(({ id }) => id);
        expect(await ids({})).toEqual(["f2", "b1"]);
        expect(await ids({ deleted: true })).toEqual(["f2", "b1", "f1"]);
        expect(await ids({ deleted: true, limit: 2 })).toEqual(["f2", "b1"]);
        expect(await ids({ user: "user u1" })).toEqual(["b1"]);
        expect(await ids({ user: "u2" })).toEqual(["f2"]);
        expect(await ids({ group: "group g1" })).toEqual(["b1"]);
        expect(await ids({ provider: "groq" })).toEqual(["f2"]);
        expect(await ids({ kind: "batch" })).toEqual(["b1"]);
        expect(await ids({ id: "f2" })).toEqual(["f2"]);
        const [newest, next] = await store.listObjects({ limit: 10 });
        expect([newest?.userName, next?.userName, next?.groupName]).toEqual([null, "user u1", "group g1"]);
        expect(await ids({ before: newest?.seq })).toEqual(["b1"]);
      });

      test("are assigned to who there is, and forgotten", async () => {
        await store.addGroup(group("g1"));
        await store.addUser(user("u1"));
        expect(await store.assignObject(name("f9"), "nobody", T0)).toBe(false);
        expect(await store.assignObject(name("f9"), "u1", T0)).toBe(true);
        expect(await found("f9")).toEqual([object("f9", { credentialId: null, keyId: null })]);
        await store.addObjects([object("f1", { userId: "u2", groupId: "g2" })], false);
        expect(await store.assignObject(name("f1"), "u1", T0 + 1)).toBe(true);
        expect(await found("f1")).toEqual([object("f1")]);
        expect(await store.forgetObject(name("f1"))).toBe(true);
        expect(await store.forgetObject(name("f1"))).toBe(false);
        expect(await found("f1")).toEqual([]);
      });
    });

    describe("policies and budgets", () => {
      const organisation = { kind: "organisation", id: "" } as const;
      const ofGroup = { kind: "group", id: "g1" } as const;
      const policy = { models: ["gpt-5*"], limits: { requestsPerMinute: 10 }, expiresAt: T0 };

      test("are given back with every field, after the store was closed too", async () => {
        const budgets = [
          budget("b1", { amount: 999_999_999_123_456_789n, thresholds: [50, 80, 100] }),
          budget("b2", {
            period: { kind: "hours", hours: 5 },
            provider: "openai",
            model: "gpt-5*",
            shadow: true,
          }),
        ];
        await store.changePolicies([{ scope: ofGroup, version: 0, policy, budgets }], T0);
        for (let time = 0; time < 2; time++) {
          expect(await store.listPolicies()).toEqual([{ scope: ofGroup, policy, budgets, version: 1 }]);
          const stored = budgets.map((one) => ({ ...one, scope: ofGroup, removedAt: null }));
          expect(await store.listBudgets()).toEqual(stored);
          await reopen();
        }
      });

      test("a budget that stays is changed, one that is missing is removed and still known", async () => {
        const change = { scope: organisation, version: 0, policy: {}, budgets: [budget("b1"), budget("b2")] };
        await store.changePolicies([change], T0);
        const dearer = budget("b1", { amount: 7n, thresholds: [90], shadow: true });
        const successor = budget("b3", { name: "b2" });
        await store.changePolicies([{ ...change, version: 1, budgets: [dearer, successor] }], T0 + 5);
        expect(await store.listPolicies()).toEqual([
          { scope: organisation, policy: {}, budgets: [dearer, successor], version: 2 },
        ]);
        const all = await store.listBudgets({ removed: true });
        expect(all.filter((one) => one.removedAt !== null)).toEqual([
          { ...budget("b2"), scope: organisation, removedAt: T0 + 5 },
        ]);
        expect(await store.listBudgets()).toHaveLength(2);
      });

      test("are changed all or not at all, and by one at a time", async () => {
        await store.changePolicies([{ scope: organisation, version: 0, policy: {}, budgets: [] }], T0);
        const refused: ScopeChange[][] = [
          // Somebody has changed the organisation's meanwhile.
          [
            { scope: ofGroup, version: 0, policy, budgets: [budget("b1")] },
            { scope: organisation, version: 0, policy, budgets: [] },
          ],
          [
            { scope: organisation, version: 1, policy, budgets: [] },
            { scope: ofGroup, version: 3, policy, budgets: [] },
          ],
          [{ scope: ofGroup, version: 0, policy, budgets: [budget("b1"), budget("b2", { name: "b1" })] }],
        ];
        for (const changes of refused) {
          expect(await failureOf(store.changePolicies(changes, T0))).toBeInstanceOf(Conflict);
          expect(await store.listPolicies()).toEqual([
            { scope: organisation, policy: {}, budgets: [], version: 1 },
          ]);
          expect(await store.listBudgets({ removed: true })).toEqual([]);
        }
      });

      test("settings are the defaults until they are set, and none again", async () => {
        expect(await store.readSettings()).toEqual({ timeZone: "UTC", webhook: null, contact: null });
        const webhook = {
          url: "https://hooks.example/x",
          sealedSecret: Uint8Array.of(0, 1, 255),
          allowPrivate: true,
        };
        await store.putSettings({ timeZone: "Europe/Berlin", webhook, contact: "#llm-help" });
        await reopen();
        expect(await store.readSettings()).toEqual({
          timeZone: "Europe/Berlin",
          webhook,
          contact: "#llm-help",
        });
        await store.putSettings({ timeZone: "UTC", webhook: null, contact: null });
        expect(await store.readSettings()).toEqual({ timeZone: "UTC", webhook: null, contact: null });
      });

      test("a threshold of a period is noted once, and told once", async () => {
        const event = (id: string, change: Partial<ThresholdEvent> = {}): ThresholdEvent => ({
          id,
          budgetId: "b1",
          periodStart: T0,
          threshold: 80,
          at: T0 + 1,
          body: "{}",
          ...change,
        });
        expect(await store.addThresholdEvent(event("e1"))).toBe(true);
        await reopen();
        expect(await store.addThresholdEvent(event("e2"))).toBe(false);
        const others = [
          event("e3", { threshold: 100 }),
          event("e4", { periodStart: T0 + 1 }),
          event("e5", { budgetId: "b2" }),
        ];
        for (const other of others) expect(await store.addThresholdEvent(other)).toBe(true);
        expect(await store.listUntoldEvents()).toEqual(
          [event("e1"), ...others].map(({ id, at, body }) => ({ id, at, body })),
        );
        await store.closeEvent("e1", "told", T0 + 2);
        await store.closeEvent("e3", "failed", T0 + 2);
        expect((await store.listUntoldEvents()).map(({ id }) => id)).toEqual(["e4", "e5"]);
      });

      test("what shadow mode would have refused is in the log, and is found by its reason", async () => {
        const shadowRefusal = "group g: model_not_allowed; user u: network_not_allowed";
        await appendRows(store, [row("r1", { shadowRefusal }), row("r2")]);
        const found = await store.listRequests({ shadowRefusal: "network_not_allowed", limit: 10 });
        expect(found.map((one) => [one.id, one.shadowRefusal])).toEqual([["r1", shadowRefusal]]);
        expect(await store.listRequests({ shadowRefusal: "expired_key", limit: 10 })).toEqual([]);
      });
    });
  });
}

function budget(id: string, change: Partial<Budget> = {}): Budget {
  return {
    id,
    name: id,
    amount: 5_000_000_000n,
    period: { kind: "month" },
    provider: null,
    model: null,
    thresholds: [],
    shadow: false,
    createdAt: T0,
    ...change,
  };
}
