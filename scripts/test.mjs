/**
 * `npm test`: installs what the tests need, runs the suites side by side, and ends with one line,
 * `N passed, N failed`.
 *
 *   npm test                     every suite
 *   npm test -- unit journeys    these only
 *   npm run test:full            the long form: all seeds, all kills, all SDKs
 *
 * What a suite printed is kept in .cache/test/<suite>.log.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { installAgents } from "../test/agents/install.mjs";
import { bunPath } from "./bun.mjs";
import { records as fidelityRecords } from "./fidelity.mjs";
import { install, root } from "./install.mjs";
import { readResults } from "./test-results.mjs";

/** System packages for Debian; a test that lacks its server elsewhere is skipped, counted and named. */
const systemPackages = ["chromium", "gcc", "haproxy", "libc6-dev", "python3-venv", "wrk"];

const logs = `${root}.cache/test`;
const binFolder = process.platform === "win32" ? "Scripts" : "bin";
const pythonBin = `${root}.cache/python/${binFolder}`;

/** Sockets and disks of a busy machine; Bun's own default of 5 s is for tests that touch neither. */
const testLimitMs = 60_000;

/**
 * A suite: the folder that it tests, what runs it, and where the runner writes its JUnit report. What the stand-ins of
 * a recorded one receive is kept, and what it sends anywhere else; the suite `egress` judges that at the end.
 *
 * What one needs that takes long to install is installed while others run; `prepare` tells what went wrong.
 *
 * @typedef {{
 *   name: string, folder: string, command: () => string[], results: string, recorded?: boolean,
 *   prepare?: () => Promise<string | undefined>,
 * }} Suite
 */

/** @type {Suite[]} The longest first, so that none of them is left to run alone at the end. */
const suites = [
  { ...bunSuite("journeys", "test/journeys"), recorded: true },
  bunSuite("executable", "test/executable"),
  bunSuite("faults", "test/faults"),
  { ...pytestSuite("sdk-python", "test/sdk-python"), recorded: true },
  { ...bunSuite("sdk-node", "test/sdk-node"), recorded: true },
  { ...bunSuite("sdk-proxy", "test/sdk-proxy"), recorded: true },
  bunSuite("browser", "test/browser"),
  bunSuite("transparency", "test/transparency"),
  bunSuite("security", "test/security"),
  { ...bunSuite("agents", "test/agents"), recorded: true, prepare: installAgents },
  bunSuite("api", "test/api"),
  bunSuite("contracts", "test/contracts"),
  bunSuite("tooling", "test/tooling"),
  bunSuite("unit", "src"),
];

/** Runs when all others are over, whenever there is a record for it to judge. */
const egress = bunSuite("egress", "test/egress");
const records = `${logs}/egress`;

/** Compares docs/fidelity.md with what these have written down. */
const fidelity = bunSuite("fidelity", "test/fidelity");
const shows = ["sdk-python", "sdk-node", "sdk-proxy", "agents"];
const last = [egress, fidelity];

/** The design's machine has two cores; more at a time would only make the tests' clocks unreliable. */
const atATime = 2;
const isFull = process.argv.includes("--full");
const isCi = /^(1|true)$/i.test(process.env["CI"] ?? "");
/** Of a suite that hangs: on a busy machine the longest takes more than ten minutes. */
const suiteLimitMs = (isFull ? 60 : 30) * 60_000;

/** @param {string} name @param {string} folder @returns {Suite} */
function bunSuite(name, folder) {
  const results = `${logs}/${name}.xml`;
  // "./" makes it this folder; a bare name would be any path that contains it.
  const args = [
    "test",
    `--timeout=${testLimitMs}`,
    "--reporter=junit",
    `--reporter-outfile=${results}`,
    `./${folder}/`,
  ];
  return { name, folder, results, command: () => [bunPath() ?? "bun", ...args] };
}

