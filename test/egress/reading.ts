/** All that a text may hold in another spelling: what was encoded, compressed or escaped, decoded. */
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";

const MAX_DEPTH = 4;
/** Long enough for any part of a secret that is worth finding. */
const BASE64 = /[A-Za-z0-9+/_-]{16,}/g;
const HEX = /(?:[0-9a-f]{2}){12,}/gi;

/** The text itself and everything that can be read out of it, each once. Texts are latin1: a character is a byte. */
export function readings(text: string): Set<string> {
  const found = new Set<string>();
  const read = (one: string, depth: number) => {
    if (one === "" || found.has(one)) return;
    found.add(one);
    if (depth < MAX_DEPTH) for (const other of otherSpellings(one)) read(other, depth + 1);
  };
  read(text, 0);
  read([...text].reverse().join(""), MAX_DEPTH);
  // Long base64 is written in lines.
  read(text.replace(/[\r\n]+/g, ""), MAX_DEPTH - 1);
  return found;
}

/** A body as it was before it was compressed; as it is where it was not. */
export function inflated(bytes: Buffer): Buffer {
  for (const inflate of [gunzipSync, zstdDecompressSync, inflateSync, brotliDecompressSync]) {
    try {
      return inflate(bytes, { maxOutputLength: 64 * 1024 * 1024 });
    } catch {
      // It was not compressed so.
    }
  }
  return bytes;
}

function* otherSpellings(text: string): Generator<string> {
  if (text.includes("%")) yield text.replace(/(?:%[0-9a-f]{2})+/gi, percentDecoded);
  if (text.includes("\\u")) yield text.replace(/\\u00([0-9a-f]{2})/gi, (_, hex) => character(hex));
  if (text.includes("&#"))
    yield text.replace(/&#(?:x([0-9a-f]{2})|([0-9]{2,3}));/gi, (_, hex, decimal) =>
      hex === undefined ? String.fromCharCode(Number(decimal)) : character(hex),
    );
  for (const [run] of text.matchAll(HEX)) yield Buffer.from(run, "hex").toString("latin1");
  for (const [run] of text.matchAll(BASE64)) {
    // Where a longer text was encoded with something in front of it that is no base64, the run may begin anywhere.
    for (let start = 0; start < 4; start++) {
      const bytes = Buffer.from(run.slice(start), "base64");
      yield bytes.toString("latin1");
      if (isCompressed(bytes)) yield inflated(bytes).toString("latin1");
    }
  }
}

function isCompressed(bytes: Buffer): boolean {
  if (bytes.length < 4) return false;
  const start = bytes.readUInt16BE(0);
  return start === 0x1f8b || start === 0x28b5 || [0x7801, 0x789c, 0x78da].includes(start);
}

function percentDecoded(text: string): string {
  return Buffer.from(text.replaceAll("%", ""), "hex").toString("latin1");
}

function character(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
