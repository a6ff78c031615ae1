import type { Store } from "../domain/store.ts";
import { CredentialQueries } from "./queries/credentials.ts";
import { DirectoryQueries } from "./queries/directory.ts";
import { LedgerQueries } from "./queries/ledger.ts";
import { PolicyQueries } from "./queries/policies.ts";
import { PriceQueries } from "./queries/prices.ts";
import { RequestQueries } from "./queries/requests.ts";
import { SecretQueries } from "./queries/secrets.ts";
import type { Sql } from "./sql.ts";

/** The store over a SQL database: each part's queries are written once, in `queries/`. */
export function sqlStore(sql: Sql) {
  const parts = [
    new DirectoryQueries(sql),
    new CredentialQueries(sql),
    new SecretQueries(sql),
    new RequestQueries(sql),
    new PriceQueries(sql),
    new LedgerQueries(sql),
    new PolicyQueries(sql),
  ];
  return joined(parts, () => sql.close()) satisfies Store;
}

export type SqlStore = ReturnType<typeof sqlStore>;

type Parts = Methods<DirectoryQueries> &
  Methods<CredentialQueries> &
  Methods<SecretQueries> &
  Methods<RequestQueries> &
  Methods<PriceQueries> &
  Methods<LedgerQueries> &
  Methods<PolicyQueries>;

/** Without private members, which no two classes could have together. */
type Methods<Part> = Pick<Part, keyof Part>;

/** One object with the methods of all parts. */
function joined(parts: readonly object[], close: () => Promise<void>): Parts & Pick<Store, "close"> {
  const methods: Record<string, unknown> = { close };
  for (const part of parts) {
    for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(part))) {
      const member: unknown = Reflect.get(part, name);
      if (name !== "constructor" && typeof member === "function") methods[name] = member.bind(part);
    }
  }
  return methods as unknown as Parts & Pick<Store, "close">;
}