/** @param {string} name @param {string} folder @returns {Suite} */
function pytestSuite(name, folder) {
  const results = `${logs}/${name}.xml`;
  const args = [
    "-m",
    "pytest",
    folder,
    `--junitxml=${results}`,
    "-p",
    "no:cacheprovider",
    "--continue-on-collection-errors",
    "-rs",
  ];
  return { name, folder, results, command: () => [`${pythonBin}/python`, ...args] };
}

const names = process.argv.slice(2).filter((arg) => !arg.startsWith("-"));
const unknown = names.filter((name) => ![...suites, ...last].some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `No suite ${unknown.join(", ")}. There are: ${[...suites, ...last].map((suite) => suite.name).join(", ")}.`,
  );
  process.exit(2);
}
const chosen = suites.filter((suite) => names.length === 0 || names.includes(suite.name));

install({ dev: true });
installSystemPackages();
if (chosen.some(({ name }) => name === "sdk-python" || name === "sdk-proxy"))
  installPython("the Python SDKs", "test/sdk-python", ".cache/python");
if (chosen.some(({ name }) => name === "api"))
  installPython("Schemathesis", "test/api", ".cache/schemathesis");
if (chosen.some(({ name }) => name === "sdk-proxy")) installOwnPackages("test/sdk-proxy");
rmSync(logs, { recursive: true, force: true });
mkdirSync(logs, { recursive: true });
const recorded = chosen.filter((suite) => suite.recorded);
mkdirSync(fidelityRecords, { recursive: true });
for (const { name } of recorded) mkdirSync(`${records}/${name}`, { recursive: true });
const seal = sealing();

/** @type {Set<import("node:child_process").ChildProcess>} */
const running = new Set();
for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]))
  process.on(signal, () => {
    for (const child of running) stop(child);
    process.exit(130);
  });

/** Suites without a failure. @type {string[]} */
const clean = [];
const total = { passed: 0, failed: 0, skipped: 0 };
/** Under way while the first suites run. */
const preparing = new Map(chosen.map((suite) => [suite.name, suite.prepare?.()]));
const queue = [...chosen];
await Promise.all(Array.from({ length: atATime }, work));
if (recorded.length > 0 || names.includes(egress.name)) await runSuite(egress);
if (chosen.some(({ name }) => shows.includes(name)) || names.includes(fidelity.name))
  await runSuite(fidelity);
rmSync(records, { recursive: true, force: true });
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed > 0 ? 1 : 0);

async function work() {
  for (let suite = queue.shift(); suite !== undefined; suite = queue.shift()) await runSuite(suite);
}

/** @param {Suite} suite */
async function runSuite(suite) {
  const problem = await preparing.get(suite.name);
  if (problem !== undefined) console.error(`${suite.name}: ${problem}`);
  const startedAt = performance.now();
  const crash = existsSync(root + suite.folder) ? await execute(suite) : `there is no folder ${suite.folder}`;
  const { passed, failures, skips } = judge(suite, crash);
  total.passed += passed;
  total.failed += failures.length;
  total.skipped += skips.length;
  if (failures.length === 0 && passed > 0) clean.push(suite.name);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const counts = `${passed} passed, ${failures.length} failed, ${skips.length} skipped`;
  console.log(
    `${failures.length > 0 ? "FAIL" : "ok  "}  ${suite.name.padEnd(14)}${counts.padEnd(40)}${seconds} s`,
  );
  for (const skip of skips) console.log(`      skipped: ${skip}`);
  for (const failure of failures) console.log(`      failed: ${failure}`);
  const log = `${logs}/${suite.name}.log`;
  if (failures.length > 0 && existsSync(log)) console.log(tailOf(log, 60).replace(/^/gm, "      | "));
}

/**
 * Runs a suite to its end.
 *
 * @param {Suite} suite
 * @returns {Promise<string | undefined>} how it ended, if not with exit code 0
 */
