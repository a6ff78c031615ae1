/**
 * Installs the coding agents and libraries of this folder into .cache/agents: the npm packages by their lock file, the
 * Python ones with uv, in two environments because they want different releases of the same packages.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(new URL(".", import.meta.url));
const cache = fileURLToPath(new URL("../../.cache/agents/", import.meta.url));
const uv = "uv==0.13.9";

/** @returns {Promise<string | undefined>} what went wrong, for the log; the tests say what is missing */
export async function installAgents() {
  mkdirSync(cache, { recursive: true });
  const problems = await Promise.all([installNpm(), installPython()]);
  return problems.find((problem) => problem !== undefined);
}

async function installNpm() {
  const folder = `${cache}npm`;
  return once(folder, ["package.json", "package-lock.json"], async () => {
    for (const name of ["package.json", "package-lock.json"]) copyFileSync(own + name, `${folder}/${name}`);
    const args = [
      "ci",
      "--ignore-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
    ];
    const cli = process.env["npm_execpath"];
    return cli ? run(process.execPath, [cli, ...args], folder) : run("npm", args, folder);
  });
}

async function installPython() {
  const python = (/** @type {string} */ name) => `${cache}${name}/bin/python`;
  const problem = await once(`${cache}uv`, [], async () => {
    const made = await run("python3", ["-m", "venv", `${cache}uv`], cache);
    return (
      made ?? run(python("uv"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", uv], cache)
    );
  });
  if (problem !== undefined) return problem;
  for (const name of ["aider", "libraries"]) {
    const failed = await once(`${cache}${name}`, [`${name}.txt`], async () => {
      const made = await run("python3", ["-m", "venv", "--without-pip", `${cache}${name}`], cache);
      const args = ["pip", "install", "--quiet", "--python", python(name), "--no-deps", "--require-hashes"];
      return made ?? run(`${cache}uv/bin/uv`, [...args, "-r", `${own}${name}.txt`], cache);
    });
    if (failed !== undefined) return failed;
  }
  return undefined;
}

/**
 * Does what is not done yet, or was done for other files.
 *
 * @param {string} folder
 * @param {string[]} files of this folder
 * @param {() => Promise<string | undefined>} work
 */
async function once(folder, files, work) {
  const hash = createHash("sha256").update(uv);
  for (const name of files) hash.update(readFileSync(own + name));
  const wanted = hash.digest("hex");
  const stamp = `${folder}/.installed`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return undefined;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const problem = await work();
  if (problem === undefined) writeFileSync(stamp, wanted);
  return problem;
}

/** @param {string} file @param {string[]} args @param {string} cwd @returns {Promise<string | undefined>} */
function run(file, args, cwd) {
  const child = spawn(file, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on("error", (error) => resolve(`${file}: ${error.message}`));
    child.on("close", (code) =>
      resolve(
        code === 0
          ? undefined
          : `${file} ${args[0]} failed: ${output.trim().split("\n").slice(-5).join("\n")}`,
      ),
    );
  });
}
