import type { Clock } from "../domain/clock.ts";
import { randomBase62 } from "../domain/key.ts";
import type { AdminStore } from "../domain/store.ts";
import { demoGreeting } from "./demo-greeting.ts";
import { makePeople, PEOPLE, type Person } from "./demo-people.ts";
import { startTraffic } from "./demo-traffic.ts";
import { serve } from "./serve.ts";
import { startStandIn } from "./stand-in.ts";

export interface DemoOptions {
  /** Settings of the gateway; all other settings are the demo's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly hasTraffic: boolean;
}

/**
 * A gateway as `serve` runs it, with simulated providers behind it and some people who call it.
 * No setting or key of whoever starts it reaches it but those given, and `.env` is looked for in its own folder alone.
 * @returns the exit code.
 */
export async function demo({ environment, dataDir, hasTraffic }: DemoOptions): Promise<number> {
  const secret = `sk-simulated-${randomBase62(24)}`;
  const standIn = startStandIn(secret);
  let people: readonly Person[] = [];
  const makeUsers = async (store: AdminStore, hasher: { hashKey(key: string): Uint8Array }, clock: Clock) => {
    people = await makePeople(store, hasher, clock);
    return people[0];
  };
  const settings = {
    ...environment,
    LMK_DATA_DIR: dataDir,
    OPENAI_API_KEY: secret,
    ANTHROPIC_API_KEY: secret,
    LMK_OPENAI_UPSTREAM: `${standIn.url}/openai/v1`,
    LMK_ANTHROPIC_UPSTREAM: `${standIn.url}/anthropic`,
  };
  try {
    return await serve(settings, dataDir, {
      makeUsers,
      greeting: (facts) => demoGreeting({ ...facts, dataDir, hasTraffic, people: PEOPLE }),
      ...(hasTraffic && {
        started: (url) =>
          startTraffic(
            url,
            people.map(({ key }) => key),
          ),
      }),
    });
  } finally {
    await standIn.stop();
  }
}