function execute(suite) {
  const [file = "", ...args] = [...(suite.recorded ? sealed(suite) : []), ...suite.command()];
  const log = createWriteStream(`${logs}/${suite.name}.log`);
  // A process group of its own, so that what the tests started ends with them.
  const child = spawn(file, args, {
    cwd: root,
    env: { ...testEnvironment(), ...recordEnvironment(suite) },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  running.add(child);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return new Promise((resolve) => {
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      stop(child);
    }, suiteLimitMs);
    /** @param {string | undefined} crash */
    const end = (crash) => {
      clearTimeout(timer);
      running.delete(child);
      log.end(() => resolve(crash));
    };
    child.on("error", (error) => end(`cannot start: ${error.message}`));
    // "exit", not "close": a server that a test left behind would hold the pipes open for ever.
    child.on("exit", (code, signal) => {
      stop(child);
      const ending = timedOut
        ? `stopped after ${suiteLimitMs / 60_000} min`
        : `ended with ${signal ?? `exit code ${code}`}`;
      setTimeout(end, 100, code === 0 ? undefined : ending);
    });
  });
}

/** @param {import("node:child_process").ChildProcess} child whose whole group is killed */
function stop(child) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // Nothing of the group is left.
  }
}

/**
 * What a suite's report amounts to. A runner that died cannot report it, and Bun's report leaves out a file
 * that failed to load: both would otherwise look like success with fewer tests.
 *
 * @param {Suite} suite
 * @param {string | undefined} crash
 */
function judge(suite, crash) {
  const tests = existsSync(suite.results) ? readResults(readFileSync(suite.results, "utf8")) : [];
  const failures = tests
    .filter(({ outcome }) => outcome === "failed")
    .map(({ file, name }) => (file ? `${file}: ${name}` : name));
  const passed = tests.filter((test) => test.outcome === "passed").length;
  /** @type {string[]} */
  const skips = [];
  for (const { name, outcome, reason } of tests) {
    if (outcome !== "skipped") continue;
    const described = reason ? `${name}: ${reason}` : name;
    if (isCi && !described.includes("(allowed:"))
      failures.push(`${described} (skipped, which CI does not allow)`);
    else skips.push(described);
  }
  const reported = new Set(tests.map((test) => test.file));
  for (const file of testFiles(suite))
    if (!reported.has(file)) failures.push(`${file}: no test of it was reported`);
  if (failures.length === 0 && crash !== undefined) failures.push(`${suite.name}: ${crash}`);
  if (failures.length === 0 && tests.length === 0) failures.push(`${suite.name}: ran no test`);
  return { passed, failures, skips };
}

/** @param {Suite} suite @returns {string[]} the files that Bun must report; pytest reports a broken file itself */
function testFiles({ folder, name }) {
  if (name === "sdk-python" || !existsSync(root + folder)) return [];
  return readdirSync(root + folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => /[._](test|spec)\.[cm]?[jt]sx?$/.test(path) && !path.startsWith("node_modules/"))
    .map((path) => `${folder}/${path}`);
}

/** The tests' environment: nothing of the developer's own that a gateway or an SDK would listen to. */
function testEnvironment() {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) =>
        !/^(https?|all|no)_proxy$/i.test(name) &&
        !/_API_KEY$/.test(name) &&
        (!/^LMK_/.test(name) || name === "LMK_BUN"),
    ),
  );
  const local = "127.0.0.1,localhost";
  return { ...env, NO_PROXY: local, no_proxy: local, ...(isFull ? { LMK_TEST_FULL: "1" } : {}) };
}

/**
 * How a suite gets a network of its own, in which nothing leaves this machine unseen; it takes no privileges where the
 * system lets everybody have one.
 *
 * @returns {{ command: string[], why?: undefined } | { command: [], why: string }}
 */
function sealing() {
  if (process.platform !== "linux")
    return { command: [], why: "only Linux gives a suite a network of its own" };
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-current-user", "--keep-caps"];
  const command = ["unshare", ...user, "--net", "--mount", "--", "python3", `${root}test/support/sealed.py`];
  const tried = spawnSync(command[0] ?? "", [...command.slice(1), "/dev/null", "true"], { encoding: "utf8" });
  const why = tried.stderr?.trim().split("\n").at(-1) || String(tried.error ?? tried.status);
  return tried.status === 0
    ? { command }
    : { command: [], why: `this system gives no network of its own: ${why}` };
}

