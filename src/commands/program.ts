import { Command, CommanderError } from "commander";
import { addAdminVerbs } from "./admin.ts";
import { addAuditVerb } from "./audit.ts";
import { addBudgetVerbs } from "./budget.ts";
import { addConfigureVerb } from "./configure.ts";
import { addCredentialVerbs } from "./credential.ts";
import { addDemoVerb, type Demo } from "./demo.ts";
import { addDoctorVerb } from "./doctor.ts";
import { addEnvVerb } from "./env.ts";
import { Failure } from "./failure.ts";
import { addGroupVerbs } from "./group.ts";
import { Interrupted, type Io, processIo } from "./io.ts";
import { addKeyVerbs } from "./key.ts";
import { addLogsVerb } from "./logs.ts";
import { addMeVerb } from "./me.ts";
import { addObjectsVerbs } from "./objects.ts";
import { addSettingsVerbs } from "./organisation-settings.ts";
import { addPolicyVerbs } from "./policy.ts";
import { addPricesVerbs } from "./prices.ts";
import { addProvidersVerb } from "./providers.ts";
import { addRunVerb } from "./run.ts";
import { addServeVerb, type Serve } from "./serve.ts";
import { addSnippetVerb } from "./snippet.ts";
import { printable } from "./table.ts";
import { addUsageVerb } from "./usage.ts";
import { addUserVerbs } from "./user.ts";
import { addVerifyVerb, type Verify } from "./verify.ts";

/** What a command line can do beside talking to a running gateway. */
export interface Actions {
  readonly serve: Serve;
  readonly demo: Demo;
  readonly verify: Verify;
  /** For `--version`. */
  readonly version: string;
}

const USAGE_ERROR = 2;

/**
 * Runs one command line.
 * @param args Without the executable; none, or options alone, are those of `serve`.
 * @returns the exit code: 0 done, 1 could not be done, 2 not understood, 130 interrupted.
 */
export async function runProgram(
  args: readonly string[],
  actions: Actions,
  io: Io = processIo(),
): Promise<number> {
  let code = 0;
  const program = buildProgram(io, actions, (served) => {
    code = served;
  });
  try {
    await program.parseAsync(withVerb(args), { from: "user" });
    return code;
  } catch (error) {
    return exitCode(error, io);
  }
}

/** @param exit Told how `serve`, `demo`, `verify` or the command of `run` ended. */
function buildProgram(
  io: Io,
  { serve, demo, verify, version }: Actions,
  exit: (code: number) => void,
): Command {
  const program = new Command("lmk")
    .description("LlaMaKey: one key per user in front of every LLM API.")
    .version(version)
    .option("--url <address>", "the gateway to talk to (default: LMK_URL, else where LMK_LISTEN says)")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeErr: (text) => io.note(text.trimEnd().split("\n").map(printable).join("\n")),
      outputError: (text, write) => write(text.replace(/^error: /, "lmk: ")),
    })
    .showSuggestionAfterError()
    .exitOverride();
  addServeVerb(program, io, serve, exit);
  addDemoVerb(program, io, demo, exit);
  addEnvVerb(program, io);
  addConfigureVerb(program, io);
  addSnippetVerb(program, io);
  addRunVerb(program, io, exit);
  addDoctorVerb(program, io, exit);
  addMeVerb(program, io);
  addUserVerbs(program, io);
  addGroupVerbs(program, io);
  addKeyVerbs(program, io);
  addCredentialVerbs(program, io);
  addProvidersVerb(program, io);
  addLogsVerb(program, io);
  addUsageVerb(program, io);
  addPricesVerbs(program, io);
  addPolicyVerbs(program, io);
  addBudgetVerbs(program, io);
  addObjectsVerbs(program, io);
  addSettingsVerbs(program, io);
  addAuditVerb(program, io);
  addAdminVerbs(program, io);
  addVerifyVerb(program, io, verify, exit);
  return program;
}

/** Not commander's own default command: that one would take a mistyped verb for its argument. */
function withVerb(args: readonly string[]): string[] {
  const [first] = args;
  const isForServe = first === undefined || (first.startsWith("-") && !OWN_OPTIONS.test(first));
  return isForServe ? ["serve", ...args] : [...args];
}

/** Options that may stand before a verb, or need none. */
const OWN_OPTIONS = /^(-h|--help|-V|--version|--url(=.*)?)$/;

function exitCode(error: unknown, io: Io): number {
  // Commander has said already what is wrong.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_ERROR;
  if (error instanceof Interrupted) return 130;
  // Who read our output has seen enough.
  if ((error as { code?: unknown }).code === "EPIPE") return 0;
  if (!(error instanceof Failure)) throw error;
  io.note(`lmk: ${printable(error.message)}`);
  return 1;
}
