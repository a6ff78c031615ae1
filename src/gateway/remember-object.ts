import type { Usage } from "../domain/usage.ts";
import { reported, type UsageFormat } from "../providers/formats/usage.ts";
import type { Answer } from "../upstream/answer.ts";
import type { Call } from "./authorise.ts";
import type { Exchange } from "./exchange.ts";
import { createMeter, type Meter } from "./meter.ts";
import { lastSegment, makesObject, type ObjectHomes } from "./object-homes.ts";

/** Where answers name what was made: `id` (OpenAI, Anthropic; streams in `response`), `name` (Google: `files/abc`). */
const OBJECT_NAMES = ["id", "response.id", "message.id", "file.name", "name"];

/** Reads an object's name out of an answer, as if it were a job's. */
const objectName: UsageFormat = {
  watch: OBJECT_NAMES,
  read(found) {
    const name = found.text(...OBJECT_NAMES);
    return name === null ? null : reported({}, { jobId: lastSegment(name) });
  },
};

/**
 * The meter, which remembers beside with which credential this answer's object was made; where there is only one, or
 * none is made, just the meter.
 */
export function remembersObject(
  meter: Meter,
  call: Call,
  reply: Answer,
  headers: Headers,
  { member }: Exchange,
  homes: ObjectHomes,
): Meter {
  const { pool, provider } = call.route.upstream;
  if (!pool.isShared || member === undefined || !reply.ok || !makesObject(call)) return meter;
  const names = createMeter(objectName, headers, call.route.path);
  const remember = (found: Usage | null) => {
    if (found?.jobId) homes.remember(provider.id, found.jobId, member.credential.id);
  };
  return {
    push(bytes) {
      const behind = [meter.push(bytes), names.push(bytes)].filter((one) => one !== undefined);
      return behind.length === 0 ? undefined : Promise.all(behind).then(() => undefined);
    },
    end() {
      const found = names.end();
      if (found instanceof Promise) void found.then(remember);
      else remember(found);
      return meter.end();
    },
    soFar: () => meter.soFar(),
    get textBytes() {
      return meter.textBytes;
    },
  };
}
