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
