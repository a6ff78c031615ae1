import type { Store } from "../domain/store.ts";
import { AskQueries } from "./queries/asks.ts";
import { AuditQueries } from "./queries/audit.ts";
import { ClaimQueries } from "./queries/claims.ts";
import { CreationQueries } from "./queries/creations.ts";
import { CredentialQueries } from "./queries/credentials.ts";
import { ChildKeyQueries, DirectoryQueries } from "./queries/directory.ts";
import { LedgerQueries } from "./queries/ledger.ts";
import { NamedProviderQueries } from "./queries/named-providers.ts";
import { ObjectDecisionQueries, ObjectQueries } from "./queries/objects.ts";
import { PolicyQueries } from "./queries/policies.ts";
import { PriceQueries } from "./queries/prices.ts";
import { RequestPageQueries } from "./queries/request-pages.ts";
import { RequestQueries } from "./queries/requests.ts";
import { RollupQueries } from "./queries/rollups.ts";
import { SecretQueries } from "./queries/secrets.ts";
import { SignInQueries, SignInTraceQueries } from "./queries/sign-in.ts";
import { WebhookEventQueries } from "./queries/webhook-events.ts";
import type { Sql } from "./sql.ts";

/** The store over a SQL database: each part's queries are written once, in `queries/`. */
export function sqlStore(sql: Sql) {
  const policies = new PolicyQueries(sql);
  const decisions = joined<Decisions>([
    new DirectoryQueries(sql),
    new CredentialQueries(sql),
    new NamedProviderQueries(sql),
    new PriceQueries(sql),
    policies,
    new AskQueries(sql, policies),
    new ClaimQueries(sql),
    new ObjectDecisionQueries(sql),
    new SignInQueries(sql),
  ]);
  const others = joined<Others>([
    new SecretQueries(sql),
    new ChildKeyQueries(sql),
    new RequestQueries(sql),
    new RequestPageQueries(sql),
    new RollupQueries(sql),
    new CreationQueries(sql),
    new LedgerQueries(sql),
    new ObjectQueries(sql),
    new SignInTraceQueries(sql),
    new WebhookEventQueries(sql),
    new AuditQueries(sql, decisions),
  ]);
  return { ...decisions, ...others, close: () => sql.close() } satisfies Store;
}

export type SqlStore = ReturnType<typeof sqlStore>;

type Decisions = Methods<DirectoryQueries> &
  Methods<CredentialQueries> &
  Methods<NamedProviderQueries> &
  Methods<PriceQueries> &
  Methods<PolicyQueries> &
  Methods<ClaimQueries> &
  Methods<AskQueries> &
  Methods<ObjectDecisionQueries> &
  Methods<SignInQueries>;
type Others = Methods<SecretQueries> &
  Methods<ChildKeyQueries> &
  Methods<RequestQueries> &
  Methods<RequestPageQueries> &
  Methods<RollupQueries> &
  Methods<CreationQueries> &
  Methods<LedgerQueries> &
  Methods<ObjectQueries> &
  Methods<SignInTraceQueries> &
  Methods<WebhookEventQueries> &
  Methods<AuditQueries>;

/** Without private members, which no two classes could have together. */
type Methods<Part> = Pick<Part, keyof Part>;

/** One object with the methods of all parts. */
function joined<Parts>(parts: readonly object[]): Parts {
  const methods: Record<string, unknown> = {};
  for (const part of parts) {
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(part))) {
      const member: unknown = Reflect.get(part, name);
      if (name !== "constructor" && typeof member === "function") methods[name] = member.bind(part);
    }
  }
  return methods as unknown as Parts;
}
