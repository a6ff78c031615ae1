import type { Command } from "commander";
import { addAdminVerbs } from "./admin.ts";
import { addAuditVerb } from "./audit.ts";
import { addBudgetVerbs } from "./budget.ts";
import { addClientVerbs } from "./client-verbs.ts";
import { addCredentialVerbs } from "./credential.ts";
import { addDemoVerb, type Demo } from "./demo.ts";
import { addGroupVerbs } from "./group.ts";
import { type Io, processIo } from "./io.ts";
import { addKeyVerbs } from "./key.ts";
import { addLogsVerb } from "./logs.ts";
import { addObjectsVerbs } from "./objects.ts";
import { addSettingsVerbs } from "./organisation-settings.ts";
import { addPolicyVerbs } from "./policy.ts";
import { addPricesVerbs } from "./prices.ts";
import { addProvidersVerb } from "./providers.ts";
import { type Exit, runVerbs } from "./run-verbs.ts";
import { addServeVerb, type Serve } from "./serve.ts";
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

/**
 * Runs one command line, all verbs in it.
 * @param args Without the executable; none, or options alone, are those of `serve`.
 * @returns the exit code: see `runVerbs`.
 */
export function runProgram(args: readonly string[], actions: Actions, io: Io = processIo()): Promise<number> {
  return runVerbs(withVerb(args), actions.version, io, (program, io, exit) =>
    addVerbs(program, io, actions, exit),
  );
}

function addVerbs(program: Command, io: Io, { serve, demo, verify }: Actions, exit: Exit): void {
  addServeVerb(program, io, serve, exit);
  addDemoVerb(program, io, demo, exit);
  addClientVerbs(program, io, exit);
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
}

/** Not commander's own default command: that one would take a mistyped verb for its argument. */
function withVerb(args: readonly string[]): string[] {
  const [first] = args;
  const isForServe = first === undefined || (first.startsWith("-") && !OWN_OPTIONS.test(first));
  return isForServe ? ["serve", ...args] : [...args];
}

/** Options that may stand before a verb, or need none. */
const OWN_OPTIONS = /^(-h|--help|-V|--version|--url(=.*)?)$/;
