/**
 * The real product as a process of its own, for tests that talk to it as clients do: over sockets.
 *
 * It runs in a temporary folder, with nothing of the developer's environment.
 *
 *   const gateway = await startGateway({ env });          // at the top of a file or describe: ends with it
 *   await using gateway = await startGateway({ env });    // in a test: ends with the test
 *   afterAll(() => gateway.end());                        // beside a beforeAll that started it
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { atEnd } from "./cleanup.ts";
import { parseExports } from "./exports-file.ts";
import { poll } from "./poll.ts";
import { noteAddress, noteKeys, noteSecret, noteSettings } from "./record-gateway.ts";

/** The checkout. */
export const root = resolve(import.meta.dir, "../..");

export interface GatewayOptions {
  /** On top of an environment that has nothing but what a process needs. */
  env?: Record<string, string>;
  /** Where its data lie; by default in the product's own default place, below `cwd`. */
  dataDir?: string;
  /** What it runs as; `serve` by default. */
  verb?: "serve" | "demo";
  /** Further arguments of that verb. */
  args?: readonly string[];
  /** The folder that it runs in; a fresh temporary one, which is removed at the end, by default. */
  cwd?: string;
  /** The built executable to run instead of the source: `dist/lmk`. */
  executable?: string;
  /** How long it may take to listen, milliseconds. */
  startLimitMs?: number;
}

/** A row of `GET /api/v1/requests`, as far as tests look at it. */
export interface LoggedRow {
  seq: number;
  id: string;
  at: string;
  keyId: string | null;
  keyName: string | null;
  userName: string | null;
  groupName: string | null;
  provider: string | null;
  method: string;
  endpoint: string;
  model: string | null;
  status: number;
  refusal: string | null;
  shadowRefusal: string | null;
  ending: string;
  firstByteMs: number | null;
  durationMs: number;
  bytesIn: number;
  bytesOut: number;
  upstreamRequestId: string | null;
  address: string | null;
  usage: Record<string, number> | null;
  evidence: string | null;
  costNanos: string | null;
  priceBook: string | null;
}

/** What the admin API gives of a user or key; tests read further fields by name. */
export interface Named {
  id: string;
  name: string;
  [field: string]: unknown;
}

export interface NewUser {
  user: Named;
  key: Named;
  /** The master key. */
  secret: string;
}

export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const folder = options.cwd ?? mkdtempSync(join(tmpdir(), "lmk-test-"));
  const gateway = new Gateway(options, folder);
  atEnd(() => gateway.end());
  try {
    await gateway.start();
  } catch (error) {
    // Whoever expects this failure has nothing to dispose of.
    await gateway.end();
    throw error;
  }
  return gateway;
}

export class Gateway implements AsyncDisposable {
  /** Where it listens, without a trailing slash. */
  url = "";
  port = 0;
  readonly cwd: string;
  readonly dataDir: string;
  private readonly options: GatewayOptions;
  private child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
  private output: Capture | undefined;
  private errors: Capture | undefined;

  constructor(options: GatewayOptions, cwd: string) {
    this.options = options;
    this.cwd = cwd;
    this.dataDir = resolve(cwd, options.dataDir ?? "llamakey-data");
  }

