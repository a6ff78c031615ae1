import { z } from "zod";

/**
 * What the admin API answers, as far as commands need it. Loose, so that `--json` shows also the fields that a newer
 * gateway adds.
 */
const lifetime = {
  id: z.string(),
  name: z.string(),
  state: z.string(),
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
  expiresAt: z.string().nullable(),
};

const Reference = z.object({ id: z.string(), name: z.string() });

export const Group = z.looseObject(lifetime);
export type Group = z.infer<typeof Group>;

export const User = z.looseObject({ ...lifetime, group: Reference, role: z.string() });
export type User = z.infer<typeof User>;

export const Key = z.looseObject({
  ...lifetime,
  user: Reference,
  group: Reference,
  previousSecretExpiresAt: z.string().nullable(),
  parent: Reference.nullable().optional(),
  // Earlier gateways do not say.
  frozenWhy: z.string().nullish(),
  leak: z.looseObject({ at: z.string(), place: z.string(), requestId: z.string() }).nullish(),
});
export type Key = z.infer<typeof Key>;

export const NewKey = z.looseObject({ key: Key, secret: z.string() });
export type NewKey = z.infer<typeof NewKey>;

export const ChildKey = z.looseObject({
  key: z.looseObject({ id: z.string(), expiresAt: z.string() }),
  secret: z.string(),
});
export type ChildKey = z.infer<typeof ChildKey>;

const Variables = z.record(z.string(), z.string());

export const RunEnvironment = z.looseObject({
  variables: Variables,
  unguided: Variables,
  files: z.array(z.object({ variable: z.string(), name: z.string(), text: z.string() })),
});

export const Claim = z.looseObject({
  id: z.string(),
  user: Reference,
  keyName: z.string(),
  state: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
  claimedAt: z.string().nullable(),
  keyId: z.string().nullable(),
});

export const NewClaim = z.looseObject({ claim: Claim, url: z.string() });

/** How many open streams a change cut. */
export const cut = { cut: z.number() };

export const Credential = z.looseObject({
  id: z.string(),
  provider: z.string(),
  name: z.string(),
  source: z.string(),
  masked: z.string(),
  usable: z.boolean(),
  problem: z.string().nullable(),
  rejection: z.object({ at: z.string(), message: z.string() }).nullable(),
  weight: z.number(),
  state: z.string(),
  coolingUntil: z.string().nullable(),
  lastError: z.object({ at: z.string(), status: z.number().nullable(), message: z.string() }).nullable(),
  inFlight: z.number(),
  share: z.number(),
});

export type Credential = z.infer<typeof Credential>;

export const CredentialTest = z.looseObject({ ok: z.boolean(), message: z.string(), durationMs: z.number() });

export const Provider = z.looseObject({
  id: z.string(),
  name: z.string(),
  upstream: z.string(),
  credentials: z.number(),
  ready: z.boolean(),
  // Earlier gateways do not say.
  source: z.string().optional(),
});

export const LoggedRequest = z.looseObject({
  seq: z.number(),
  at: z.string(),
  userName: z.string().nullable(),
  keyName: z.string().nullable(),
  parentKeyId: z.string().nullable().optional(),
  provider: z.string().nullable(),
  method: z.string(),
  endpoint: z.string(),
  model: z.string().nullable(),
  status: z.number(),
  refusal: z.string().nullable(),
  shadowRefusal: z.string().nullable().optional(),
  ending: z.string(),
  durationMs: z.number(),
  bytesOut: z.number(),
  costNanos: z.string().nullable().optional(),
});
export type LoggedRequest = z.infer<typeof LoggedRequest>;

const Fields = z.record(z.string(), z.unknown()).nullable();

export const AuditRow = z.looseObject({
  seq: z.number(),
  at: z.string(),
  actor: z.object({ kind: z.string(), id: z.string().nullable(), name: z.string() }),
  address: z.string().nullable(),
  action: z.string(),
  target: z.object({ kind: z.string(), id: z.string(), name: z.string() }),
  before: Fields,
  after: Fields,
  hash: z.string(),
});
export type AuditRow = z.infer<typeof AuditRow>;

