/** What every store does with the audit log, written once: `describeAudit` runs it against an implementation. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Ask } from "../../src/domain/ask.ts";
import type { AuditFilter, AuditSource } from "../../src/domain/audit.ts";
import { auditRows, verifyAudit } from "../../src/domain/audit-chain.ts";
import { childLimits } from "../../src/domain/child-key.ts";
import type { AuditedStore, Change, Store } from "../../src/domain/store.ts";
import type { StorePlace } from "./store.ts";

const T0 = Date.UTC(2026, 10, 24);
const key = new Uint8Array(32).fill(9);
const ann: AuditSource = { at: T0, actor: { kind: "user", id: "usr_ann", name: "ann" }, address: "10.0.0.1" };
const active = { createdAt: T0, revokedAt: null, expiresAt: null };
const created = new Date(T0).toISOString();

/** Bytes that no row may hold in any spelling. */
const SECRET = new Uint8Array(32).fill(0xa7);
const spellings = [SECRET.toHex().slice(0, 16), SECRET.toBase64().slice(0, 12), "167,167", ":167,", "§§§"];

const secrets = [{ version: 1, hash: SECRET, createdAt: T0, expiresAt: null }];
const g1 = { id: "g1", name: "research", ...active };
const u1 = { id: "u1", name: "ada", groupId: "g1", role: "member", ...active } as const;
const k1 = { id: "k1", name: "laptop", userId: "u1", ...active, secrets };
const claim1 = {
  id: "cl1",
  userId: "u1",
  keyName: "claimed",
  keyExpiresAt: null,
  hash: SECRET,
  createdAt: T0,
  expiresAt: T0 + 1000,
  revokedAt: null,
  claimedAt: null,
  keyId: null,
};
const ask1: Ask = {
  id: "ask_1",
  userId: "u1",
  kind: "budget",
  scope: null,
  budgetId: "b1",
  name: null,
  amount: "20.00",
  reason: "a demo",
  state: "open",
  createdAt: T0,
  decidedAt: null,
  decidedBy: null,
  answer: null,
};
const c1 = {
  id: "c1",
  provider: "openai",
  name: "main",
  upstream: "https://x/v1",
  sealed: SECRET,
  masked: "sk-...abcd",
  weight: 1,
  createdAt: T0,
};
const price = {
  provider: "openai",
  model: "gpt-x",
  serviceTier: null,
  rates: { units: { input_tokens: 2n ** 70n } },
  createdAt: T0,
};
const budget = {
  id: "b1",
  name: "team",
  amount: 5_000_000_000n,
  period: { kind: "month" },
  provider: null,
  model: null,
  thresholds: [80],
  shadow: false,
  createdAt: T0,
} as const;
const scope = { kind: "user", id: "u1" } as const;
const webhook = { url: "https://hooks.example/T0/secretpath", allowPrivate: false, sealedSecret: SECRET };

const session = {
  id: "ses_1",
  hash: SECRET,
  userId: "u1",
  method: "passkey",
  createdAt: T0,
  lastSeenAt: T0,
  steppedUpAt: T0,
  expiresAt: T0 + 1000,
  address: "10.0.0.1",
  agent: "Browser/1",
} as const;
const link = {
  id: "sil_1",
  hash: SECRET,
  userId: "u1",
  byOperator: true,
  madeBy: null,
  createdAt: T0,
  expiresAt: T0 + 1000,
};
const passkey = {
  id: "passkey-1",
  userId: "u1",
  name: "phone",
  publicKey: SECRET,
  counter: 3,
  transports: ["internal"],
  createdAt: T0,
  lastUsedAt: null,
};
const token = {
  id: "tok1",
  hash: SECRET,
  userId: "u1",
  name: "ci",
  scopes: ["users.read"],
  createdAt: T0,
  expiresAt: T0 + 1000,
  lastUsedAt: null,
};
const identity = {
  issuer: "https://id.example",
  subject: "00u1",
  userId: "u1",
  managed: true,
  createdAt: T0,
};
const oidc = {
  issuer: "https://id.example",
  clientId: "llamakey",
  sealedSecret: SECRET,
  name: "Example",
  scopes: ["openid"],
  rules: [{ claim: "groups", value: "ml", role: "admin", group: null }],
  createUsers: true,
  onlyMatching: false,
} as const;