  /** Starts it, on the port that it had before if it ran already, and waits until it listens. */
  async start(env: Record<string, string> = {}): Promise<void> {
    const settings = { ...this.environment(), ...env };
    noteSettings(settings);
    const child = Bun.spawn(this.command(), {
      cwd: this.cwd,
      env: settings,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.child = child;
    const output = new Capture(child.stdout);
    const errors = new Capture(child.stderr);
    this.output = output;
    this.errors = errors;
    const limitMs = this.options.startLimitMs ?? 15_000;
    this.url = await poll(
      "gateway that listens",
      async () => {
        const url = /listening on (https?:\/\/[^\s/]+)/i.exec(output.text)?.[1];
        if (url !== undefined) return url;
        if (child.exitCode === null && child.signalCode === null) return undefined;
        await Promise.all([output.done, errors.done]);
        const ending = `it ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`;
        throw new StartFailure(ending, child.exitCode, output.text, errors.text);
      },
      limitMs,
    ).catch((error: unknown) => {
      if (error instanceof StartFailure) throw error;
      this.killNow();
      throw new StartFailure(`still not listening after ${limitMs} ms`, null, output.text, errors.text);
    });
    this.port = Number(new URL(this.url).port);
    this.noteSecrets();
  }

  /** All that is in its database at the moment: what was written last may be in a file of its own. */
  async databaseText(): Promise<string> {
    const files = ["llamakey.db", "llamakey.db-wal", "llamakey.db-ledger"].map((name) =>
      Bun.file(join(this.dataDir, name)),
    );
    return (await Promise.all(files.map((file) => file.text()))).join("\n");
  }

  /** For the record: the first user's key, and the operator token. */
  private noteSecrets(): void {
    const exports = this.exportsFile;
    if (exports !== undefined) noteKeys(readFileSync(exports, "utf8"));
    const token = join(this.dataDir, "admin.token");
    if (existsSync(token)) noteSecret("gateway", readFileSync(token, "utf8"));
  }

  private command(): string[] {
    const { executable, verb = "serve", args = [] } = this.options;
    const program =
      executable === undefined
        ? [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`]
        : [resolve(root, executable)];
    return [...program, verb, ...args];
  }

  /** No provider keys, settings or proxies of whoever runs the tests. */
  private environment(): Record<string, string> {
    const { dataDir, env } = this.options;
    return {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: this.cwd,
      TMPDIR: tmpdir(),
      // Should this process be killed, the gateway leaves too.
      LMK_PARENT_PID: String(process.pid),
      ...(dataDir === undefined ? {} : { LMK_DATA_DIR: dataDir }),
      LMK_LISTEN: "127.0.0.1:0",
      ...env,
      ...(this.port === 0 ? {} : { LMK_LISTEN: `127.0.0.1:${this.port}` }),
    };
  }

  get pid(): number {
    return this.running.pid;
  }

  /** Resolves with the exit code (128 + signal where a signal ended it) once the process is gone. */
  get exited(): Promise<number> {
    return this.running.exited;
  }

  private get running(): Bun.Subprocess<"ignore", "pipe", "pipe"> {
    if (this.child === undefined) throw new Error("The gateway was never started.");
    return this.child;
  }

  /** What it has printed since its last start. */
  stdout(): string {
    return this.output?.text ?? "";
  }

  stderr(): string {
    return this.errors?.text ?? "";
  }

  /** What the first user's exports file sets, as a shell that sources it would see it. */
  get exports(): Record<string, string> {
    const file = this.exportsFile;
    if (file === undefined) throw new Error(`There is no llamakey_local.env in ${this.cwd}.`);
    return parseExports(readFileSync(file, "utf8"));
  }

  private get exportsFile(): string | undefined {
    return [this.cwd, this.dataDir].map((folder) => join(folder, "llamakey_local.env")).find(existsSync);
  }

  /** The first user's master key. */
  get key(): string {
    const { exports } = this;
    const key = Object.entries(exports).find(([name]) => /_API_KEY$|^LMK_KEY$/.test(name))?.[1];
    if (key === undefined) throw new Error(`The exports name no key: ${Object.keys(exports).join(", ")}.`);
    return key;
  }

  /** What `eval "$(curl .../lmk/env)"` sets in the shell of whoever holds this key. */
  async exportsOf(secret: string): Promise<Record<string, string>> {
    const response = await fetch(`${this.url}/lmk/env`, { headers: { authorization: `Bearer ${secret}` } });
    if (!response.ok) throw new Error(`/lmk/env answered ${response.status}: ${await response.text()}`);
    return parseExports(await response.text());
  }

  /** The first user's key as a request header. */
  get bearer(): { authorization: string } {
    return { authorization: `Bearer ${this.key}` };
  }

  get adminToken(): string {
    return (
      this.options.env?.["LMK_ADMIN_TOKEN"] ?? readFileSync(join(this.dataDir, "admin.token"), "utf8").trim()
    );
  }

  /**
   * Calls the admin API as the operator.
   *
   * @throws ApiFailure for anything but a 2xx.
   */
  async api<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    if (path === "/credentials" && body !== undefined) {
      const { provider, secret } = body as { provider: string; secret: string };
      noteSecret(provider, secret);
    }
    if (path === "/providers" && body !== undefined) {
      const { id, upstream } = body as { id: string; upstream: string };
      noteAddress(id, upstream);
    }
    const response = await fetch(`${this.url}/api/v1${path.replace(/^\/api\/v1(?=\/)/, "")}`, {
      method,
      headers: {
        authorization: `Bearer ${this.adminToken}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new ApiFailure(method, path, response.status, text);
    noteKeys(text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }

  /** A further user with a key of its own. */
  async addUser(name: string, group?: string): Promise<NewUser> {
    const added = await this.api<Named & { user?: Named }>("POST", "/users", {
      name,
      ...(group === undefined ? {} : { group }),
    });
    const made = await this.addKey(name);
    return { user: added.user ?? added, ...made };
  }

  /** A further key of a user, by the user's name. */
  async addKey(user: string, name?: string): Promise<{ key: Named; secret: string }> {
    return this.api("POST", "/keys", { user, ...(name === undefined ? {} : { name }) });
  }

  /** From now on this key is refused; its open streams are cut. */
  async revoke(keyId: string): Promise<void> {
    await this.api("PATCH", `/keys/${keyId}`, { revoked: true, now: true });
  }

  /** The request log, newest first. */
  async requests(limit = 500): Promise<LoggedRow[]> {
    const { items } = await this.api<{ items: LoggedRow[] }>("GET", `/requests?limit=${limit}`);
    return items;
  }

  /**
   * The rows of this user's requests, oldest first, once there are at least `count`. It waits a moment longer for
   * those that should not be there, such as a retry's.
   */
  async rowsOf(user: string, count: number): Promise<LoggedRow[]> {
    const read = async () =>
      (await this.api<{ items: LoggedRow[] }>("GET", `/requests?limit=500&user=${encodeURIComponent(user)}`))
        .items;
    await poll(`${count} log rows of ${user}`, async () => {
      const rows = await read();
      return rows.length >= count ? rows : undefined;
    });
    await Bun.sleep(150);
    return (await read()).reverse();
  }

  /** The row of the request that was answered with this `x-llamakey-request-id`, once it is written. */
  async requestRow(requestId: string | null | undefined): Promise<LoggedRow> {
    if (!requestId) throw new Error("There is no request id: the answer lacks x-llamakey-request-id.");
    return poll(`log row of request ${requestId}`, async () =>
      (await this.requests()).find((row) => row.id === requestId),
    );
  }

  /** Asks it to stop and waits until it has. @returns its exit code */
  async stop(limitMs = 40_000): Promise<number> {
    const { running } = this;
    running.kill("SIGTERM");
    const timer = setTimeout(() => this.killNow(), limitMs);
    const code = await running.exited;
    clearTimeout(timer);
    await Promise.all([this.output?.done, this.errors?.done]);
    return code;
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    this.killNow();
    await this.running.exited;
  }

  /** Stops it (nothing, if it is gone already) and starts it again: same folder, same port. */
  async restart(env: Record<string, string> = {}): Promise<void> {
    if (this.running.exitCode === null && this.running.signalCode === null) await this.stop();
    await this.start(env);
  }

  /** Its own child and nothing else; does not wait. */
  killNow(): void {
    if (this.child?.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
  }

  /** Whatever state it is in: nothing of it is left, neither process nor folder. */
  async end(): Promise<void> {
    this.killNow();
    await this.child?.exited;
    if (this.options.cwd === undefined) rmSync(this.cwd, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** The gateway ended, or did not listen, where a test needed it to. */
export class StartFailure extends Error {
  override name = "StartFailure";
  readonly exitCode: number | null;
  // Private: the test runner prints an error's public fields, and the message has them already.
  readonly #stdout: string;
  readonly #stderr: string;

  constructor(ending: string, exitCode: number | null, stdout: string, stderr: string) {
    super(`The gateway did not start: ${ending}.\nstdout: ${stdout}\nstderr: ${stderr}`);
    this.exitCode = exitCode;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }
}

/** The admin API said no. */
class ApiFailure extends Error {
  override name = "ApiFailure";
  readonly status: number;
  readonly body: string;

  constructor(method: string, path: string, status: number, body: string) {
    super(`${method} ${path} answered ${status}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** Everything that a stream has given so far. */
class Capture {
  text = "";
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = this.read(stream);
  }

  private async read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of stream) this.text += decoder.decode(chunk, { stream: true });
    } catch {
      // The process was killed while it wrote.
    }
  }
}
