import type { ProviderConfig } from "../config.ts";
import { type AuditFields, bySystem } from "../domain/audit.ts";
import type { AdminStore } from "../domain/store.ts";
import { shown } from "./credentials.ts";

const target = { kind: "environment", id: "environment", name: "environment" };

/** Writes down the real keys that the environment gives, masked, where they are not those of the start before. */
export async function noteEnvironment(
  store: Pick<AdminStore, "listAudit" | "noteAudit">,
  configured: readonly ProviderConfig[],
  now: number,
): Promise<void> {
  const after: Record<string, unknown> = {};
  for (const { provider, upstream, environmentCredential: credential } of configured) {
    if (credential === undefined) continue;
    after[provider.id] = {
      variable: credential.variable,
      masked: shown(credential.secret, provider),
      upstream,
    };
  }
  const [last] = await store.listAudit({ target: target.id, action: "environment.change", limit: 1 });
  if (JSON.stringify(after) === (last?.after ?? "{}")) return;
  await store.noteAudit(bySystem("start", now), {
    action: "environment.change",
    target,
    before: fieldsIn(last?.after),
    after,
  });
}

/** A row that somebody has damaged is for `lmk verify` to find, and no reason not to start. */
function fieldsIn(json: string | null | undefined): AuditFields | null {
  try {
    return json == null ? null : (JSON.parse(json) as AuditFields);
  } catch {
    return null;
  }
}
