/** What is measured: the upstream itself, HAProxy in front of it, and the gateway in front of it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../test/support/gateway.ts";
import { poll } from "../test/support/poll.ts";
import { credential, path } from "./traffic.ts";

export interface Target {
  /** Where it takes chat completions. */
  readonly url: string;
  readonly key: string;
  /** The process whose time and memory count; undefined for the direct call, which passes through none. */
  readonly pid: number | undefined;
}

export interface GatewayTarget extends Target {
  readonly gateway: Gateway;
}

/** Children and folders of this run, and nothing else. Removed on every way out that a process is told of. */
const cleanups: (() => void)[] = [];
process.on("exit", () => {
  for (const clean of cleanups.reverse()) clean();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

/** Starts a child that ends with this process at the latest. */
export function spawn(
  command: string[],
  env: Readonly<Record<string, string>> = {},
): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  const child = Bun.spawn(command, {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, ...env },
  });
  cleanups.push(() => child.kill("SIGKILL"));
  return child;
}

/** Everything that a child's stream gives until it ends. */
export function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

export async function startUpstream(): Promise<Target> {
  const child = spawn([process.execPath, join(import.meta.dir, "upstream.ts")]);
  return { url: (await originOf(child)) + path, key: credential, pid: undefined };
}

/** What it prints when it listens. */
async function originOf(child: Bun.Subprocess<"pipe", "pipe", "pipe">): Promise<string> {
  const { value } = await child.stdout.getReader().read();
  const origin = new TextDecoder().decode(value).trim();
  if (!origin.startsWith("http://")) throw new Error("A process of the bench did not start.");
  return origin;
}

/** As little as a proxy of our kind can do: another host and another credential, connections kept and shared. */
export async function startHaproxy(program: string, upstream: Target): Promise<Target & { pid: number }> {
  const folder = temporaryFolder();
  const port = freePort();
  const key = "bench-client";
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global
  nbthread 1
  maxconn 6000
defaults
  mode http
  timeout connect 10s
  timeout client 10m
  timeout server 10m
  http-reuse always
frontend clients
  bind 127.0.0.1:${port}
  http-request deny unless { req.hdr(authorization) "Bearer ${key}" }
  http-request set-header authorization "Bearer ${credential}"
  default_backend provider
backend provider
  server provider ${new URL(upstream.url).host}
`,
  );
  // -db: one process, in the foreground, so that its id is the child's.
  const child = spawn([program, "-db", "-f", join(folder, "haproxy.cfg")]);
  const url = `http://127.0.0.1:${port}${path}`;
  await poll("HAProxy that listens", async () => {
    if (child.exitCode !== null) throw new Error(`HAProxy did not start: ${await textOf(child.stderr)}`);
    return await fetch(url).then(
      (reply) => reply.status === 403 || undefined,
      () => undefined,
    );
  });
  return { url, key, pid: child.pid };
}

/** The platform by itself: what a gateway on Bun cannot do without. */
export async function startBare(upstream: Target): Promise<Target & { pid: number }> {
  const key = "bench-client";
  const child = spawn([process.execPath, join(import.meta.dir, "bare.ts"), upstream.url, credential, key], {
    // Its own limit is 256 calls upstream, fewer than the streams that are held open.
    BUN_CONFIG_MAX_HTTP_REQUESTS: "65535",
  });
  return { url: (await originOf(child)) + path, key, pid: child.pid };
}

/** The real product in a fresh folder. */
export async function startGatewayTarget(
  upstream: Target,
  executable: string | undefined,
): Promise<GatewayTarget> {
  const env = {
    LMK_OPENAI_UPSTREAM: upstream.url.slice(0, -"/chat/completions".length),
    OPENAI_API_KEY: credential,
    // So that it ends even where this process is killed outright.
    LMK_PARENT_PID: String(process.pid),
  };
  const gateway = new Gateway(
    { env, ...(executable === undefined ? {} : { executable }) },
    temporaryFolder(),
  );
  cleanups.push(() => gateway.killNow());
  await gateway.start();
  return { url: `${gateway.url}/openai${path}`, key: gateway.key, pid: gateway.pid, gateway };
}

/** The gateway for a key that everything restricts and nothing stops. */
export async function withPolicies(target: GatewayTarget): Promise<GatewayTarget> {
  const { gateway } = target;
  await gateway.api("POST", "/groups", { name: "bench" });
  const { key, secret } = await gateway.addUser("bench", "bench");
  const policy = {
    providers: ["openai"],
    models: ["gpt-5*"],
    endpoints: ["POST /openai/v1/chat/completions"],
    networks: ["127.0.0.0/8"],
    limits: { requestsPerMinute: 100_000_000, tokensPerMinute: 1_000_000_000, concurrentRequests: 100_000 },
  };
  for (const scope of ["organisation", "group:bench", "user:bench", `key:${key.id}`]) {
    await gateway.api("PUT", `/policies/${scope}`, policy);
    await gateway.api("PUT", "/budgets", { scope, name: "bench", amount: "10000000", per: "month" });
  }
  return { ...target, key: secret };
}

/** Removed when this process ends, after those who may still write there were ended. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lmk-bench-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/** HAProxy cannot be asked which port the system gave it. */
function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