interface Case<Name extends Change> {
  readonly args: Parameters<AuditedStore[Name]>;
  readonly action: string;
  readonly target: string;
  readonly before: object | null;
  readonly after: object | null;
}

const own = {
  id: "own",
  kind: "server",
  name: "own",
  upstream: "https://own.example.com/v1",
  allowPrivate: true,
  createdAt: T0,
} as const;

const key1 = { name: "laptop", userName: "ada", secretVersion: 1, revokedAt: null };

/** Each of all changes, made where there is what `addThings` adds. A change without a case does not compile. */
const cases: { readonly [Name in Change]: Case<Name> } = {
  addGroup: {
    args: [{ ...g1, id: "g2", name: "product" }],
    action: "group.add",
    target: "product",
    before: null,
    after: { id: "g2", name: "product", createdAt: created, revokedAt: null, expiresAt: null },
  },
  updateGroup: {
    args: ["g1", { name: "lab" }],
    action: "group.change",
    target: "lab",
    before: { name: "research" },
    after: { name: "lab" },
  },
  addUser: {
    args: [{ ...u1, id: "u2", name: "ben" }],
    action: "user.add",
    target: "ben",
    before: null,
    after: { name: "ben", groupId: "g1", groupName: "research" },
  },
  updateUser: {
    args: ["u1", { revokedAt: T0, expiresAt: T0 + 1000 }],
    action: "user.revoke",
    target: "ada",
    before: { revokedAt: null, expiresAt: null },
    after: { revokedAt: created, expiresAt: "2026-11-24T00:00:01.000Z" },
  },
  addAsk: {
    args: [
      {
        id: "ask_2",
        userId: "u1",
        kind: "limit",
        scope: { kind: "group", id: "g1" },
        budgetId: null,
        name: "requestsPerMinute",
        amount: "60",
        reason: "a demo",
        state: "open",
        createdAt: T0,
        decidedAt: null,
        decidedBy: null,
        answer: null,
      },
    ],
    action: "ask.add",
    target: "ask_2",
    before: null,
    after: { userName: "ada", what: "requestsPerMinute", amount: "60", state: "open", scopeId: "g1" },
  },
  decideAsk: {
    args: ["ask_1", { state: "denied", at: T0, by: "root", answer: "no" }, []],
    action: "ask.deny",
    target: "ask_1",
    before: { state: "open", decidedBy: null },
    after: { state: "denied", decidedBy: "root", answer: "no" },
  },
  addKey: {
    args: [{ ...k1, id: "k2", name: "phone" }],
    action: "key.add",
    target: "phone",
    before: null,
    after: { name: "phone", userId: "u1", userName: "ada", secretVersion: 1 },
  },
  addChildKey: {
    args: [
      {
        ...k1,
        id: "k3",
        name: "run",
        expiresAt: T0 + 1000,
        parent: { keyId: "k1", secretVersion: 1 },
      },
      {
        scope: { kind: "key", id: "k3" },
        version: 0,
        policy: { providers: ["openai"] },
        budgets: [{ ...budget, id: "b3", name: "run" }],
      },
      childLimits,
    ],
    action: "key.add_child",
    target: "run",
    before: null,
    after: {
      name: "run",
      userName: "ada",
      parentId: "k1",
      expiresAt: "2026-11-24T00:00:01.000Z",
      policy: { providers: ["openai"] },
      budgets: [{ name: "run", amountNanos: "5000000000" }],
    },
  },
  updateKey: {
    args: ["k1", { revokedAt: T0 }],
    action: "key.revoke",
    target: "laptop",
    before: key1,
    after: { ...key1, revokedAt: created },
  },
  rotateKey: {
    args: ["k1", SECRET, T0, T0 + 1000],
    action: "key.rotate",
    target: "laptop",
    before: { ...key1, previousSecretExpiresAt: null },
    after: { ...key1, secretVersion: 2, previousSecretExpiresAt: "2026-11-24T00:00:01.000Z" },
  },
  noteLeak: {
    args: [
      "k1",
      { at: T0, place: "prompt", secretVersion: 1, requestId: "req_1" },
      "it was seen in a prompt",
      { id: "evt_1", at: T0, body: "{}" },
    ],
    action: "key.leak",
    target: "laptop",
    before: { leakedAt: null, frozenAt: null },
    after: {
      masked: "lmk_k1_...",
      leakedAt: created,
      leakedIn: "prompt",
      leakedRequest: "req_1",
      frozenAt: created,
      frozenWhy: "it was seen in a prompt",
    },
  },
  addClaim: {
    args: [{ ...claim1, id: "cl2", keyName: "phone" }],
    action: "claim.add",
    target: "cl2",
    before: null,
    after: { userName: "ada", keyName: "phone", expiresAt: "2026-11-24T00:00:01.000Z", revokedAt: null },
  },
  revokeClaim: {
    args: ["cl1", T0],
    action: "claim.revoke",
    target: "cl1",
    before: { revokedAt: null },
    after: { revokedAt: created },
  },
  useClaim: {
    args: ["cl1", { ...k1, id: "k4", name: "claimed" }, T0],
    action: "key.claim",
    target: "claimed",
    before: null,
    after: { name: "claimed", userName: "ada", claimId: "cl1" },
  },
  addCredential: {
    args: [{ ...c1, id: "c2", name: "spare" }],
    action: "credential.add",
    target: "spare",
    before: null,
    after: { provider: "openai", name: "spare", upstream: "https://x/v1", masked: "sk-...abcd", weight: 1 },
  },
  addProvider: {
    args: [
      {
        id: "lab",
        kind: "server",
        name: "The lab",
        upstream: "https://lab.example.com/v1",
        allowPrivate: false,
        createdAt: T0,
      },
    ],
    action: "provider.add",
    target: "The lab",
    before: null,
    after: { id: "lab", kind: "server", upstream: "https://lab.example.com/v1", allowPrivate: 0 },
  },
  removeProvider: {
    args: ["own"],
    action: "provider.remove",
    target: "own",
    before: { upstream: "https://own.example.com/v1" },
    after: null,
  },
  updateCredential: {
    args: ["c1", { weight: 4 }],
    action: "credential.change",
    target: "main",
    before: { weight: 1 },
    after: { weight: 4 },
  },
  removeCredential: {
    args: ["c1"],
    action: "credential.remove",
    target: "main",
    before: { masked: "sk-...abcd" },
    after: null,
  },
  putPriceOverride: {
    args: [{ ...price, rates: { units: {}, perCall: 7n } }],
    action: "price.set",
    target: "openai/gpt-x",
    before: { rates: { units: { input_tokens: (2n ** 70n).toString() } } },
    after: { rates: { perCall: "7" } },
  },
  removePriceOverride: {
    args: ["openai", "gpt-x", null],
    action: "price.unset",
    target: "openai/gpt-x",
    before: { model: "gpt-x" },
    after: null,
  },
  putPricingDefault: {
    args: ["openai", { kind: "flat", price: 2_000_000n }],
    action: "pricing_default.set",
    target: "openai",
    before: null,
    after: { kind: "flat", price: "2000000" },
  },
  pinSnapshot: {
    args: [{ text: "prices", pinnedAt: T0 }],
    action: "price_snapshot.pin",
    target: "list prices",
    before: null,
    after: {
      sha256: new Bun.CryptoHasher("sha256").update("prices").digest("hex"),
      pinnedAt: created,
    },
  },
  changePolicies: {
    args: [[{ scope, version: 1, policy: { providers: ["openai"] }, budgets: [] }], T0],
    action: "policy.change",
    target: "user:ada",
    before: {
      version: 1,
      policy: { models: ["gpt-*"] },
      budgets: [{ name: "team", amountNanos: "5000000000" }],
    },
    after: { version: 2, policy: { providers: ["openai"] }, budgets: [] },
  },
  assignObject: {
    args: [{ provider: "openai", kind: "file", id: "file-1" }, "u1", T0],
    action: "object.assign",
    target: "openai/file/file-1",
    before: null,
    after: { provider: "openai", kind: "file", id: "file-1", userId: "u1", userName: "ada", groupId: "g1" },
  },
  forgetObject: {
    args: [{ provider: "openai", kind: "batch", id: "batch-1" }],
    action: "object.forget",
    target: "openai/batch/batch-1",
    before: { kind: "batch", userId: "u1" },
    after: null,
  },
  addSession: {
    args: [{ ...session, id: "ses_2", hash: new Uint8Array(32).fill(1) }],
    action: "session.start",
    target: "ada",
    before: null,
    after: { id: "ses_2", name: "ada", method: "passkey", address: "10.0.0.1" },
  },
  stepUpSession: {
    args: ["ses_1", T0 + 1000],
    action: "session.step_up",
    target: "ada",
    before: { steppedUpAt: created },
    after: { steppedUpAt: "2026-11-24T00:00:01.000Z" },
  },
  endSession: {
    args: ["ses_1"],
    action: "session.end",
    target: "ada",
    before: { id: "ses_1" },
    after: null,
  },
  endSessions: {
    args: ["u1", null],
    action: "session.end_all",
    target: "ada",
    before: { sessions: 1 },
    after: { sessions: 0 },
  },
  addSignInLink: {
    args: [{ ...link, id: "sil_2", hash: new Uint8Array(32).fill(1), byOperator: false, madeBy: "u1" }],
    action: "sign_in_link.add",
    target: "ada",
    before: null,
    after: { id: "sil_2", userId: "u1", byOperator: 0 },
  },
  useSignInLink: {
    args: ["sil_1"],
    action: "sign_in_link.use",
    target: "ada",
    before: { id: "sil_1", byOperator: 1 },
    after: null,
  },
  setPassword: {
    args: ["u1", "§§§ another", T0 + 1000],
    action: "password.set",
    target: "ada",
    before: { changedAt: created },
    after: { changedAt: "2026-11-24T00:00:01.000Z" },
  },
  addPasskey: {
    args: [{ ...passkey, id: "passkey-2", name: "laptop" }],
    action: "passkey.add",
    target: "laptop",
    before: null,
    after: { name: "laptop", userName: "ada" },
  },
  removePasskey: {
    args: ["passkey-1"],
    action: "passkey.remove",
    target: "phone",
    before: { name: "phone", userName: "ada" },
    after: null,
  },
  addApiToken: {
    args: [{ ...token, id: "tok2", name: "cron" }],
    action: "token.add",
    target: "cron",
    before: null,
    after: { name: "cron", userName: "ada", scopes: ["users.read"] },
  },
  removeApiToken: {
    args: ["tok1"],
    action: "token.remove",
    target: "ci",
    before: { name: "ci", userName: "ada" },
    after: null,
  },
  addIdentity: {
    args: [{ ...identity, subject: "00u2" }],
    action: "identity.add",
    target: "00u2 at https://id.example",
    before: null,
    after: { subject: "00u2", userName: "ada", managed: 1 },
  },
  putSignInSettings: {
    args: [{ oidc: { ...oidc, clientId: "other" }, ssoOnly: true }],
    action: "sign_in.change",
    target: "sign-in",
    before: { oidc: { clientId: "llamakey", issuer: "https://id.example" }, ssoOnly: false },
    after: { oidc: { clientId: "other" }, ssoOnly: true },
  },
  putSettings: {
    args: [{ timeZone: "Europe/Berlin", webhook: null, contact: "#llm-help" }],
    action: "settings.change",
    target: "organisation",
    before: { timeZone: "UTC", webhook: { host: "https://hooks.example" } },
    after: { timeZone: "Europe/Berlin", webhook: null, contact: "#llm-help" },
  },
};

