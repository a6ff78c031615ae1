#!/usr/bin/env node
/**
 * `lmk` from a checkout: finds Bun and hands everything over to it. The product itself is src/main.ts.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { bunPackage, bunPath } from "../scripts/bun.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const bun = bunPath();
if (bun === undefined) {
  console.error(`lmk: ${bunPackage()} is not installed. Run: npm ci --omit=dev`);
  process.exit(1);
}

// Both flags keep Bun from reading the directory where somebody happens to stand: a .env file there would
// slip past our own reading of it, and a bunfig.toml may preload code.
const args = ["--no-env-file", `--config=${root}bunfig.toml`, `${root}src/main.ts`, ...process.argv.slice(2)];

const [verb = "serve"] = process.argv.slice(2);
/** What `lmk run` runs may read from the terminal, which only processes of our own group can. */
const sharesTerminal = verb === "run";

const child = spawn(bun, args, {
  stdio: "inherit",
  // A process group of its own: otherwise the terminal's Ctrl-C reaches the child beside the one that we
  // forward, and to a server a second one means "at once, without draining".
  detached: process.platform !== "win32" && !sharesTerminal,
  // Should this process be killed, the child sees that its parent is no longer this one, and leaves. A pipe
  // kept open between the two would not do: its descriptor does not survive the child's process.execve.
  env: { ...process.env, LMK_PARENT_PID: String(process.pid) },
});

/** npm forwards a Ctrl-C that the terminal has already delivered; what comes so soon is the same one. */
const sameSignalMs = 500;
const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"])) {
  const isFromKeyboard = signal === "SIGINT" || signal === "SIGQUIT";
  // To servers, Ctrl-\ is what it is to others.
  if (!sharesTerminal && /QUIT|USR/.test(signal)) continue;
  let forwardedAt = Number.NEGATIVE_INFINITY;
  process.on(signal, () => {
    if (sharesTerminal && isFromKeyboard && hasTerminal) return;
    if (performance.now() - forwardedAt < sameSignalMs) return;
    forwardedAt = performance.now();
    child.kill(signal);
  });
}

child.on("error", (error) => {
  console.error(`lmk: cannot start ${bun}: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
