import { readFileSync } from "node:fs";
import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { reference } from "./lifetime.ts";
import { reasonOf } from "./settings.ts";
import { list, printable, table } from "./table.ts";
import { parseEnd } from "./when.ts";
import { BadYaml, parseYaml } from "./yaml.ts";

const path = "/api/v1/policies";
export const SCOPE = "organisation, group:<name>, user:<name> or key:<id>";

const Changes = z.array(z.object({ field: z.string(), before: z.unknown(), after: z.unknown() }));
const Shown = z.looseObject({ scope: z.string(), policy: z.record(z.string(), z.unknown()) });
const Changed = z.looseObject({ scope: z.string(), changes: Changes, warnings: z.array(z.string()) });
const Applied = z.looseObject({
  items: z.array(z.object({ scope: z.string(), changes: Changes })),
  warnings: z.array(z.string()),
});
const Explanation = z.looseObject({
  allowed: z.boolean(),
  refusal: z.object({ code: z.string(), message: z.string(), by: z.string() }).nullable(),
  endpoint: z.string().nullable(),
  model: z.string().nullable(),
  answers: z.array(
    z.object({
      question: z.string(),
      scope: z.string(),
      verdict: z.string(),
      message: z.string().nullable(),
    }),
  ),
  budgets: z.array(
    z.looseObject({
      scope: z.string(),
      name: z.string(),
      amount: z.string(),
      per: z.string(),
      left: z.string().nullable(),
    }),
  ),
  admission: z
    .object({ verdict: z.string(), ceiling: z.string().nullable(), outputCap: z.number().nullable() })
    .nullable(),
  leakedKeys: z.string().optional(),
});

type Explained = z.infer<typeof Explanation>;

interface Json {
  json?: boolean;
}

export function addPolicyVerbs(program: Command, io: Io): void {
  const policy = program
    .command("policy")
    .description("what calls may do: for the organisation, a group, a user or a key; the strictest applies");
  addShow(policy, io);
  addSet(policy, io);
  addClear(policy, io);
  addApply(policy, io);
  addExport(policy, io);
  addExplain(policy, io);
}

function addShow(policy: Command, io: Io): void {
  policy
    .command("show")
    .description("one scope's policy, or all")
    .argument("[scope]", SCOPE, reference)
    .option("--json", "as JSON")
    .action(async (scope: string | undefined, { json }: Json, command: Command) => {
      const api = connect(io, command);
      if (scope !== undefined) {
        const shown = await api.get(`${path}/${segment(scope)}`, Shown);
        const text = Object.keys(shown.policy).length === 0 ? "Restricts nothing.\n" : yamlText(shown.policy);
        return io.print(json ? jsonText(shown) : text);
      }
      const items = await api.list(path, Shown);
      const rows = items.map((item) => [item.scope, summary(item.policy)]);
      return io.print(json ? jsonText(items) : list(["SCOPE", "POLICY"], rows, "No policies."));
    });
}

interface SetOptions {
  providers?: string[];
  models?: string[];
  endpoints?: string[];
  networks?: string[];
  expires?: string;
  rpm?: number | "";
  tpm?: number | "";
  concurrent?: number | "";
  sharing?: string;
  capOutput?: boolean;
  lowerCaps?: boolean;
  deferred?: boolean;
  ownKeys?: number | "";
  leakedKeys?: string;
  shadow?: boolean;
}