const changes = Object.keys(cases) as Change[];

export function describeAudit(name: string, makePlace: () => Promise<StorePlace>): void {
  describe(`the audit log of ${name}`, () => {
    let place: StorePlace;
    let store: Store;

    beforeEach(async () => {
      place = await makePlace();
      store = await place.open();
      await store.openAudit(key);
    });
    afterEach(async () => {
      await store.close();
      await place.remove();
    });

    async function addThings(): Promise<void> {
      await store.addGroup(g1);
      await store.addUser(u1);
      await store.addKey(k1);
      await store.addClaim(claim1);
      await store.addCredential(c1);
      await store.addProvider(own);
      await store.addAsk(ask1);
      await store.putPriceOverride(price);
      await store.changePolicies(
        [{ scope, version: 0, policy: { models: ["gpt-*"] }, budgets: [budget] }],
        T0,
      );
      await store.putSettings({ timeZone: "UTC", webhook, contact: null });
      await store.assignObject({ provider: "openai", kind: "batch", id: "batch-1" }, "u1", T0);
      await store.addSession(session);
      await store.addSignInLink(link);
      await store.setPassword("u1", "§§§ argon2", T0);
      await store.addPasskey(passkey);
      await store.addApiToken(token);
      await store.addIdentity(identity);
      await store.putSignInSettings({ oidc, ssoOnly: false });
    }

    async function everything(): Promise<unknown[]> {
      return [
        await store.listGroups(),
        await store.listUsers(),
        await store.listKeys(),
        await store.listProviders(),
        await store.listClaims(),
        await store.listCredentials(),
        await store.listPriceOverrides(),
        await store.listPricingDefaults(),
        await store.readPinnedSnapshot(),
        await store.listPolicies(),
        await store.listBudgets({ removed: true }),
        await store.readSettings(),
        await store.listObjects({ deleted: true, limit: 100 }),
        await store.listSessions(),
        await store.readSignInLink(SECRET),
        await store.readPassword("u1"),
        await store.listPasskeys("u1"),
        await store.listApiTokens(),
        await store.readIdentity(identity.issuer, identity.subject),
        await store.readSignInSettings(),
      ];
    }

    const change = (what: Change) => store.audited(ann, what, ...(cases[what].args as never));
    const rows = (filter: Partial<AuditFilter> = {}) => store.listAudit({ after: 0, limit: 1000, ...filter });
    const verdict = (head?: string) => verifyAudit(auditRows(store), key, head);
    const addGroups = async (...names: string[]) => {
      for (const one of names) await store.audited(ann, "addGroup", { ...g1, id: one, name: one });
    };
    const fails = (call: Promise<unknown>) =>
      call.then(
        () => false,
        () => true,
      );

    for (const what of changes) {
      test(`${what} has one row: who, what, before and after, and no secret`, async () => {
        await addThings();
        await change(what);
        const [row, ...others] = await rows();
        expect(others).toEqual([]);
        const { action, target, before, after } = cases[what];
        expect(row).toMatchObject({ ...ann, seq: 1, action, target: { name: target } });
        for (const [text, expected] of [
          [row?.before, before],
          [row?.after, after],
        ] as const) {
          if (expected === null) expect(text).toBeNull();
          else expect(JSON.parse(text ?? "null")).toMatchObject(expected);
        }
        const said = JSON.stringify(row);
        expect(spellings.filter((spelling) => said.includes(spelling))).toEqual([]);
        expect(said).not.toContain("secretpath");
      });

      test(`${what} does not happen where its row cannot be written`, async () => {
        await addThings();
        const before = await everything();
        await place.execute(place.failAudit);
        expect(await fails(change(what))).toBe(true);
        expect(await everything()).toEqual(before);
        expect(await rows()).toEqual([]);
      });
    }

    test("a change that fails, or finds nothing to change, leaves no row", async () => {
      await addThings();
      expect(await fails(store.audited(ann, "addGroup", g1))).toBe(true);
      expect(await fails(store.audited(ann, "addUser", { ...u1, id: "u2", groupId: "nowhere" }))).toBe(true);
      const stale = [{ scope, version: 7, policy: {}, budgets: [] }];
      expect(await fails(store.audited(ann, "changePolicies", stale, T0))).toBe(true);
      expect(await store.audited(ann, "updateKey", "nobody", { name: "x" })).toBe(false);
      expect(await store.audited(ann, "removeCredential", "nobody")).toBe(false);
      expect(await rows()).toEqual([]);
    });

    test("several scopes that change together have a row each", async () => {
      await addThings();
      const organisation = { kind: "organisation", id: "" } as const;
      await store.audited(
        ann,
        "changePolicies",
        [
          { scope: organisation, version: 0, policy: { providers: ["openai"] }, budgets: [] },
          { scope, version: 1, policy: { models: ["gpt-*"] }, budgets: [] },
        ],
        T0,
      );
      expect((await rows()).map(({ action, target }) => [action, target.id, target.name])).toEqual([
        ["policy.change", "organisation", "organisation"],
        ["budget.change", "user:u1", "user:ada"],
      ]);
    });

    test("shows that a webhook has another secret, and not which", async () => {
      await addThings();
      const sealedSecret = new Uint8Array(32).fill(3);
      await store.audited(ann, "putSettings", {
        timeZone: "UTC",
        webhook: { ...webhook, sealedSecret },
        contact: null,
      });
      const [row] = await rows();
      expect(row?.after).not.toBe(row?.before);
    });

    test("is in the order of the changes, one chain, when many are made at once and after it was closed", async () => {
      const names = Array.from({ length: 50 }, (_, at) => `g${at}`);
      const early = names.slice(0, 40);
      await Promise.all(early.map((id) => store.audited(ann, "addGroup", { ...g1, id, name: id })));
      await store.close();
      store = await place.open();
      await store.openAudit(key);
      await addGroups(...names.slice(40));
      const log = await rows();
      expect(log.map(({ seq }) => seq)).toEqual(names.map((_, at) => at + 1));
      expect(log.map(({ target }) => target.id)).toEqual(names);
      expect(await verdict()).toMatchObject({ rows: 50, problems: [] });
    });

    test("takes no row before it is open", async () => {
      await store.close();
      store = await place.open();
      expect(await fails(store.audited(ann, "addGroup", g1))).toBe(true);
      expect(await store.listGroups()).toEqual([]);
    });

    test("keeps texts so that the chain holds: half characters, zeros, emoji, long ones", async () => {
      for (const model of ["\ud800", "a\u0000b", "Zoë 👩‍💻 模型", '"\\\n', "x".repeat(10_000)]) {
        await store.audited(ann, "putPriceOverride", { ...price, model });
        await store.noteAudit(ann, {
          action: "credential.test",
          target: { kind: "credential", id: model, name: model },
          before: null,
          after: { model },
        });
      }
      expect(await verdict()).toMatchObject({ rows: 10, problems: [] });
    });

    test("is filtered by each field, and read page by page both ways", async () => {
      await addThings();
      await change("updateKey");
      const ben = {
        at: T0 + 5000,
        actor: { kind: "user", id: "usr_ben", name: "ben" },
        address: null,
      } as const;
      await store.audited(ben, "updateUser", "u1", { name: "ada_" });
      await store.audited(ben, "rotateKey", "k1", SECRET, T0, T0);
      const actions = async (filter: Partial<AuditFilter>) =>
        (await rows(filter)).map(({ action }) => action);
      expect(await actions({ actor: "ann" })).toEqual(["key.revoke"]);
      expect(await actions({ actor: "usr_ben" })).toEqual(["user.change", "key.rotate"]);
      expect(await actions({ action: "key" })).toEqual(["key.revoke", "key.rotate"]);
      expect(await actions({ action: "key.rotate" })).toEqual(["key.rotate"]);
      for (const none of ["ke", "k%", "_ey", "key.%", "key!"])
        expect(await actions({ action: none })).toEqual([]);
      expect(await actions({ target: "k1" })).toEqual(["key.revoke", "key.rotate"]);
      expect(await actions({ target: "ada_" })).toEqual(["user.change"]);
      expect(await actions({ since: T0 + 5000 })).toEqual(["user.change", "key.rotate"]);
      expect(await actions({ until: T0 + 5000 })).toEqual(["key.revoke"]);
      expect(await actions({ after: 2 })).toEqual(["key.rotate"]);
      const newest = await store.listAudit({ limit: 2 });
      expect(newest.map(({ seq }) => seq)).toEqual([3, 2]);
      expect((await store.listAudit({ before: 2, limit: 2 })).map(({ seq }) => seq)).toEqual([1]);
    });

    test("stays when the request log is pruned", async () => {
      await addGroups("g1");
      await store.pruneRequests(T0 * 2);
      expect(await rows()).toHaveLength(1);
    });

    const columns = [
      "seq = 40",
      "at = at + 1",
      "actor_kind = 'operator'",
      "actor_id = NULL",
      "actor_name = 'bob'",
      "address = NULL",
      "action = 'group.change'",
      "target_kind = 'user'",
      "target_id = 'x'",
      "target_name = 'x'",
      "fields_before = '{}'",
      "fields_after = fields_after || ' '",
      `previous = '${"0".repeat(63)}1'`,
      `hash = '${"0".repeat(64)}'`,
    ];
    for (const column of columns) {
      test(`shows that somebody set ${column.slice(0, 30)} in the database`, async () => {
        await addGroups("a", "b", "c");
        await place.execute(`UPDATE audit SET ${column} WHERE seq = 2`);
        expect((await verdict()).problems.map(({ seq }) => seq)).toContain(column === "seq = 40" ? 40 : 2);
      });
    }

    test("shows that somebody removed, swapped, added or cut off rows in the database", async () => {
      await addGroups("a", "b", "c", "d", "e");
      const head = await store.readAuditHead();
      expect(await verdict(head)).toMatchObject({ rows: 5, problems: [] });
      const seen = async (...statements: string[]) => {
        await place.execute("CREATE TABLE kept AS SELECT * FROM audit");
        for (const statement of statements) await place.execute(statement);
        const { problems } = await verdict(head);
        await place.execute("DELETE FROM audit");
        await place.execute("INSERT INTO audit SELECT * FROM kept");
        await place.execute("DROP TABLE kept");
        return problems.map(({ message }) => message);
      };
      expect(await seen("DELETE FROM audit WHERE seq = 1")).toEqual(["Row 1 is missing."]);
      expect(await seen("DELETE FROM audit WHERE seq IN (3, 4)")).toEqual(["Rows 3 to 4 are missing."]);
      expect(await seen("DELETE FROM audit WHERE seq > 3")).toHaveLength(1);
      expect(await seen("DELETE FROM audit")).toHaveLength(1);
      const swap = [
        "UPDATE audit SET seq = -2 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = -2",
      ];
      expect((await seen(...swap)).slice(0, 1)).toEqual(["Row 2 was changed or added."]);
      const copy = "CREATE TABLE copy AS SELECT * FROM audit WHERE seq = 3";
      expect(
        await seen(
          copy,
          "UPDATE copy SET seq = 6",
          "INSERT INTO audit SELECT * FROM copy",
          "DROP TABLE copy",
        ),
      ).toEqual(["Row 6 was changed or added."]);
      // And all is as it was.
      expect(await verdict(head)).toMatchObject({ rows: 5, problems: [] });
    });
  });
}
