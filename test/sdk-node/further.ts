/** The providers beside OpenAI and Anthropic: one gateway in front of all their stand-ins. */
import { afterAll, expect } from "bun:test";
import type { AiMock, Call } from "../support/aimock.ts";
import { atEnd } from "../support/cleanup.ts";
import { type FurtherProviders, startFurtherProviders } from "../support/further-providers.ts";
import { type Gateway, type LoggedRow, startGateway } from "../support/gateway.ts";
import { startVertex } from "../support/vertex.ts";
import type { Caller } from "./session.ts";

/** What every stand-in says to "Say hello", and what it used for that. */
export const HELLO = "Hello from the stand-in, 你好 👋.";
export const USED = { input_tokens: 11, output_tokens: 7 };

/** What begins a master key, and what else is ours alone. */
const ours = /lmk_|lmkt\./;

/** Every header that a credential may stand in. */
const credentials = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "xi-api-key", "cookie"];

export interface FurtherSession {
  gateway: Gateway;
  store: FurtherProviders["store"];
  /** A provider's stand-in. */
  mock(provider: string): AiMock;
  /** The last request that this provider was sent: with its real key here, and with no other credential. */
  sent(provider: string, header?: string, value?: (key: string) => string): Call;
}

/** For the top of a file; at its end, no master key has reached any provider. */
export async function startFurtherSession(): Promise<FurtherSession> {
  const further = await startFurtherProviders();
  const vertex = await startVertex();
  const mocks = new Map([["vertex", vertex.mock], ...further.byId]);
  const keys: Record<string, string> = { ...further.keys, vertex: vertex.token };
  const gateway = await startGateway({ env: { ...further.env, ...vertex.env } });
  atEnd(() => further.stop());
  afterAll(() => {
    const calls = [...mocks.values()].flatMap((mock) => mock.calls);
    expect(JSON.stringify([calls, further.store.calls])).not.toMatch(ours);
  });

  const mock = (provider: string) => {
    const found = mocks.get(provider);
    if (found === undefined) throw new Error(`There is no provider "${provider}".`);
    return found;
  };
  const sent: FurtherSession["sent"] = (
    provider,
    header = "authorization",
    value = (key) => `Bearer ${key}`,
  ) => {
    const call = mock(provider).calls.at(-1);
    if (call === undefined) throw new Error(`${provider} was sent nothing.`);
    const { headers, body } = call;
    const carried = credentials.filter((name) => headers[name] !== undefined);
    expect({ carried, value: headers[header] }).toEqual({
      carried: [header],
      value: value(keys[provider] ?? ""),
    });
    expect(JSON.stringify(call)).not.toMatch(ours);
    // Its body was looked at, too.
    if ((headers["content-length"] ?? "0") !== "0") expect(body).not.toBe("");
    return call;
  };
  return { gateway, store: further.store, mock, sent };
}

/** What a user's programs know of the gateway, where their SDK wants it in code. */
export interface Place {
  url: string;
  key: string;
}

export function place(): Place {
  return { url: process.env["LMK_URL"] ?? "", key: process.env["LMK_KEY"] ?? "" };
}

/** A caller's only log row. */
export async function rowOf(caller: Caller): Promise<LoggedRow> {
  const rows = await caller.rows(1);
  expect(rows).toHaveLength(1);
  return rows[0] as LoggedRow;
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  return await Array.fromAsync(items);
}

export function says(content: string) {
  return [{ role: "user" as const, content }];
}
