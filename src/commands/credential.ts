import { type Command, InvalidArgumentError } from "commander";
import { Credential, CredentialTest } from "./answers.ts";
import { connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { readSettings } from "./settings.ts";
import { list } from "./table.ts";

const path = "/api/v1/credentials";

interface AddOptions {
  name?: string;
  env?: string;
  weight?: number;
  json?: boolean;
}

export function addCredentialVerbs(program: Command, io: Io): void {
  const credential = program
    .command("credential")
    .description("the providers' real keys, which no user ever sees");

  credential
    .command("add")
    .description("store a provider's key, sealed; it is read from standard input, or asked for")
    .argument("<provider>", "its id, see: lmk providers")
    .option("--name <name>", "to tell it from the provider's others")
    .option("--env <variable>", "take it from this environment variable, or from .env")
    .option("--weight <n>", "its share of the calls beside the provider's other keys, 1 to 1000", weight)
    .option("--json", "as JSON")
    // Counted here: commander would repeat the surplus argument, which is most likely the key.
    .allowExcessArguments()
    .action((provider: string, options: AddOptions, command: Command) => add(io, provider, options, command));

  credential
    .command("list")
    .description("all credentials, masked")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const items = await connect(io, command).list(path, Credential);
      const rows = items.map((item) => [
        item.provider,
        item.name,
        item.id,
        item.source,
        item.masked,
        String(item.weight),
        `${Math.round(item.share * 100)} %`,
        String(item.inFlight),
        stateOf(item),
      ]);
      const headings = ["PROVIDER", "NAME", "ID", "SOURCE", "KEY", "WEIGHT", "SHARE", "RUNNING", "STATE"];
      await io.print(
        json ? jsonText(items) : list(headings, rows, "No credentials. Add one: lmk credential add openai"),
      );
    });

  credential
    .command("test")
    .description("ask the provider whether it takes the key; costs nothing")
    .argument("<id>", "see: lmk credential list")
    .option("--json", "as JSON")
    .action(async (id: string, { json }: { json?: boolean }, command: Command) => {
      const result = await connect(io, command).post(
        `${path}/${segment(id)}/test`,
        undefined,
        CredentialTest,
      );
      if (json) await io.print(jsonText(result));
      if (!result.ok) throw new Failure(result.message);
      io.note(`${result.message} (${result.durationMs} ms)`);
    });

  credential
    .command("weight")
    .description("change a stored credential's share of the calls")
    .argument("<id>", "see: lmk credential list")
    .argument("<weight>", "1 to 1000, relative to the provider's other keys", weight)
    .action(async (id: string, value: number, _options: unknown, command: Command) => {
      await connect(io, command).patch(`${path}/${segment(id)}`, { weight: value }, Credential);
      io.note(`Credential ${id} has weight ${value} now.`);
    });

  credential
    .command("remove")
    .description("forget a stored credential; keys from the environment are removed there")
    .argument("<id>", "see: lmk credential list")
    .action(async (id: string, _options: unknown, command: Command) => {
      await connect(io, command).delete(`${path}/${segment(id)}`);
      io.note(`Credential ${id} removed.`);
    });
}

async function add(io: Io, provider: string, options: AddOptions, command: Command): Promise<void> {
  if (command.args.length > 1) {
    command.error(
      "error: one argument, the provider; the key comes from standard input, a prompt or --env, because arguments are seen by every user of this machine",
    );
  }
  const api = connect(io, command);
  const secret =
    options.env === undefined
      ? (await io.readSecret(`Key of ${provider}: `)).trim()
      : fromVariable(io, options.env);
  if (secret === "") throw new Failure(`No key was given. Pipe it in: lmk credential add ${provider} < file`);
  const body = {
    provider,
    secret,
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.weight === undefined ? {} : { weight: options.weight }),
  };
  const added = await api.post(path, body, Credential);
  if (options.json) await io.print(jsonText(added));
  io.note(
    `Credential ${added.id} (${added.masked}) of ${added.provider} stored. Try it: lmk credential test ${added.id}`,
  );
}

function fromVariable(io: Io, variable: string): string {
  const secret = readSettings(io)(variable);
  if (secret === undefined)
    throw new Failure(`${variable} is not set, neither in the environment nor in .env.`);
  return secret;
}

function stateOf({ state, problem, coolingUntil, lastError }: Credential): string {
  if (state === "unusable") return problem ?? "not usable";
  if (lastError === null) return state;
  const said = `${lastError.status === null ? "" : `${lastError.status}, `}${lastError.message}`;
  if (state === "rejected") return `rejected at ${lastError.at}: ${said}`;
  if (coolingUntil !== null) return `${state} until ${coolingUntil}: ${said}`;
  return `ready (${lastError.at}: ${said})`;
}

/** @throws InvalidArgumentError */
function weight(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) {
    throw new InvalidArgumentError("A weight is a whole number from 1 to 1000.");
  }
  return value;
}
