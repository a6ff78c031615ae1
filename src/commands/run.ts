import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDollars } from "../domain/money.ts";
import { ChildKey, RunEnvironment } from "./answers.ts";
import { type ApiClient, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { connectAsUser } from "./master-key.ts";
import { RunFolder, sweepRunFolders } from "./run-folder.ts";
import { exitCodeOf, runProcess, Signals } from "./run-process.ts";
import { time } from "./table.ts";
import { trusted } from "./trusted.ts";
import { parseDuration } from "./when.ts";

interface Options {
  budget?: string;
  ttl: number;
  only?: string[];
  name?: string;
  all?: boolean;
  /** Undefined where nobody said: then it is used where there is one. */
  proxy?: boolean;
  fingerprint?: string;
}

/** As `env`, `timeout` and others say that they themselves could not do their work: the command's codes stay its own. */
const OWN_FAILURE = 125;
/** The command has ended: nobody waits longer for a gateway that is gone. */
const END_LIMIT_MS = 5000;

/** What an administrator has in a shell, and a command that is run with less rights must not. */
const WITHHELD = ["LMK_ADMIN_TOKEN", "LMK_VAULT_KEY", "LMK_DATABASE_URL", "LMK_REDIS_URL", "LMK_PARENT_PID"];

/** @param exit Told how the command ended. */
export function addRunVerb(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command("run")
    .description("run a command with a key of its own, which ends with it")
    .usage("[options] -- <command> [arguments]")
    .argument("<command...>", "what to run; everything behind -- belongs to it")
    .option("--budget <dollars>", "what all its calls may cost together", dollars)
    .addOption(
      new Option("--ttl <duration>", "when its key ends at the latest, for example 30m, 8h")
        .default(3_600_000, "1h")
        .argParser(parseDuration),
    )
    .option("--only <providers>", "open only these to it: openai,hf", (text) =>
      text.split(",").filter(Boolean),
    )
    .option("--name <name>", "what its key is called in logs (default: the command's name)")
    .option(
      "--all",
      "also set keys that their SDKs send to the provider itself, for code that names the address",
    )
    .option("--proxy", "fail where the gateway is no proxy; where it is one, it is used anyway")
    .option("--no-proxy", "do not lead through the gateway, as a proxy, what reads no base address")
    .option("--fingerprint <sha256>", "of the gateway's certificate, as your administrator told you")
    .option("--key <key>", "the master key (default: LMK_KEY, else from ./llamakey_local.env)")
    .action(async (words: string[], options: Options, command: Command) => {
      try {
        exit(await run(io, connectAsUser(io, command), words, options));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        io.note(`lmk: ${error.message}`);
        exit(OWN_FAILURE);
      }
    });
}

async function run(io: Io, api: ApiClient, words: readonly string[], options: Options): Promise<number> {
  using signals = new Signals();
  sweepRunFolders(Date.now());
  const { budget, ttl, only = [] } = options;
  using folder = new RunFolder(Date.now() + ttl);
  const { client, trust } = await trustOf(io, api, folder, options);
  const wish = {
    name: (options.name ?? words[0]?.split("/").at(-1) ?? "run").slice(0, 100),
    ttlSeconds: Math.max(1, Math.round(ttl / 1000)),
    providers: only,
    ...(budget === undefined ? {} : { budget }),
  };
  const { key, secret } = await client.post("/lmk/keys", wish, ChildKey);
  const own = client.as({ text: secret, origin: "the answer" });
  const endsAt = Date.parse(key.expiresAt);
  const timer = setTimeout(
    () => io.note(`lmk: the key of this run has ended (--ttl); its calls are refused from now on.`),
    Math.min(endsAt - Date.now(), 2 ** 31 - 1),
  );
  try {
    const environment = await environmentOf(io, own, { folder, trust }, options);
    if (signals.early !== undefined) return exitCodeOf(signals.early);
    return await runProcess(words, environment, signals, io.note);
  } finally {
    clearTimeout(timer);
    if (Date.now() < endsAt) await end(io, own, key);
  }
}

async function environmentOf(
  io: Io,
  api: ApiClient,
  { folder, trust }: { folder: RunFolder; trust: string | undefined },
  { all, proxy }: Options,
): Promise<Record<string, string | undefined>> {
  const direct = io.environment["NO_PROXY"] ?? io.environment["no_proxy"];
  const query = { format: "run", trust, direct, proxy: proxy === false ? "no" : undefined };
  const { variables, unguided, files } = await api.get("/lmk/env", RunEnvironment, query);
  if (proxy && variables["HTTPS_PROXY"] === undefined) {
    throw new Failure("This gateway is no proxy: its administrator has not set LMK_PROXY_LISTEN.");
  }
  const environment: Record<string, string | undefined> = { ...io.environment, ...variables };
  for (const name of WITHHELD) delete environment[name];
  for (const { variable, name, text } of files) environment[variable] = folder.write(name, text);
  if (all) return Object.assign(environment, unguided);
  // The user's own key of that name, if there is one, stays what it is.
  const left = Object.keys(unguided);
  if (left.length > 0) {
    io.note(
      `lmk: not set, because their SDKs would send the key to the provider: ${left.join(", ")}. For code that names the gateway's address: --all.`,
    );
  }
  return environment;
}

/** Of a gateway with a certificate of its own, what programs need to trust it, in the run's folder. */
async function trustOf(io: Io, api: ApiClient, folder: RunFolder, { proxy, fingerprint }: Options) {
  if (proxy === false && !api.address.startsWith("https:")) return { client: api, trust: undefined };
  return trusted(io, api, { writeTo: folder.path, ...(fingerprint === undefined ? {} : { fingerprint }) });
}

/** Says what is left to happen where the gateway cannot be told: the command has run, and its exit code stays. */
async function end(io: Io, api: ApiClient, { id, expiresAt }: ChildKey["key"]): Promise<void> {
  const limit = Promise.withResolvers<never>();
  const timer = setTimeout(() => limit.reject(new Failure("The gateway does not answer.")), END_LIMIT_MS);
  try {
    await Promise.race([api.delete(`/lmk/keys/${segment(id)}`), limit.promise]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // Whoever ended it before us was as quick as we would have been.
    if (/revoked|expired|rotated/.test(error.message)) return;
    io.note(`lmk: the key ${id} of this run ends by itself at ${time(expiresAt)}: ${error.message}`);
  } finally {
    clearTimeout(timer);
  }
}

function dollars(text: string): string {
  const nanos = parseDollars(text);
  if (nanos === undefined || nanos <= 0n)
    throw new InvalidArgumentError("It must be dollars, such as 2 or 0.50.");
  return text;
}
