import { hashFor } from "./hash.ts";

/** A power of two. */
const SLOTS = 65_536;
const ROWS = 2;

export interface ThrottleOptions {
  /** Attempts that may follow each other at once. */
  readonly burst: number;
  /** Until there may be one more, milliseconds. */
  readonly everyMs: number;
  /** Milliseconds that only ever grow. */
  readonly now: () => number;
}

/**
 * Slows attempts down, by whatever they have in common.
 *
 * Its memory is fixed: names are hashed to slots, under a key that nobody knows, and two that share their slots share an
 * allowance. Nothing is ever forgotten because there is much else to remember, so nobody can make it forget.
 */
export class Throttle {
  private readonly key: Uint8Array;
  private readonly options: ThrottleOptions;
  /** For each slot, when all that was attempted there will have been paid for. */
  private readonly paidAt = new Float64Array(SLOTS * ROWS);

  constructor(key: Uint8Array, options: ThrottleOptions) {
    this.key = key;
    this.options = options;
  }

  /** Counts an attempt. @returns 0, or after how many milliseconds to come again: then it does not count. */
  take(name: string): number {
    const { burst, everyMs } = this.options;
    const now = this.options.now();
    const slots = this.slotsOf(name);
    const paidAt = Math.max(now, Math.min(...slots.map((slot) => this.paidAt[slot] ?? 0)));
    const waitMs = paidAt - now - (burst - 1) * everyMs;
    if (waitMs > 0) return Math.ceil(waitMs);
    for (const slot of slots) this.paidAt[slot] = Math.max(this.paidAt[slot] ?? 0, paidAt + everyMs);
    return 0;
  }

  /** An attempt that was right does not count. */
  giveBack(name: string): void {
    for (const slot of this.slotsOf(name)) {
      this.paidAt[slot] = (this.paidAt[slot] ?? 0) - this.options.everyMs;
    }
  }

  private slotsOf(name: string): number[] {
    const hash = Buffer.from(hashFor(this.key, "throttle", name));
    return Array.from({ length: ROWS }, (_, row) => row * SLOTS + (hash.readUInt32LE(row * 4) % SLOTS));
  }
}

/** What counts as one address: of IPv6, what one customer usually has. */
export function addressBlock(address: string | null): string {
  if (address === null || !address.includes(":") || address.includes(".")) return address ?? "unknown";
  const [head = "", tail] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const behind = tail === undefined ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - groups.length - behind.length;
  const all = [...groups, ...Array<string>(Math.max(0, zeros)).fill("0"), ...behind];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
