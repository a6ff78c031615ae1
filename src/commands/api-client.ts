import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { z } from "zod";
import { ask, proxyFor } from "../client/ask.ts";
import { noAnswer } from "../client/doctor/send.ts";
import { adminAddress, isLoopback } from "./address.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { dataDirectory, readSettings, reasonOf, type Settings } from "./settings.ts";

/** The longest page that the API gives. */
const PAGE = 1000;
/** A credential test waits for the provider; everything else takes milliseconds. */
const TIMEOUT_MS = 60_000;

/** A bearer token, and where it came from, for the message when it is not taken. */
export interface Token {
  readonly text: string;
  /** For example `LMK_KEY`, or the path of a file. */
  readonly origin: string;
}

/** The admin API of the gateway that this command is about, with a personal token or the operator token. */
export function connect(io: Io, command: Command): ApiClient {
  const settings = readSettings(io);
  const address = adminAddress(command.optsWithGlobals<{ url?: string }>().url, settings);
  const own = settings("LMK_TOKEN");
  const token = own === undefined ? operatorToken(io, settings) : { text: own, origin: "LMK_TOKEN" };
  return new ApiClient(address, token, wayTo(address, settings, io));
}

/** How a gateway is reached. */
export interface Way {
  /** Certificates to trust instead of the system's, PEM; undefined for those. */
  readonly ca: string | undefined;
  /** Undefined for none. */
  readonly proxy: string | undefined;
}

/** By the proxy that the environment names, but to this machine itself. */
export function wayTo(address: string, settings: Settings, io: Io): Way {
  const proxy = isLoopback(address) ? undefined : proxyFor(address, io.environment)?.url;
  return { ca: ownAuthority(address, settings, io), proxy };
}

