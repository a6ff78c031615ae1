import type { Command } from "commander";
import { examineProviders } from "../client/doctor/examine.ts";
import { type Finding, RENEW, wrong } from "../client/doctor/finding.ts";
import { lookAtGateway } from "../client/doctor/gateway.ts";
import { modelsIn } from "../client/doctor/models.ts";
import { Me, RunEnvironment } from "./answers.ts";
import { ApiClient } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { findOwnKey } from "./master-key.ts";
import { printable } from "./table.ts";

const WORDS = { fine: "ok", note: "note", wrong: "WRONG" } as const;

/** @param exit Told 1 where something is wrong. */
export function addDoctorVerb(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command("doctor")
    .description(
      "try one small call for each provider with the variables of this shell, and say what is wrong",
    )
    .option("--key <key>", "the master key (default: LMK_KEY, else from ./llamakey_local.env)")
    .option("--json", "as JSON")
    .action(async ({ json }: { json?: boolean }, command: Command) => {
      const findings = await examine(io, command).catch((error: unknown) => {
        if (error instanceof Failure) return [wrong("LMK_KEY", "variable_missing", error.message)];
        throw error;
      });
      const count = findings.filter(({ verdict }) => verdict === "wrong").length;
      await io.print(json ? jsonText(findings) : findings.map(line).join(""));
      if (!json) io.note(count === 0 ? "Nothing is wrong." : `${count} to mend.`);
      exit(count === 0 ? 0 : 1);
    });
}

async function examine(io: Io, command: Command): Promise<Finding[]> {
  const { environment } = io;
  const { address, key, origin } = findOwnKey(io, command);
  const reached = await lookAtGateway(address, environment);
  const findings = [...reached.findings];
  if (!reached.isThere) return findings;
  const client = new ApiClient(address, { text: key, origin }, reached);
  try {
    const me = await client.get("/lmk/me", Me);
    const run = await client.get("/lmk/env", RunEnvironment, { format: "run", trust: "/" });
    const gateway = { address, key, proxy: run.variables["HTTPS_PROXY"] };
    findings.push(...(await examineProviders(me.providers, environment, gateway, reached)));
    findings.push(...modelsIn(environment, me.models));
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    findings.push(wrong(origin, codeOf(error.message), `${error.message} ${RENEW}`));
  }
  return findings;
}

/** The key that everything else was set up with is not taken. */
function codeOf(message: string): string {
  if (/revoked/.test(message)) return "revoked_key";
  if (/expired/.test(message)) return "expired_key";
  if (/mistyped/.test(message)) return "damaged_key";
  return /not a LlaMaKey master key/.test(message) ? "foreign_key" : "old_key";
}

function line({ subject, verdict, message }: Finding): string {
  return `${WORDS[verdict].padEnd(5)}  ${printable(subject)}: ${printable(message)}\n`;
}
