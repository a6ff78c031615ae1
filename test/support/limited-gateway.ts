/** The gateway's data plane on a socket of its own, for keys whose limits a test sets from one call to the next. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { systemClock } from "../../src/domain/clock.ts";
import { createKey } from "../../src/domain/key.ts";
import type { LimitedScope } from "../../src/domain/limits.ts";
import type { OwnedObject } from "../../src/domain/owned-object.ts";
import type { Sharing } from "../../src/domain/policy.ts";
import type { RequestRecord } from "../../src/domain/request-record.ts";
import { Directory, type KeyHolder } from "../../src/gateway/directory.ts";
import { InFlight } from "../../src/gateway/in-flight.ts";
import { LeakWatch } from "../../src/gateway/leak-watch.ts";
import { Listener } from "../../src/gateway/listen.ts";
import { MemoryHomes } from "../../src/gateway/object-homes.ts";
import { keyOf, ObjectIndex } from "../../src/gateway/object-index.ts";
import { createUpstream } from "../../src/gateway/upstreams.ts";
import { GENESIS, Journal } from "../../src/ledger/journal.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { stateOf } from "../../src/ledger/replay.ts";
import { MemoryLimiter } from "../../src/limits/memory-limiter.ts";
import { PriceBook } from "../../src/pricing/book.ts";
import { bundledSnapshot } from "../../src/pricing/bundled.ts";
import { knownProviders } from "../../src/providers/catalogue.ts";
import { systemTimer } from "../../src/serve/timer.ts";
import { UpstreamClient } from "../../src/upstream/client.ts";
import { atEnd } from "./cleanup.ts";
import { note } from "./record.ts";
import { noteAddress, noteSecret } from "./record-gateway.ts";

export interface LimitedGateway {
  readonly url: string;
  /** The master key. */
  readonly key: string;
  /** From the next call on. */
  limits: readonly LimitedScope[] | undefined;
  /** A row for every request that has ended. */
  readonly rows: RequestRecord[];
  /** Whose objects the caller may use; `own` at first. */
  sharing: Sharing;
  /** Whose the objects at the providers are, by `keyOf`. */
  readonly objects: Map<string, OwnedObject>;
  /** What writing them down waits for, or fails with. */
  writing: Promise<void>;
  /** Whoever holds the key. */
  readonly caller: { readonly userId: string; readonly groupId: string; readonly keyId: string };
}

/** @param bases Where each provider's requests go, by its id. */
export function startLimitedGateway(bases: Readonly<Record<string, string>>): LimitedGateway {
  const hasher = {
    hashKey: (key: string) => new Uint8Array(createHmac("sha256", "fake pepper").update(key).digest()),
    sameHash: (a: Uint8Array, b: Uint8Array) => timingSafeEqual(a, b),
    sign: (text: string) => createHmac("sha256", "fake pepper").update(text).digest("base64url"),
  };
  const { id, text } = createKey();
  note({ what: "secret", owner: "gateway", text });
  const life = { createdAt: 0, revokedAt: null, expiresAt: null };
  const secrets = [{ version: 1, hash: hasher.hashKey(text), createdAt: 0, expiresAt: null }];
  const base: KeyHolder = {
    key: { ...life, id, name: "key", userId: "usr_test", secrets },
    user: { ...life, id: "usr_test", name: "user", groupId: "grp_test", role: "member" },
    group: { ...life, id: "grp_test", name: "group" },
    scopes: [],
    sharing: "own",
  };
  const directory = new Directory();
  directory.find = (keyId) => {
    if (keyId !== id) return undefined;
    const { limits, sharing } = gateway;
    return limits === undefined ? { ...base, sharing } : { ...base, sharing, limits };
  };
  const upstreams = new Map(
    knownProviders.flatMap((provider) => {
      const at = bases[provider.id];
      if (at === undefined) return [];
      const upstream = createUpstream(provider, at);
      noteAddress(provider.id, at);
      noteSecret(provider.id, "fake-credential-0123456789");
      upstream.pool.replace([
        { id: "env", name: "env", secret: "fake-credential-0123456789", masked: "fake", weight: 1 },
      ]);
      return [[provider.id, upstream] as const];
    }),
  );
  const rows: RequestRecord[] = [];
  const parts = { clock: systemClock, timer: systemTimer, report: () => {} };
  const journal = new Journal({ ...parts, write: async () => {}, key: new Uint8Array(32), head: GENESIS });
  // At once, and not with what comes meanwhile.
  journal.log = (row) => void rows.push(row);
  const ledger = new Ledger({ ...parts, journal, state: stateOf([], "", 1) });
  const book = new PriceBook(bundledSnapshot());
  const inFlight = new InFlight();
  const listener = new Listener({ host: "127.0.0.1", port: 0, report: () => {} });
  const known = new Map<string, OwnedObject>();
  const objects = new ObjectIndex({
    addObjects: async (made, anew) => {
      await gateway.writing;
      for (const object of made) {
        const before = known.get(keyOf(object));
        if (anew || before === undefined || before.deletedAt !== null) known.set(keyOf(object), object);
      }
    },
    findObjects: async (names) => names.flatMap((name) => known.get(keyOf(name)) ?? []),
    noteDeleted: async (name, at) => {
      const before = known.get(keyOf(name));
      if (before !== undefined) known.set(keyOf(name), { ...before, deletedAt: at });
    },
  });
  const gateway: LimitedGateway = {
    url: listener.url,
    key: text,
    limits: undefined,
    rows,
    sharing: "own",
    objects: known,
    writing: Promise.resolve(),
    caller: { userId: base.user.id, groupId: base.group.id, keyId: id },
  };
  listener.start({
    gateway: {
      upstreams,
      directory,
      hasher,
      signer: hasher,
      inFlight,
      limiter: new MemoryLimiter(),
      contact: () => null,
      trustedProxies: [],
      homes: new MemoryHomes(),
      clock: systemClock,
      publicUrl: listener.url,
      ledger,
      journal,
      jobs: { claimJob: async () => true },
      objects,
      leaks: new LeakWatch({ directory, hasher, clock: systemClock, tell: async () => {} }),
      prices: () => book,
      report: () => {},
      sender: new UpstreamClient(),
    },
    subdomains: new Map(),
    trustedProxies: [],
    own: () => new Response(null, { status: 404 }),
  });
  atEnd(async () => {
    await listener.stop();
    await inFlight.drain(0);
  });
  return gateway;
}