/** The certificate that a gateway on this machine has put into its data directory; for that gateway alone. */
export function ownAuthority(address: string, settings: Settings, io: Io): string | undefined {
  if (!address.startsWith("https:") || !isLoopback(address)) return undefined;
  const file = join(dataDirectory(settings, io), "ca.pem");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function operatorToken(io: Io, settings: Settings): Token {
  const text = settings("LMK_ADMIN_TOKEN");
  if (text !== undefined) return { text, origin: "LMK_ADMIN_TOKEN" };
  const file = join(dataDirectory(settings, io), "admin.token");
  try {
    return { text: readFileSync(file, "utf8").trim(), origin: file };
  } catch (error) {
    throw new Failure(
      `No operator token: ${file} cannot be read (${reasonOf(error)}). Run this where the gateway runs, or set LMK_DATA_DIR to its data directory or LMK_ADMIN_TOKEN to its token.`,
    );
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

/** Every method throws `Failure`: gateway not there, token not taken, or what the gateway says is wrong. */
export class ApiClient {
  readonly address: string;
  private readonly token: Token;
  private readonly way: Way;

  /** @param address Without a trailing slash. */
  constructor(address: string, token: Token, way: Way) {
    this.address = address;
    this.token = token;
    this.way = way;
  }

  /** The same gateway with another token. */
  as(token: Token): ApiClient {
    return new ApiClient(this.address, token, this.way);
  }

  /** The same gateway, where this certificate vouches for it. */
  trusting(ca: string): ApiClient {
    return new ApiClient(this.address, this.token, { ...this.way, ca });
  }

  /** @param path From the root, its variable parts percent-encoded: see `segment`. */
  get<T>(path: string, answer: z.ZodType<T>, query: Query = {}): Promise<T> {
    return this.json("GET", path + queryText(query), undefined, answer);
  }

  /** All of a list, page after page. */
  async list<Item>(path: string, item: z.ZodType<Item>, query: Query = {}): Promise<Item[]> {
    const page = z.object({ items: z.array(item), next: z.string().nullable() });
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const answer = await this.get(path, page, { limit: PAGE, ...query, cursor });
      items.push(...answer.items);
      cursor = answer.next ?? undefined;
    } while (cursor !== undefined);
    return items;
  }

  /** The first so many of a list. */
  async first<Item>(path: string, item: z.ZodType<Item>, limit: number, query: Query = {}): Promise<Item[]> {
    const page = z.object({ items: z.array(item), next: z.string().nullable() });
    const items: Item[] = [];
    let cursor: string | undefined;
    do {
      const left = Math.min(PAGE, limit - items.length);
      const answer = await this.get(path, page, { ...query, limit: left, cursor });
      items.push(...answer.items);
      cursor = answer.next ?? undefined;
    } while (cursor !== undefined && items.length < limit);
    return items;
  }

  post<T>(path: string, body: unknown, answer: z.ZodType<T>): Promise<T> {
    return this.json("POST", path, body, answer);
  }

  patch<T>(path: string, body: unknown, answer: z.ZodType<T>): Promise<T> {
    return this.json("PATCH", path, body, answer);
  }

  put<T>(path: string, body: unknown, answer: z.ZodType<T>): Promise<T> {
    return this.json("PUT", path, body, answer);
  }

  async delete(path: string, query: Query = {}): Promise<void> {
    await this.send("DELETE", path + queryText(query), undefined);
  }

  /** The answer as text, where it says that text is what it is. */
  async text(path: string, query: Query): Promise<string> {
    const response = await this.send("GET", path + queryText(query), undefined);
    if (!response.headers.get("content-type")?.startsWith("text/plain")) throw this.stranger();
    return response.text();
  }

  private async json<T>(method: string, path: string, body: unknown, answer: z.ZodType<T>): Promise<T> {
    const response = await this.send(method, path, body);
    const parsed = answer.safeParse(await response.json().catch(() => undefined));
    if (!parsed.success) throw this.stranger();
    return parsed.data;
  }

  private async send(method: string, path: string, body: unknown): Promise<Response> {
    const response = await this.answerTo(method, path, body);
    if (response.ok) return response;
    const said = problemText(await response.json().catch(() => undefined));
    if (response.status === 401 && path.startsWith("/api/")) {
      throw new Failure(
        `The gateway at ${this.address} does not take the token from ${this.token.origin}. Use the operator token in admin.token of its data directory, or a personal token in LMK_TOKEN.`,
      );
    }
    if (said !== undefined) throw new Failure(said);
    if (response.status >= 500) {
      throw new Failure(
        `The gateway at ${this.address} failed (status ${response.status}); its own log says why.`,
      );
    }
    throw this.stranger(response.status);
  }

  private async answerTo(method: string, path: string, body: unknown): Promise<Response> {
    try {
      return await ask({
        url: this.address + path,
        method,
        headers: {
          authorization: `Bearer ${this.token.text}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        timeoutMs: TIMEOUT_MS,
        ...this.way,
      });
    } catch (error) {
      if (noAnswer(error).kind === "untrusted") {
        throw new Failure(
          `The certificate of ${this.address} is trusted by nothing in this environment (${reasonOf(error)}). Set this shell up with: eval "$(lmk env)". It asks for the fingerprint that your administrator has.`,
        );
      }
      throw new Failure(
        `No gateway answers at ${this.address} (${reasonOf(error)}). Start it with: lmk serve. Or name its address with --url or LMK_URL.`,
      );
    }
  }

  private stranger(status?: number): Failure {
    const what = status === undefined ? "" : ` (status ${status})`;
    return new Failure(
      `What answers at ${this.address} is not a LlaMaKey gateway that this command understands${what}. Check --url and LMK_URL, and that both have the same version.`,
    );
  }
}

/** A part of a path that may hold any character. */
export function segment(text: string): string {
  return encodeURIComponent(text);
}

/** problem+json of the admin API, or the error shape of the calls that users make. */
const Problem = z.union([
  z.object({ detail: z.string() }).transform(({ detail }) => detail),
  z.object({ error: z.object({ message: z.string() }) }).transform(({ error }) => error.message),
]);

function problemText(body: unknown): string | undefined {
  return Problem.safeParse(body).data;
}

function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}
