/** `lmk run` as a real process, on a user's machine: a folder and an environment with nothing but an address and a key. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./cleanup.ts";
import { type Gateway, root } from "./gateway.ts";
import type { Ended } from "./lmk.ts";

const program = [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`];

/** What `lmk run` may write temporary files to, and nothing else does. */
export const runTmp = mkdtempSync(join(tmpdir(), "lmk-run-test-"));
atEnd(() => rmSync(runTmp, { recursive: true, force: true }));

export interface RunOptions {
  /** Before `--`. */
  options?: readonly string[];
  env?: Record<string, string>;
  stdin?: string;
}

export class Run {
  readonly child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  out = "";
  err = "";
  private readonly read: Promise<unknown>;

  constructor(gateway: Gateway, secret: string, words: readonly string[], run: RunOptions = {}) {
    this.child = Bun.spawn([...program, "run", ...(run.options ?? []), "--", ...words], {
      cwd: runTmp,
      env: {
        PATH: process.env["PATH"] ?? "",
        TMPDIR: runTmp,
        LMK_URL: gateway.url,
        LMK_KEY: secret,
        ...run.env,
      },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    if (run.stdin !== undefined) this.child.stdin.write(run.stdin);
    this.child.stdin.end();
    this.read = Promise.all([
      collect(this.child.stdout, (text) => (this.out += text)),
      collect(this.child.stderr, (text) => (this.err += text)),
    ]);
  }

  get ended(): Promise<Ended> {
    return Promise.all([this.child.exited, this.read]).then(([code]) => ({
      code,
      out: this.out,
      err: this.err,
    }));
  }
}

async function collect(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) add(decoder.decode(chunk, { stream: true }));
}
