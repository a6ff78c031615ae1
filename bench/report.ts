/** The numbers of a run, as a table for people and as JSON. */
import { cpus, release, totalmem } from "node:os";

/** `bare`: Bun without a gateway. `policies`: the gateway for a key with allow-lists, limits and four nested budgets. */
export const targetNames = ["direct", "HAProxy", "bare", "LlaMaKey", "policies"] as const;
export type TargetName = (typeof targetNames)[number];

/** One row of the table: a value for each target in each round. */
export interface Measure {
  readonly title: string;
  readonly digits: number;
  readonly values: Record<TargetName, number[]>;
}

export function newMeasure(title: string, digits = 0): Measure {
  return { title, digits, values: { direct: [], HAProxy: [], bare: [], LlaMaKey: [], policies: [] } };
}

/** Where the numbers come from: they mean little elsewhere. */
export function machineLine(programs: { haproxy: string; wrk: string }): string {
  const [cpu] = cpus();
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  const haproxy = versionIn([programs.haproxy, "-v"], /version ([\d.]+)/);
  const wrk = versionIn([programs.wrk, "-v"], /wrk \D*([\d.]+)/);
  return `${cpus().length} cores (${cpu?.model ?? "unknown"}), ${gigabytes} GB, Linux ${release()}, Bun ${Bun.version}, HAProxy ${haproxy}, wrk ${wrk}; everything on this one machine.`;
}

function versionIn(command: string[], pattern: RegExp): string {
  const { stdout, stderr } = Bun.spawnSync(command);
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? "of unknown version";
}

export function markdown(measures: readonly Measure[]): string {
  const rows = measures.map(({ title, digits, values }) => {
    const medians = targetNames.map((name) => median(values[name]));
    const [, haproxy, , gateway, policies] = medians;
    const cells = medians.map((value) => format(value, digits));
    return `| ${[title, ...cells, ratio(gateway, haproxy), ratio(policies, haproxy)].join(" | ")} |`;
  });
  const names = [
    "direct",
    "HAProxy",
    "bare Bun",
    "LlaMaKey",
    "with policies",
    "LlaMaKey / HAProxy",
    "with policies / HAProxy",
  ];
  return [`| | ${names.join(" | ")} |`, `|---|${"---:|".repeat(names.length)}`, ...rows].join("\n");
}

export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length % 2 === 1) return sorted[Math.floor(middle)];
  return sorted.length === 0 ? undefined : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function format(value: number | undefined, digits: number): string {
  return value === undefined
    ? ""
    : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Differences may come out at nothing, or below, where the machine's noise is larger: no ratio then. */
function ratio(gateway: number | undefined, haproxy: number | undefined): string {
  return gateway === undefined || haproxy === undefined || haproxy <= 0 || gateway <= 0
    ? ""
    : (gateway / haproxy).toFixed(2);
}