export const AuditPage = z.object({ items: z.array(AuditRow), next: z.string().nullable() });

export const AuditHead = z.object({ head: z.string() });

const UsageSum = z.object({
  keys: z.record(z.string(), z.string().nullable()),
  requests: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  costNanos: z.string(),
  cost: z.string(),
  unpriced: z.number(),
});
export type UsageSum = z.infer<typeof UsageSum>;

export const UsageSums = z.object({ items: z.array(UsageSum), total: UsageSum, next: z.string().nullable() });

const Prices = z.record(z.string(), z.string());

export const Price = z.looseObject({
  provider: z.string(),
  model: z.string(),
  serviceTier: z.string().nullable(),
  source: z.string(),
  prices: Prices,
  perCall: z.string().nullable(),
  tiers: z.array(z.object({ over: z.number(), prices: Prices })),
});

export const PricingDefault = z.looseObject({
  provider: z.string(),
  kind: z.string(),
  price: z.string().nullable(),
  decided: z.boolean(),
  listed: z.boolean(),
  unlisted: z.string().nullable(),
});
export type PricingDefault = z.infer<typeof PricingDefault>;

export const Unpriced = z.looseObject({
  provider: z.string(),
  model: z.string().nullable(),
  requests: z.number(),
  lastAt: z.string(),
  units: z.array(z.string()),
});
export type Unpriced = z.infer<typeof Unpriced>;

export const PriceSnapshot = z.looseObject({ hash: z.string(), pinnedAt: z.string().nullable() });

export const PriceDifference = z.looseObject({
  hash: z.string(),
  items: z.array(
    z.object({
      provider: z.string(),
      model: z.string(),
      before: Prices.nullable(),
      after: Prices.nullable(),
    }),
  ),
});
export type PriceDifference = z.infer<typeof PriceDifference>;

export const OwnedObject = z.looseObject({
  provider: z.string(),
  kind: z.string(),
  id: z.string(),
  user: Reference,
  group: Reference,
  createdAt: z.string(),
  deletedAt: z.string().nullable(),
});

export const Me = z.looseObject({
  user: z.string(),
  group: z.string(),
  key: z.object({ id: z.string(), name: z.string(), expiresAt: z.string().nullable() }),
  // Earlier gateways do not say.
  leaks: z
    .array(
      z.looseObject({
        key: z.string(),
        name: z.string(),
        at: z.string(),
        place: z.string(),
        frozen: z.boolean(),
      }),
    )
    .default([]),
  providers: z.array(z.object({ id: z.string(), name: z.string(), url: z.string() })),
  models: z.array(z.object({ scope: z.string(), patterns: z.array(z.string()) })),
  limits: z.array(
    z.looseObject({
      scope: z.string(),
      requestsPerMinute: z.number().optional(),
      tokensPerMinute: z.number().optional(),
      concurrentRequests: z.number().optional(),
    }),
  ),
  // Earlier gateways do not say.
  contact: z.string().nullish(),
  budgets: z.array(
    z.looseObject({
      scope: z.string(),
      name: z.string(),
      amount: z.string(),
      per: z.string(),
      left: z.string(),
      renewsAt: z.string().nullable(),
      provider: z.string().nullable(),
      model: z.string().nullable(),
    }),
  ),
  today: z.looseObject({ requests: z.number(), cost: z.string() }),
  calls: z.array(
    z.looseObject({
      at: z.string(),
      provider: z.string().nullable(),
      endpoint: z.string(),
      model: z.string().nullable(),
      status: z.number(),
      refusal: z.string().nullable(),
      cost: z.string().nullable(),
    }),
  ),
});
export type Me = z.infer<typeof Me>;

export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) });
}