function addSet(policy: Command, io: Io): void {
  policy
    .command("set")
    .description("change fields of a scope's policy; the others stay")
    .argument("<scope>", SCOPE, reference)
    .option("--providers <ids>", "only these, with commas; any: all", words)
    .option("--models <patterns>", "only these, with commas, * for any characters; any: all", words)
    .option(
      "--endpoint <pattern>",
      'only these; may be repeated: "GET,POST /openai/v1/files/**"; any: all',
      (text, all: string[] = []) => (text === "any" ? [] : [...all, text]),
    )
    .option("--networks <cidrs>", "only from these, with commas; any: all", words)
    .option("--expires <when>", "a date, a duration such as 30d, never or now", (text) =>
      parseEnd(text, Date.now()),
    )
    .option("--rpm <count>", "requests per minute; none: no limit", countOrNone)
    .option("--tpm <count>", "tokens per minute; none: no limit", countOrNone)
    .option("--concurrent <count>", "requests at the same time; none: no limit", countOrNone)
    .option("--sharing <whom>", "whose files, batches and the like its calls may use: own, group or all")
    .option("--cap-output", "let the gateway cap answers so that they fit into a budget")
    .option("--no-cap-output", "do not")
    .option("--lower-caps", "let it lower clients' own caps, too")
    .option("--no-lower-caps", "do not")
    .option("--deferred", "let it start work whose cost shows only later")
    .option("--no-deferred", "do not")
    .option("--own-keys <count>", "so many active keys may a user make; none: any number", countOrNone)
    .option("--leaked-keys <what>", "of its keys that are seen in a prompt or a URL: report or freeze")
    .option("--shadow", "refuse nothing, only note what would be refused")
    .option("--no-shadow", "refuse")
    .action(async (scope: string, given: SetOptions & { endpoint?: string[] }, command: Command) => {
      const chosen = (name: string) => command.getOptionValueSource(name) === "cli";
      const [rpm, tpm, concurrent] = [given.rpm, given.tpm, given.concurrent].map(orNull);
      const limits = { requestsPerMinute: rpm, tokensPerMinute: tpm, concurrentRequests: concurrent };
      const body = {
        providers: given.providers,
        models: given.models,
        endpoints: given.endpoint,
        networks: given.networks,
        expiresAt: orNull(given.expires),
        sharing: given.sharing,
        ownKeys: orNull(given.ownKeys),
        leakedKeys: given.leakedKeys,
        ...(Object.values(limits).some((limit) => limit !== undefined) && { limits }),
        ...(chosen("capOutput") && { capOutput: given.capOutput }),
        ...(chosen("lowerCaps") && { lowerCaps: given.lowerCaps }),
        ...(chosen("deferred") && { deferred: given.deferred }),
        ...(chosen("shadow") && { shadow: given.shadow }),
      };
      if (Object.values(body).every((value) => value === undefined))
        throw new Failure(
          "Say what to change, for example --models 'gpt-5*,claude-*'. See: lmk policy set --help",
        );
      const changed = await connect(io, command).patch(`${path}/${segment(scope)}`, body, Changed);
      tell(io, [changed], changed.warnings, "Nothing changes.");
    });
}

function addClear(policy: Command, io: Io): void {
  policy
    .command("clear")
    .description("let a scope restrict nothing any more; its budgets stay")
    .argument("<scope>", SCOPE, reference)
    .action(async (scope: string, _: unknown, command: Command) => {
      await connect(io, command).delete(`${path}/${segment(scope)}`);
      io.note(`${printable(scope)} restricts nothing any more but by its budgets.`);
    });
}

function addApply(policy: Command, io: Io): void {
  policy
    .command("apply")
    .description("make policies and budgets what a file says: all of it, or nothing where something is wrong")
    .requiredOption("-f, --file <path>", "YAML or JSON; - for standard input")
    .option("--dry-run", "only show what would change")
    .option("--prune", "empty the scopes that the file does not name")
    .option("--json", "as JSON")
    .action(
      async (
        {
          file,
          dryRun = false,
          prune = false,
          json,
        }: { file: string; dryRun?: boolean; prune?: boolean } & Json,
        command: Command,
      ) => {
        const document = documentIn(await textOf(file, io), file);
        const applied = await connect(io, command).post(
          `${path}/apply`,
          { document, dryRun, prune },
          Applied,
        );
        if (json) return io.print(jsonText(applied));
        const nothing = dryRun ? "Nothing would change." : "Nothing changes.";
        return tell(io, applied.items, applied.warnings, nothing);
      },
    );
}

function addExport(policy: Command, io: Io): void {
  policy
    .command("export")
    .description("all policies and budgets as one file, for apply")
    .option("--json", "as JSON instead of YAML")
    .action(async ({ json }: Json, command: Command) => {
      const file = await connect(io, command).get(`${path}/export`, z.record(z.string(), z.unknown()));
      await io.print(json ? jsonText(file) : yamlText(file));
    });
}

interface ExplainOptions extends Json {
  key?: string;
  user?: string;
  group?: string;
  model?: string;
  address?: string;
  body?: string;
}

