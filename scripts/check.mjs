/**
 * `npm run check`: types, format and lint, dead code, imports. All at once; each prints only what is wrong.
 */
import { spawn } from "node:child_process";
import { install, root } from "./install.mjs";

install({ dev: true });

/** Each runs on Node from its own file: one way for every platform, and no shell. */
const checks = [
  {
    name: "types",
    // What has not changed since the last time is not checked again.
    command: [
      "node_modules/typescript/bin/tsc",
      "--noEmit",
      "--pretty",
      "false",
      "--incremental",
      "--tsBuildInfoFile",
      ".cache/types.tsbuildinfo",
    ],
  },
  {
    name: "format and lint",
    command: ["node_modules/@biomejs/biome/bin/biome", "ci", "--colors=off", "--error-on-warnings", "."],
  },
  { name: "dead code", command: ["node_modules/knip/bin/knip.js", "--no-progress"] },
  { name: "imports", command: ["scripts/check-imports.mjs"] },
];

const passed = await Promise.all(checks.map(run));
process.exit(passed.every(Boolean) ? 0 : 1);

/**
 * @param {{ name: string, command: string[] }} check
 * @returns {Promise<boolean>} whether it passed
 */
function run({ name, command }) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, command, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on("close", (code) => {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(`${code === 0 ? "ok  " : "FAIL"}  ${name.padEnd(16)}${seconds.padStart(6)} s`);
      if (code !== 0) console.log(output.trimEnd().replace(/^/gm, "      "));
      resolve(code === 0);
    });
  });
}
