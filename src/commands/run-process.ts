import { spawn } from "node:child_process";
import { constants } from "node:os";

/** What is passed on to the command as it comes. */
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;
type Forwarded = (typeof FORWARDED)[number];

/** Of these the terminal sends one to every process in its foreground, the command included. */
const FROM_KEYBOARD: ReadonlySet<Forwarded> = new Set(["SIGINT", "SIGQUIT"]);

/** As shells say it. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** Signals that would end this process reach the command instead, and this process outlives it. */
export class Signals implements Disposable {
  /** What came before there was a command. */
  early: Forwarded | undefined;
  private target: ((signal: Forwarded) => void) | undefined;
  private readonly listeners = FORWARDED.map((signal) => [signal, () => this.took(signal)] as const);

  constructor() {
    for (const [signal, listener] of this.listeners) process.on(signal, listener);
  }

  passTo(target: (signal: Forwarded) => void): void {
    this.target = target;
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.listeners) process.off(signal, listener);
  }

  private took(signal: Forwarded): void {
    if (this.target === undefined) this.early ??= signal;
    // The command has it already; twice is more than once to many programs.
    else if (!(FROM_KEYBOARD.has(signal) && hasTerminal())) this.target(signal);
  }
}

/** @returns the exit code; of what a signal ended, 128 and its number. */
export function runProcess(
  [file = "", ...args]: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  signals: Signals,
  note: (line: string) => void,
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  // In our own process group, so that it may read from the terminal and is stopped and continued with us.
  const child = spawn(file, args, { env: { ...environment }, stdio: "inherit" });
  signals.passTo((signal) => child.kill(signal));
  child.on("error", (error: NodeJS.ErrnoException) => {
    const isMissing = error.code === "ENOENT";
    note(
      `lmk: ${file} ${isMissing ? "was not found" : `cannot be started (${error.code ?? error.message})`}.`,
    );
    resolve(isMissing ? NOT_FOUND : NOT_EXECUTABLE);
  });
  child.on("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : exitCodeOf(signal)));
  return promise;
}

export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function hasTerminal(): boolean {
  return process.stdin.isTTY === true || process.stdout.isTTY === true || process.stderr.isTTY === true;
}
