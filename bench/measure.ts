/** What is measured and how; each on all targets in turn, so that a noisy moment does not hit one alone. */
import { durableWrite } from "./disk.ts";
import { cpuMicros, residentBytes, threadMicros } from "./process.ts";
import { type Measure, median, newMeasure, type TargetName, targetNames } from "./report.ts";
import { Sent } from "./rows.ts";
import { openStreams } from "./streams.ts";
import {
  type GatewayTarget,
  startBare,
  startGatewayTarget,
  startHaproxy,
  startUpstream,
  type Target,
  withPolicies,
} from "./targets.ts";
import { answer, event, stream } from "./traffic.ts";
import { entriesPerSecond } from "./writer.ts";
import { type Load, type Loaded, load } from "./wrk.ts";

export const kinds = ["requests", "latency", "events", "memory", "writer"] as const;
export type Kind = (typeof kinds)[number];

export interface Settings {
  readonly seconds: number;
  /** For generated files. */
  readonly folder: string;
  readonly programs: { readonly haproxy: string; readonly wrk: string };
  /** The gateway as an executable, instead of from source. */
  readonly executable: string | undefined;
}

const CONNECTIONS = 32;
/** More than the pauses between requests need, so that no request waits for a free one. */
const PACED_CONNECTIONS = 64;
const WARM_UP_SECONDS = 2;
/** Code is compiled in threads of its own; below this share of a core they are done with what matters, */
const COMPILING = 0.02;
/** or will not be soon. */
const MOST_WARM_UPS = 20;
const COMPILERS = ["JITWorker", "JSCWarmUp"];
const OPEN_STREAMS = 2_000;
/** Before the first look: what is made once is not the streams'. */
const WARM_UP_STREAMS = 100;
/** For the last rows to be written: they are part of their requests' cost. */
const LOG_MS = 200;
/** For garbage to be collected. */
const SETTLE_MS = 2_000;

type Targets = {
  direct: Target;
  HAProxy: Target & { pid: number };
  bare: Target & { pid: number };
  LlaMaKey: GatewayTarget;
  policies: GatewayTarget;
};

export class Measurements {
  private readonly settings: Settings;
  private readonly targets: Targets;
  private readonly sent = { LlaMaKey: new Sent(), policies: new Sent() };
  /** Half of what the gateway takes with everything on, requests per second. */
  private halfLoad = 0;
  /** Of the gateway with everything on, by thread: microseconds per request. */
  private readonly threads = new Map<string, number[]>();
  private readonly disk: { p50: number; p99: number }[] = [];

  private readonly perSecond = newMeasure("requests per second");
  private readonly cpuPerRequest = newMeasure("CPU per request, µs", 1);
  private readonly p50 = newMeasure("added latency, median, µs");
  private readonly p99 = newMeasure("added latency, 99th percentile, µs");
  private readonly cpuPerEvent = newMeasure("CPU per relayed SSE event, µs", 1);
  private readonly perStream = newMeasure("memory per open stream, KB", 1);
  private readonly entries = newMeasure("settled calls written per second, no more than that");

  private constructor(settings: Settings, targets: Targets) {
    this.settings = settings;
    this.targets = targets;
  }

  static async start(settings: Settings): Promise<Measurements> {
    const direct = await startUpstream();
    const HAProxy = await startHaproxy(settings.programs.haproxy, direct);
    const bare = await startBare(direct);
    const LlaMaKey = await startGatewayTarget(direct, settings.executable);
    const policies = await withPolicies(await startGatewayTarget(direct, settings.executable));
    const measurements = new Measurements(settings, { direct, HAProxy, bare, LlaMaKey, policies });
    await measurements.warmUp();
    return measurements;
  }

  /** Those that were taken. */
  get measures(): Measure[] {
    const all = [
      this.perSecond,
      this.cpuPerRequest,
      this.p50,
      this.p99,
      this.cpuPerEvent,
      this.perStream,
      this.entries,
    ];
    return all.filter(({ values }) => values.LlaMaKey.length > 0);
  }

  /** What a reader must know to judge the numbers. */
  get notes(): string[] {
    return [
      `Requests: ${CONNECTIONS} connections, as fast as they are answered; a body of 0.6 KB, an answer of ${answer.length} bytes.`,
      `CPU: user and system time of the whole process, the gateway's storage thread and request log included. With policies, by thread: ${this.byThread}.`,
      `Latency: at ${Math.round(this.halfLoad)} requests per second, half of what the gateway took with policies while warming up; the direct column is the whole latency, the others what they add to it. A hold waits for the disk, which by itself takes ${this.diskTimes} for 16 KB (median and 99th percentile).`,
      `Bare Bun: the platform's server and client with nothing in between but what HAProxy does here.`,
      `Events: streams of ${stream.events} events of ${event.length} bytes, 1 to ${stream.gapMs} ms apart, ${CONNECTIONS} at a time; the request that begins each stream is not subtracted.`,
      `With policies: a gateway of its own, whose key has allow-lists, limits, and a budget on each of the four scopes.`,
      `Written: hold, entry and log row of calls, through the journal into SQLite in a thread, each commit on the disk.`,
      `Memory: growth of the resident set from ${WARM_UP_STREAMS} to ${OPEN_STREAMS + WARM_UP_STREAMS} open streams in a fresh process; buffers in the kernel not counted.`,
    ];
  }

  private get byThread(): string {
    const medians = [...this.threads].map(([name, times]) => [name, median(times) ?? 0] as const);
    const shown = medians.filter(([, time]) => time >= 0.5).sort(([, one], [, other]) => other - one);
    return shown.map(([name, time]) => `${name} ${time.toFixed(1)}`).join(", ") || "not measured";
  }

