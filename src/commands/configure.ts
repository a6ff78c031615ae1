import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { Argument, type Command, Option } from "commander";
import type { Agent, GatewayFacts, Machine } from "../client/agents/agent.ts";
import { agents } from "../client/agents/catalogue.ts";
import { Backup } from "../client/configure/backup.ts";
import type { PlannedFile } from "../client/configure/plan.ts";
import { UnclearFile } from "../client/edit/setting.ts";
import { mask } from "../domain/key.ts";
import { Me } from "./answers.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { connectAsUser, findOwnKey } from "./master-key.ts";

interface Options {
  model?: string;
  dryRun?: boolean;
  yes?: boolean;
  undo?: boolean;
  force?: boolean;
}

export function addConfigureVerb(program: Command, io: Io): void {
  program
    .command("configure")
    .description("make a coding agent or chat tool use the gateway: shows the change, asks, keeps a backup")
    .addArgument(new Argument("<tool>", "which one").choices(agents.map(({ id }) => id)))
    .option("--key <key>", "the master key (default: LMK_KEY, else from ./llamakey_local.env)")
    .option("--model <model>", "the model to begin with, for tools that keep one")
    .addOption(new Option("--dry-run", "show the change, and leave everything as it is").conflicts("undo"))
    .option("--yes", "do not ask")
    .option("--undo", "make the tool's files what they were before, to the byte; asks no gateway")
    .addOption(new Option("--force", "with --undo: even if they were edited since; the edited ones are kept"))
    .action(async (tool: string, options: Options, command: Command) => {
      const agent = agents.find(({ id }) => id === tool) as Agent;
      if (options.force && !options.undo) throw new Failure("--force belongs to --undo.");
      try {
        await (options.undo ? undo(io, agent, options) : configure(io, agent, options, command));
      } catch (error) {
        if (error instanceof UnclearFile) throw new Failure(error.message);
        throw error;
      }
    });
}

async function configure(io: Io, agent: Agent, options: Options, command: Command): Promise<void> {
  const gateway = await gatewayFacts(io, options, command);
  if (agent.providers.every((id) => gateway.base(id) === undefined)) {
    throw new Failure(
      `${agent.name} speaks to ${agent.providers.join(" or ")}, which your key is not let to. Ask whoever runs the gateway.`,
    );
  }
  const machine = machineOf(io);
  // Loaded here: the packages that edit files are of no use to any other verb.
  const { plan } = await import("../client/configure/plan.ts");
  const { difference } = await import("../client/configure/difference.ts");
  const files = plan(agent, gateway, machine);
  await io.print(files.map((file) => heading(file) + difference(file.now.text ?? "", file.after)).join(""));
  if (files.length > 0) {
    if (options.dryRun) return io.note("Nothing is changed.");
    const agreed = options.yes || (await io.confirm(`Change ${files.length === 1 ? "it" : "them"}?`));
    if (agreed === undefined) throw new Failure("Nobody is here to be asked; say --yes to change it.");
    if (!agreed) return io.note("Nothing is changed.");
    const backup = new Backup(agent, machine);
    backup.apply(files);
    io.note(
      `${agent.name} uses ${gateway.url} now. What was there before is kept in ${backup.where}; lmk configure ${agent.id} --undo brings it back.`,
    );
  } else if (agent.files.length > 0) io.note(`${agent.name} is set up already; nothing is to be changed.`);
  else io.note(`${agent.name} keeps its settings where only itself writes. By hand:`);
  await io.print(
    agent
      .steps(gateway)
      .map((line) => `${line}\n`)
      .join(""),
  );
}

async function undo(io: Io, agent: Agent, { force, yes }: Options): Promise<void> {
  const backup = new Backup(agent, machineOf(io));
  if (backup.isEmpty) {
    throw new Failure(`lmk configure ${agent.id} has changed nothing here that could be undone.`);
  }
  if (force && !yes) {
    const agreed = await io.confirm("Take back also what was edited since?");
    if (agreed === undefined) throw new Failure("Nobody is here to be asked; say --yes, too.");
    if (!agreed) return io.note("Nothing is changed.");
  }
  for (const line of backup.undo(force === true)) io.note(line);
}

async function gatewayFacts(io: Io, { model }: Options, command: Command): Promise<GatewayFacts> {
  const { address, key } = findOwnKey(io, command);
  const { providers } = await connectAsUser(io, command).get("/lmk/me", Me);
  const [first] = providers;
  return {
    key,
    shownKey: mask(key),
    // What the gateway calls itself: the address that was asked may be one of this moment's shell alone.
    url: first === undefined ? address : first.url.slice(0, -first.id.length - 1),
    base: (id) => providers.find((provider) => provider.id === id)?.url,
    model,
  };
}

function machineOf({ environment, platform, folder }: Io): Machine {
  const home = environment[platform === "win32" ? "USERPROFILE" : "HOME"] || homedir();
  return { environment, platform, home, folder, exists: existsSync };
}

function heading({ now, isSecret }: PlannedFile): string {
  const isNew = now.text === undefined;
  const what = isNew ? " (new)" : "";
  const privacy = isSecret ? ", readable by you alone" : "";
  return `${now.path}${what}${privacy}:\n`;
}
