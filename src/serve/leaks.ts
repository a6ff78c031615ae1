import { bySystem } from "../domain/audit.ts";
import type { Clock } from "../domain/clock.ts";
import { leakedKeys } from "../domain/compiled-scope.ts";
import { randomBase62 } from "../domain/key.ts";
import { inPlace } from "../domain/leak.ts";
import type { AdminStore } from "../domain/store.ts";
import type { Sighting } from "../gateway/leak-watch.ts";
import type { Webhook } from "../telemetry/webhook.ts";

export interface LeakParts {
  readonly store: Pick<AdminStore, "audited">;
  readonly webhook: Pick<Webhook, "send">;
  readonly directoryChanged: () => Promise<void>;
  readonly clock: Clock;
  readonly report: (message: string) => void;
}

/** Notes that a key was seen, freezes it where a policy says so, and tells whom it concerns; once for each secret. */
export function tellLeaks(parts: LeakParts): (sighting: Sighting) => Promise<void> {
  return async (sighting) => {
    try {
      await note(sighting, parts);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unknown reason";
      parts.report(`A master key was seen, and that could not be noted (${reason}).`);
    }
  };
}

async function note(sighting: Sighting, { store, webhook, directoryChanged, clock, report }: LeakParts) {
  const { holder, secretVersion, place, requestId } = sighting;
  const { key, user, group, scopes } = holder;
  const at = clock.now();
  const frozen = leakedKeys(scopes) === "freeze";
  const id = `evt_${randomBase62(16)}`;
  const data = {
    keyId: key.id,
    key: `lmk_${key.id}_...`,
    name: key.name,
    user: user.name,
    group: group.name,
    place,
    requestId,
    frozen,
  };
  const body = JSON.stringify({ id, type: "key.leaked", at: new Date(at).toISOString(), data });
  const event = { id, at, body };
  const leak = { at, place, secretVersion, requestId };
  const why = frozen ? `it was seen ${inPlace(place)}` : null;
  if (!(await store.audited(bySystem("leak watch", at), "noteLeak", key.id, leak, why, event))) return;
  await directoryChanged();
  webhook.send(event);
  report(
    `The master key lmk_${key.id}_... of ${user.name} was seen ${inPlace(place)} (request ${requestId})${frozen ? " and is frozen" : ""}.`,
  );
}
