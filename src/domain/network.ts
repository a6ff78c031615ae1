/** A CIDR block, compiled. */
export interface Network {
  /** As it was written. */
  readonly text: string;
  contains(address: Address): boolean;
}

/** An IP address as a number; IPv4 in IPv6's clothes (`::ffff:192.0.2.1`) is IPv4. */
export interface Address {
  readonly family: 4 | 6;
  readonly bits: bigint;
}

const LENGTH = { 4: 32, 6: 128 } as const;
const MAPPED = 0xffffn;

let lastText = "";
let lastAddress: Address | undefined;

/** Undefined for what is no address; a zone (`%eth0`) does not count. */
export function parseAddress(text: string): Address | undefined {
  // A call's scopes all ask for the same one.
  if (text !== lastText) {
    lastAddress = parsed(text);
    lastText = text;
  }
  return lastAddress;
}

function parsed(text: string): Address | undefined {
  if (!text.includes(":")) return parse4(text);
  const bits = parse6(text.split("%", 1)[0] ?? "");
  if (bits === undefined) return undefined;
  return bits >> 32n === MAPPED ? { family: 4, bits: bits & 0xffffffffn } : { family: 6, bits };
}

/** `10.0.0.0/8`, `2001:db8::/32`, or a single address; undefined for anything else. */
export function parseNetwork(text: string): Network | undefined {
  const [, base = "", length] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const address = parseAddress(base);
  if (address === undefined) return undefined;
  const { family } = address;
  // Written as IPv6, the 96 bits in front of a mapped IPv4 address count.
  const offset = family === 4 && base.includes(":") ? 96 : 0;
  const kept = length === undefined ? LENGTH[family] : Number(length) - offset;
  if (kept < 0 || kept > LENGTH[family]) return undefined;
  const shift = BigInt(LENGTH[family] - kept);
  const prefix = address.bits >> shift;
  // A base with bits behind its length is more often a mistake than meant.
  if (prefix << shift !== address.bits) return undefined;
  return {
    text: text.trim(),
    contains: (other) => other.family === family && other.bits >> shift === prefix,
  };
}

function parse4(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    // No leading zeros: some readers take them for octal.
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return { family: 4, bits };
}

function parse6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [front, back] = halves.map(groups);
  if (front === undefined || (halves.length === 2 && back === undefined)) return undefined;
  const missing = 8 - front.length - (back?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const all = [...front, ...Array<number>(missing).fill(0), ...(back ?? [])];
  return all.reduce((bits, group) => (bits << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of one side of `::`; the last may be an IPv4 address. */
function groups(text: string): number[] | undefined {
  if (text === "") return [];
  const found: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) found.push(Number.parseInt(part, 16));
    else {
      const embedded = index === parts.length - 1 ? parse4(part) : undefined;
      if (embedded === undefined) return undefined;
      found.push(Number(embedded.bits >> 16n), Number(embedded.bits & 0xffffn));
    }
  }
  return found;
}