function addExplain(policy: Command, io: Io): void {
  policy
    .command("explain")
    .description("what would happen to a call, and which scope decides it; nothing is sent")
    .argument("<method>", "GET, POST, ...", (text) => text.toUpperCase())
    .argument("<path>", "with the provider in front: /openai/v1/chat/completions")
    .option("--key <id>", "of this key", reference)
    .option("--user <user>", "of any key of this user", reference)
    .option("--group <group>", "of any key of this group", reference)
    .option("--model <name>", "what its body would name")
    .option("--address <ip>", "where it comes from")
    .option("--body <path>", "a file with its body; - for standard input")
    .option("--json", "as JSON")
    .action(
      async (method: string, target: string, { json, body, ...given }: ExplainOptions, command: Command) => {
        const [, provider, rest = "/"] = /^\/?([^/]+)(\/.*)?$/s.exec(target) ?? [];
        if (provider === undefined)
          throw new Failure("The path must begin with a provider: /openai/v1/models.");
        const call = { ...given, method, provider, path: rest };
        const content = body === undefined ? {} : { body: await textOf(body, io) };
        const found = await connect(io, command).post(
          `${path}/explain`,
          { ...call, ...content },
          Explanation,
        );
        await io.print(json ? jsonText(found) : explained(found));
      },
    );
}

function explained({
  refusal,
  endpoint,
  model,
  answers,
  budgets,
  admission,
  leakedKeys,
}: z.infer<typeof Explanation>): string {
  const head = [
    ["verdict", refusal === null ? "allowed" : `refused: ${refusal.code}`],
    ["by", refusal?.by ?? "-"],
    ["because", refusal?.message ?? "-"],
    ["sent as", endpoint ?? "-"],
    ["model", model ?? "-"],
    ...budgets.map(({ scope, name, amount, per, left }) => [
      "budget",
      `${scope}: ${name}, $${amount} per ${per}${left === null ? "" : `, $${left} left`}`,
    ]),
    ...(admission === null ? [] : [["now", admissionText(admission)]]),
    ...(leakedKeys === "freeze" ? [["a key seen", "is frozen"]] : []),
  ];
  const rows = answers.map(({ question, scope, verdict }) => [question, scope, verdict]);
  return table(head) + (rows.length === 0 ? "" : `\n${table([["QUESTION", "SCOPE", "VERDICT"], ...rows])}`);
}

function admissionText({ verdict, ceiling, outputCap }: NonNullable<Explained["admission"]>): string {
  const most = ceiling === null ? "" : `, costs at most $${ceiling}`;
  const cap = outputCap === null ? "" : ` at ${outputCap} output tokens`;
  return `${verdict}${cap}${most}`;
}

/** What changed, for people. */
function tell(
  io: Io,
  items: readonly { scope: string; changes: z.infer<typeof Changes> }[],
  warnings: readonly string[],
  nothing: string,
): void {
  const changes = items.flatMap(({ scope, changes: of }) => of.map((change) => ({ scope, ...change })));
  for (const { scope, field, before, after } of changes) {
    io.note(printable(`${scope}: ${field}: ${shown(before)} -> ${shown(after)}`));
  }
  if (changes.length === 0) io.note(nothing);
  for (const warning of warnings) io.note(printable(`Beware: ${warning}`));
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(String).join(", ");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function summary(policy: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(policy).map(([field, value]) =>
    field === "budgets" ? `${(value as unknown[]).length} budgets` : `${field}: ${shown(value)}`,
  );
  const text = parts.join("; ");
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

function yamlText(value: unknown): string {
  const text = Bun.YAML.stringify(value, null, 2);
  return `${text.trimEnd()}\n`;
}

function documentIn(text: string, file: string): unknown {
  try {
    // An empty file names nothing.
    return parseYaml(text) ?? {};
  } catch (error) {
    if (error instanceof BadYaml) throw new Failure(`${file} cannot be used: ${error.message}.`);
    throw error;
  }
}

async function textOf(file: string, io: Io): Promise<string> {
  if (file === "-") return io.readSecret("");
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure(`${file} cannot be read (${reasonOf(error)}).`);
  }
}

function words(text: string): string[] {
  return text === "any" ? [] : text.split(",").map((word) => word.trim());
}

/** The command line's parser makes an empty text of an option's null. */
function orNull<T>(value: T | "" | undefined): T | null | undefined {
  return value === "" ? null : value;
}

function countOrNone(text: string): number | null {
  if (text === "none") return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, or none.");
}
