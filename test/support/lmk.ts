import { runProgram } from "../../src/commands/program.ts";
import { type Gateway, root } from "./gateway.ts";

export interface Ended {
  code: number;
  out: string;
  err: string;
}

/** Runs the command line as an administrator on the gateway's machine does. */
export async function runLmk(
  gateway: Gateway,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended> {
  const program = [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`];
  const child = Bun.spawn([...program, ...args], {
    cwd: gateway.cwd,
    env: { PATH: process.env["PATH"] ?? "", LMK_URL: gateway.url, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

const refuse = () => Promise.reject(new Error("This test runs no server."));

/** Runs the command line in this process, as a user does who has no terminal: for tests that run it many times. */
export async function runHere(
  gateway: Gateway,
  args: readonly string[],
  env: Record<string, string>,
  folder: string,
): Promise<Ended> {
  const ended: Ended = { code: -1, out: "", err: "" };
  const io = {
    environment: { LMK_URL: gateway.url, ...env },
    folder,
    platform: process.platform,
    print: async (text: string) => {
      ended.out += text;
    },
    note: (line: string) => {
      ended.err += `${line}\n`;
    },
    readSecret: async () => "",
    confirm: async () => undefined,
  };
  const actions = { serve: refuse, demo: refuse, verify: refuse, version: "0.0.0" };
  ended.code = await runProgram(args, actions, io);
  return ended;
}
