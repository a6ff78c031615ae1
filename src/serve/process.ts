/** Bun's own limit on concurrent upstream calls is 256; this is the most that it takes. */
const MAX_UPSTREAM_CALLS = "65535";
/** Bun's own limit is 16 KiB; coding agents send more. Bytes. */
const MAX_HEADER_BYTES = 64 * 1024;

/**
 * When the event loop stops for its garbage: as soon as there are so many bytes, and hardly ever because some time has
 * passed. The platform's own settings stop it several times a second under load, each time for about as long.
 */
const COLLECTOR: Readonly<Record<string, string>> = {
  BUN_JSC_largeHeapSize: String(64 * 1024 * 1024),
  BUN_JSC_collectionTimerMaxPercentCPU: "0.005",
};

const PROXY_VARIABLES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/**
 * Starts this process over, once, with the environment that the platform must find when it starts.
 *
 * Bun reads its limits, and proxies that it would send provider calls through, before any code of ours runs.
 * The process id stays, so whoever supervises us sees nothing of it.
 */
export function cleanEnvironment(args: readonly string[]): void {
  if (process.env["BUN_CONFIG_MAX_HTTP_REQUESTS"] === MAX_UPSTREAM_CALLS) return;
  const environment: Record<string, string> = { ...COLLECTOR };
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !PROXY_VARIABLES.includes(name.toUpperCase())) environment[name] = value;
  }
  environment["BUN_CONFIG_MAX_HTTP_REQUESTS"] = MAX_UPSTREAM_CALLS;
  environment["BUN_OPTIONS"] = `--max-http-header-size=${MAX_HEADER_BYTES}`;
  // From source the platform needs its flags and the script again; the executable is its own script.
  const source = isExecutable() ? [] : [...process.execArgv, Bun.main];
  process.execve?.(process.execPath, [process.execPath, ...source, ...args], environment);
}

function isExecutable(): boolean {
  return Bun.main.startsWith("/$bunfs/") || Bun.main.includes("~BUN");
}

/** A launcher that was killed takes us with it, as a shell expects of one command. */
export function followParent(): void {
  const parent = Number(process.env["LMK_PARENT_PID"]);
  delete process.env["LMK_PARENT_PID"];
  if (!Number.isInteger(parent) || parent <= 0) return;
  const timer = setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, "SIGTERM");
  }, 1000);
  timer.unref();
}