  private get diskTimes(): string {
    const of = (which: "p50" | "p99") => Math.round(median(this.disk.map((times) => times[which])) ?? 0);
    return this.disk.length === 0 ? "a time that was not measured" : `${of("p50")} and ${of("p99")} µs`;
  }

  async take(kind: Kind): Promise<void> {
    if (kind === "requests") await this.requests();
    else if (kind === "latency") await this.latency();
    else if (kind === "events") await this.events();
    else if (kind === "writer")
      this.entries.values.LlaMaKey.push(await entriesPerSecond(this.settings.folder));
    else await this.memory();
  }

  /** @throws Error where the gateway's request log does not fit what was sent. */
  async finish(): Promise<void> {
    await this.sent.LlaMaKey.verify(this.targets.LlaMaKey.gateway);
    await this.sent.policies.verify(this.targets.policies.gateway);
  }

  /** Until its code is compiled; the last of it tells how much the gateway takes. */
  private async warmUp(): Promise<void> {
    for (const name of targetNames) {
      for (let times = 1; ; times++) {
        const before = this.compiling(name);
        const loaded = await this.load(name, { connections: CONNECTIONS, seconds: WARM_UP_SECONDS });
        if (name === "policies") this.halfLoad = loaded.requests / loaded.seconds / 2;
        const share = (this.compiling(name) - before) / 1e6 / WARM_UP_SECONDS;
        if (times > 1 && (share < COMPILING || times >= MOST_WARM_UPS)) break;
      }
    }
  }

  /** What the target has compiled so far, microseconds. */
  private compiling(name: TargetName): number {
    const { pid } = this.targets[name];
    const times = pid === undefined ? undefined : threadMicros(pid);
    return COMPILERS.reduce((sum, thread) => sum + (times?.get(thread) ?? 0), 0);
  }

  private async requests(): Promise<void> {
    const { pid } = this.targets.policies;
    for (const name of targetNames) {
      const before = name === "policies" && pid !== undefined ? threadMicros(pid) : undefined;
      const { requests, seconds, cpu } = await this.load(name, this.full());
      this.perSecond.values[name].push(requests / seconds);
      if (cpu !== undefined) this.cpuPerRequest.values[name].push(cpu / requests);
      if (before !== undefined && pid !== undefined) this.addThreads(before, threadMicros(pid), requests);
    }
  }

  private addThreads(before: Map<string, number>, after: Map<string, number>, requests: number): void {
    for (const [name, time] of after) {
      const perRequest = (time - (before.get(name) ?? 0)) / requests;
      this.threads.set(name, [...(this.threads.get(name) ?? []), perRequest]);
    }
  }

  private async latency(): Promise<void> {
    const paced = { connections: PACED_CONNECTIONS, seconds: this.settings.seconds, rate: this.halfLoad };
    this.disk.push(durableWrite(this.settings.folder));
    let direct: Loaded | undefined;
    for (const name of targetNames) {
      const { p50, p99 } = await this.load(name, paced);
      this.p50.values[name].push(p50 - (direct?.p50 ?? 0));
      this.p99.values[name].push(p99 - (direct?.p99 ?? 0));
      direct ??= { p50, p99, requests: 0, seconds: 0 };
    }
  }

  private async events(): Promise<void> {
    for (const name of ["HAProxy", "bare", "LlaMaKey", "policies"] as const) {
      const { requests, cpu } = await this.load(name, { ...this.full(), query: stream.query });
      if (cpu !== undefined) this.cpuPerEvent.values[name].push(cpu / requests / stream.events);
    }
  }

  /** Fresh processes: an old one has room from earlier work, and the streams would seem to need none. */
  private async memory(): Promise<void> {
    const { direct } = this.targets;
    const haproxy = await startHaproxy(this.settings.programs.haproxy, direct);
    this.perStream.values.HAProxy.push(await growthPerStream(haproxy));
    process.kill(haproxy.pid);
    const bare = await startBare(direct);
    this.perStream.values.bare.push(await growthPerStream(bare));
    process.kill(bare.pid);

    const target = await startGatewayTarget(direct, this.settings.executable);
    this.perStream.values.LlaMaKey.push(await growthPerStream({ ...target, pid: target.gateway.pid }));
    const sent = new Sent();
    sent.addLeft(WARM_UP_STREAMS + OPEN_STREAMS);
    await sent.verify(target.gateway);
  }

  private full(): Load {
    return { connections: CONNECTIONS, seconds: this.settings.seconds };
  }

  private async load(name: TargetName, asked: Load): Promise<Loaded & { cpu: number | undefined }> {
    const target: Target = this.targets[name];
    const { folder, programs } = this.settings;
    const before = target.pid === undefined ? 0 : cpuMicros(target.pid);
    const loaded = await load(programs.wrk, folder, target, asked);
    await Bun.sleep(LOG_MS);
    if (name === "LlaMaKey" || name === "policies") {
      const bytes = asked.query === undefined ? answer.length : event.length * stream.events;
      this.sent[name].addComplete(loaded.requests, bytes);
      this.sent[name].addDoubtful(asked.connections);
    }
    return { ...loaded, cpu: target.pid === undefined ? undefined : cpuMicros(target.pid) - before };
  }
}

/** Kilobytes (of 1,000 bytes). */
async function growthPerStream(target: Target & { pid: number }): Promise<number> {
  const closeFirst = await openStreams(target, WARM_UP_STREAMS);
  await Bun.sleep(SETTLE_MS);
  const before = residentBytes(target.pid);
  const closeAll = await openStreams(target, OPEN_STREAMS);
  await Bun.sleep(SETTLE_MS);
  const grown = residentBytes(target.pid) - before;
  closeFirst();
  closeAll();
  await Bun.sleep(SETTLE_MS);
  return grown / OPEN_STREAMS / 1000;
}
