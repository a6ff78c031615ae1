const MAX_HELD_BYTES = 64 * 1024;
const nothing: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/**
 * Takes the one event out of a stream that is there only because we asked for usage: the one without choices. All other
 * events pass byte for byte, each as soon as it is whole.
 */
export class UsageEventFilter {
  private held: Buffer = Buffer.alloc(0);

  /** @returns what may pass now. */
  push(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const all =
      this.held.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.held, bytes]);
    const end = endOfEvents(all);
    this.held = all.subarray(end);
    if (this.held.length > MAX_HELD_BYTES) {
      // No usage event is that long: whatever this is passes.
      this.held = Buffer.alloc(0);
      return own(all);
    }
    return end === 0 ? nothing : withoutUsage(all.subarray(0, end));
  }

  /** The stream is over, or broke off: what was held back. */
  end(): Uint8Array<ArrayBuffer> {
    const rest = this.held;
    this.held = Buffer.alloc(0);
    return own(isUsageEvent(rest) ? rest.subarray(0, lineEndsBefore(rest)) : rest);
  }
}

/** Behind the last blank line; 0 where there is none. */
function endOfEvents(bytes: Buffer): number {
  const lineFeeds = bytes.lastIndexOf("\n\n");
  const both = bytes.lastIndexOf("\r\n\r\n");
  return Math.max(lineFeeds === -1 ? 0 : lineFeeds + 2, both === -1 ? 0 : both + 4);
}

function withoutUsage(events: Buffer): Uint8Array<ArrayBuffer> {
  if (!mayHoldUsage(events)) return own(events);
  const kept: Buffer[] = [];
  for (let start = 0; start < events.length; ) {
    const lineFeeds = events.indexOf("\n\n", start);
    const both = events.indexOf("\r\n\r\n", start);
    const isBoth = both !== -1 && (lineFeeds === -1 || both < lineFeeds);
    const end = isBoth ? both + 4 : lineFeeds === -1 ? events.length : lineFeeds + 2;
    const event = events.subarray(start, end);
    kept.push(isUsageEvent(event) ? event.subarray(0, lineEndsBefore(event)) : event);
    start = end;
  }
  return own(Buffer.concat(kept));
}

/** Line ends in front of an event belong to the one before it, which came in another piece. */
function lineEndsBefore(event: Buffer): number {
  let length = 0;
  while (event[length] === 0x0a || event[length] === 0x0d) length++;
  return length;
}

/** Most events say `"usage":null` or nothing of it. */
function mayHoldUsage(events: Buffer): boolean {
  if (!events.includes('"usage"')) return false;
  return /"usage"\s*:\s*\{/.test(events.toString("latin1"));
}

function isUsageEvent(event: Buffer): boolean {
  if (!mayHoldUsage(event)) return false;
  const data = event
    .toString("utf8")
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice("data:".length))
    .join("\n");
  try {
    const value = JSON.parse(data) as { choices?: unknown; usage?: unknown };
    return Array.isArray(value.choices) && value.choices.length === 0 && typeof value.usage === "object";
  } catch {
    return false;
  }
}

function own(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBufferLike> as Uint8Array<ArrayBuffer>;
}