/** @param {Suite} suite */
function sealed({ name }) {
  return seal.command.length === 0 ? [] : [...seal.command, `${records}/${name}/network.jsonl`];
}

/** @param {Suite} suite @returns {Record<string, string>} */
function recordEnvironment(suite) {
  if (suite === fidelity) return { FIDELITY_SUITES: clean.join(",") };
  if (suite === egress) {
    const suites = recorded.map(({ name }) => name).join(",");
    return {
      EGRESS_RECORDS: records,
      EGRESS_SUITES: suites,
      ...(seal.why === undefined ? { EGRESS_SEAL: seal.command.join(" ") } : { EGRESS_UNSEALED: seal.why }),
    };
  }
  const shown = shows.includes(suite.name)
    ? { FIDELITY_RECORD: `${fidelityRecords}/${suite.name}.jsonl` }
    : {};
  return suite.recorded ? { EGRESS_RECORD: `${records}/${suite.name}`, ...shown } : shown;
}

function installSystemPackages() {
  if (!existsSync("/etc/debian_version") || process.getuid?.() !== 0) return;
  const missing = systemPackages.filter((name) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg fills it in, not JavaScript
    const status = spawnSync("dpkg-query", ["-W", "-f=${db:Status-Status}", name], { encoding: "utf8" });
    return status.stdout !== "installed";
  });
  if (missing.length === 0) return;
  console.log(`Installing ${missing.join(", ")}...`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  // A failed update is not the end: the lists that are there may be good enough.
  spawnSync("apt-get", ["update", "-qq"], { env });
  const done = spawnSync("apt-get", ["install", "-qq", "-y", "--no-install-recommends", ...missing], {
    env,
    encoding: "utf8",
  });
  if (done.status !== 0)
    console.error(`apt-get could not install them: ${done.stderr.trim().split("\n").at(-1)}`);
}

/** Packages that one suite alone needs, by the lock file in its folder. @param {string} folder */
function installOwnPackages(folder) {
  const lock = readFileSync(`${root}${folder}/package-lock.json`, "utf8");
  const stamp = `${root}${folder}/node_modules/.lock`;
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.log(`Installing what ${folder} needs...`);
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const done = spawnSync(npm, args, { cwd: root + folder, encoding: "utf8" });
  if (done.status === 0) writeFileSync(stamp, lock);
  else
    console.error(
      `npm ci in ${folder} failed:\n${tail(`${done.stdout}${done.stderr}${done.error ?? ""}`, 10)}`,
    );
}

/**
 * Python packages in an environment of their own. Where that fails, their suite says what is missing.
 *
 * @param {string} what @param {string} folder with the list of them @param {string} place
 */
function installPython(what, folder, place) {
  const requirements = `${root}${folder}/requirements.txt`;
  const python = `${root}${place}`;
  if (!existsSync(requirements)) return;
  const text = readFileSync(requirements, "utf8");
  const stamp = `${python}/.requirements`;
  const hash = createHash("sha256").update(text).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  console.log(`Installing ${what}...`);
  rmSync(python, { recursive: true, force: true });
  const hashes = text.includes("--hash=") ? ["--require-hashes"] : [];
  const steps = [
    [process.platform === "win32" ? "python" : "python3", "-m", "venv", python],
    [
      `${python}/${binFolder}/python`,
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
      // The list is complete; older pips want extras of what is in it pinned once more.
      "--no-deps",
      ...hashes,
      "-r",
      requirements,
    ],
  ];
  for (const [file = "", ...args] of steps) {
    const step = spawnSync(file, args, { cwd: root, encoding: "utf8" });
    if (step.status === 0) continue;
    console.error(
      `${[file, ...args].join(" ").replaceAll(root, "")} failed:\n${tail(`${step.stdout}${step.stderr}${step.error ?? ""}`, 10)}`,
    );
    return;
  }
  writeFileSync(stamp, hash);
}

/** @param {string} path @param {number} lines */
function tailOf(path, lines) {
  return tail(readFileSync(path, "utf8"), lines);
}

/** @param {string} text @param {number} lines */
function tail(text, lines) {
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}
