import { expect } from "bun:test";
import type { LoggedRow } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";
import { type FurtherSession, type Place, place } from "./further.ts";
import { asUser, failureOf, setEnvironment } from "./session.ts";

export interface Refused {
  provider: string;
  /** The SDK's own class for a key that is refused. */
  error: abstract new (
    ...args: never
  ) => Error;
  ask: (place: Place) => PromiseLike<unknown>;
}

/**
 * Asks with the exports of a user of this gateway, but for their key.
 * @param foreign A key that another installation made.
 */
export async function expectRefusal(
  { gateway, mock }: FurtherSession,
  foreign: string,
  { provider, error, ask }: Refused,
): Promise<void> {
  const { secret } = await asUser({ gateway });
  const exports = Object.entries(await gateway.exportsOf(secret));
  setEnvironment(
    Object.fromEntries(exports.map(([name, value]) => [name, value === secret ? foreign : value])),
  );
  const asked = mock(provider).calls.length;
  const failure = await failureOf(ask(place()));
  expect(failure).toBeInstanceOf(error);
  expect(failure.message).toContain("another installation");
  expect(failure.message).not.toContain(foreign);
  expect(mock(provider).calls.length).toBe(asked);
  const refused = async () => {
    const path = "/requests?limit=500&refusal=invalid_key";
    const { items } = await gateway.api<{ items: LoggedRow[] }>("GET", path);
    return items.filter((row) => row.provider === provider);
  };
  await poll("log row of the refusal", async () => (await refused())[0]);
  await Bun.sleep(150);
  // One: repeating it would help nobody.
  expect(await refused()).toMatchObject([
    { status: 401, keyId: null, userName: null, model: null, usage: null },
  ]);
}
