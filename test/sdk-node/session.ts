/**
 * The official SDKs against the real product, with stand-ins for the providers behind it.
 *
 * Nothing of an SDK is configured in code: `asUser` puts a user's exports into this process's environment, as a
 * shell does that evaluates them, and the clients are then constructed without arguments.
 */
import { type Gateway, type LoggedRow, startGateway } from "../support/gateway.ts";
import { type Providers, startProviders } from "../support/providers.ts";

/** What the SDKs' variables begin with. */
const prefixes = [
  "ANTHROPIC_",
  "ANYSCALE_",
  "AZURE_",
  "CO_",
  "COHERE_",
  "DEEPSEEK_",
  "GEMINI_",
  "GOOGLE_",
  "GROQ_",
  "HF_",
  "HUGGING",
  "LMK_",
  "MISTRAL_",
  "OPENAI_",
  "OPENROUTER_",
  "PERPLEXITY_",
  "TOGETHER_",
];

export interface Session {
  gateway: Gateway;
  providers: Providers;
}

/** A user with a key of its own, so that a test sees its own log rows and no others. */
export interface Caller {
  name: string;
  keyId: string;
  secret: string;
  /** Its log rows, oldest first, once there are at least this many. */
  rows(count: number): Promise<LoggedRow[]>;
}

export async function startSession(): Promise<Session> {
  const providers = await startProviders();
  const gateway = await startGateway({ env: providers.env });
  return { providers, gateway };
}

let callers = 0;

export async function asUser({ gateway }: Pick<Session, "gateway">): Promise<Caller> {
  callers += 1;
  const name = `node-user-${callers}`;
  const { key, secret } = await gateway.addUser(name);
  setEnvironment(await gateway.exportsOf(secret));
  return { name, keyId: key.id, secret, rows: (count) => gateway.rowsOf(name, count) };
}

/** As if this process had been started from a shell with these exports and nothing else that an SDK reads. */
export function setEnvironment(exports: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) {
    if (prefixes.some((prefix) => name.startsWith(prefix))) delete process.env[name];
  }
  Object.assign(process.env, exports);
}

/** What an SDK's error is, in one object to compare. */
export async function failureOf(call: PromiseLike<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (error) {
    return error as Failure;
  }
  throw new Error("The call succeeded; it should have failed.");
}

/** The fields of both SDKs' `APIError`. */
export interface Failure extends Error {
  status: number | undefined;
  headers: Headers | undefined;
  requestID: string | null | undefined;
  code?: string | null;
  type?: string | null;
}
