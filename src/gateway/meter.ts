import type { ModelUsage, Usage } from "../domain/usage.ts";
import { Found } from "../providers/formats/found.ts";
import {
  JsonWatcher,
  type ValueListener,
  type WatchList,
  watchList,
} from "../providers/formats/json-watch.ts";
import { SseReader } from "../providers/formats/sse.ts";
import { addByModel, type UsageFormat } from "../providers/formats/usage.ts";
import { Decoder } from "./decode.ts";

/** Reads what an answer used, while it passes, from a copy. Nothing of it ever throws. */
export interface Meter {
  /**
   * @param bytes As they came from the provider; not to be changed afterwards.
   * @returns A promise where the decoder of a compressed answer is behind: who does not wait for it, and gets far
   *   ahead, goes without usage.
   */
  push(bytes: Uint8Array): Promise<void> | undefined;
  /**
   * The answer is over, or broken off: then what was used until then.
   *
   * @returns null where the answer does not say; a promise only where it was compressed.
   */
  end(): Usage | null | Promise<Usage | null>;
  /** What is known so far; null where nothing is, or the answer is compressed. */
  soFar(): Usage | null;
  /** Bytes of the text that the model wrote so far, where its format says where that is; else null. */
  readonly textBytes: number | null;
}

/** For answers of which nothing is to be known. */
const idle: Meter = { push: () => undefined, end: () => null, soFar: () => null, textBytes: null };

/** Bodies of these types say nothing in JSON. */
const MEDIA = /^(audio|image|video)\//;

/**
 * @param headers Those of the answer, which must be a success: others cost nothing.
 * @param path The request's.
 */
export function createMeter(format: UsageFormat | undefined, headers: Headers, path: string): Meter {
  if (format === undefined) return idle;
  const type = headers.get("content-type") ?? "";
  const reader = new AnswerReader(format, headers, path, type.startsWith("text/event-stream"));
  if (format.watch.length === 0 || MEDIA.test(type)) {
    return { ...idle, end: () => reader.end() };
  }
  const encoding = headers.get("content-encoding")?.trim().toLowerCase() ?? "identity";
  if (encoding === "identity" || encoding === "") return reader;
  const decoder = Decoder.for(encoding, (bytes) => reader.push(bytes));
  if (decoder === undefined) return idle;
  return {
    ...idle,
    push: (bytes) => decoder.push(bytes),
    end: () => decoder.end().then((isWhole) => (isWhole ? reader.end() : null)),
  };
}

/** Each format's paths, prepared at its first use. */
const watchLists = new WeakMap<UsageFormat, WatchList>();

function watchListOf(format: UsageFormat): WatchList {
  let list = watchLists.get(format);
  if (list === undefined) {
    list = watchList(format.watch, format.text);
    watchLists.set(format, list);
  }
  return list;
}

/** Picks a format's values out of one answer, decoded. */
class AnswerReader implements Meter, ValueListener {
  private readonly format: UsageFormat;
  private readonly headers: Headers;
  private readonly path: string;
  private readonly watcher: JsonWatcher;
  private readonly sink: { push(bytes: Uint8Array): void };
  private found = new Found();
  private isFound = false;
  /** Of a file: what its answers used, all of them together. */
  private file: Usage | null = null;

  constructor(format: UsageFormat, headers: Headers, path: string, isEventStream: boolean) {
    this.format = format;
    this.headers = headers;
    this.path = path;
    this.watcher = new JsonWatcher(watchListOf(format), this);
    this.sink = isEventStream ? new SseReader(this.watcher) : this.watcher;
  }

  push(bytes: Uint8Array): undefined {
    this.sink.push(bytes);
  }

  soFar(): Usage | null {
    return this.format.isFile === true ? null : this.read();
  }

  get textBytes(): number | null {
    return this.format.text === undefined ? null : this.watcher.measuredBytes;
  }

  end(): Usage | null {
    // A number may have ended with the answer.
    this.watcher.reset();
    if (this.format.isFile !== true) return this.read();
    this.endOfLine();
    return this.file;
  }

  onValue(path: string, value: unknown): void {
    this.isFound = true;
    this.found.add(path, value);
  }

  onEnd(): void {
    if (this.format.isFile === true) this.endOfLine();
  }

  private endOfLine(): void {
    if (!this.isFound) return;
    const usage = this.read();
    if (usage !== null) this.file = this.file === null ? usage : addUsage(this.file, usage);
    this.found = new Found();
    this.isFound = false;
  }

  private read(): Usage | null {
    try {
      return this.format.read(this.found, this.headers, this.path);
    } catch {
      // What a provider sends is not ours: an answer that nobody expected is one that does not say.
      return null;
    }
  }
}

/** The first one's, with what the other used, by model. */
function addUsage(one: Usage, other: Usage): Usage {
  const sums = addByModel([own(one), ...one.others, own(other), ...other.others]);
  const quantities = sums.find(({ model }) => model === one.model)?.quantities ?? {};
  const others = sums.filter(({ model }) => model !== one.model);
  const evidence = one.evidence === "reported" ? other.evidence : one.evidence;
  const costs = [one.reportedCost, other.reportedCost].filter((cost) => cost !== null);
  const reportedCost = costs.length === 2 ? costs.reduce((sum, cost) => sum + cost, 0n) : null;
  return { ...one, quantities, others, evidence, reportedCost };
}

function own({ model, quantities }: Usage): ModelUsage {
  return { model, quantities };
}
