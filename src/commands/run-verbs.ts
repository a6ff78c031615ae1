import { Command, CommanderError } from "commander";
import { Failure } from "./failure.ts";
import { Interrupted, type Io } from "./io.ts";
import { printable } from "./table.ts";

const USAGE_ERROR = 2;

/** Tells how what a verb ran has ended, where that decides the exit code. */
export type Exit = (code: number) => void;

/**
 * Runs one command line.
 * @param addVerbs Told where to add them; see `Exit`.
 * @returns the exit code: 0 done, 1 could not be done, 2 not understood, 130 interrupted.
 */
export async function runVerbs(
  args: readonly string[],
  version: string,
  io: Io,
  addVerbs: (program: Command, io: Io, exit: Exit) => void,
): Promise<number> {
  let code = 0;
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
  addVerbs(program, io, (ended) => {
    code = ended;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    return exitCode(error, io);
  }
}

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
