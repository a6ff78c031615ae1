import { KEY_LENGTH, KEY_PREFIX, parseKey } from "../domain/key.ts";
import type { LeakPlace } from "../domain/leak.ts";
import type { Call } from "./authorise.ts";
import type { Directory, KeyHolder } from "./directory.ts";
import type { Exchange } from "./exchange.ts";
import type { KeyHasher } from "./identify.ts";
import type { Route } from "./route.ts";

/** A master key that works, where none belongs. */
export interface Sighting {
  /** Whose it is, which need not be the caller. */
  readonly holder: KeyHolder;
  readonly secretVersion: number;
  readonly place: LeakPlace;
  readonly requestId: string;
}

export interface LeakWatchParts {
  readonly directory: Pick<Directory, "find">;
  readonly hasher: KeyHasher;
  readonly clock: { now(): number };
  /** Settles once the directory knows of it; where it fails, the next sighting is told of again. */
  readonly tell: (sighting: Sighting) => Promise<void>;
}

const PREFIX = Buffer.from(KEY_PREFIX);
/** Works on any bytes, so that none has to be wrapped for it. */
const { indexOf } = Buffer.prototype;
const UNDERSCORE = 0x5f;
/** Where a key has its further underscores. */
const AFTER_ID = PREFIX.length + 10;
const AFTER_SECRET = AFTER_ID + 33;
/** A body made of prefixes must not keep the gateway busy: behind so many of them, and so many whole shapes, nobody looks. */
const MOST_PREFIXES = 10_000;
const MOST_SHAPES = 500;

/** What may still be looked at of one request. */
interface Patience {
  prefixes: number;
  shapes: number;
}

/**
 * Sees master keys in prompts and URLs. All that a request without one costs is a search for four bytes; of what looks
 * like a key, only one that opens something counts.
 */
export class LeakWatch {
  private readonly parts: LeakWatchParts;
  /** Told of, and not in the directory yet. */
  private readonly telling = new Set<string>();

  constructor(parts: LeakWatchParts) {
    this.parts = parts;
  }

  /** Looks at a URL, from which the keys were taken out that stood where keys may stand. */
  watchUrl({ path, query }: Pick<Route, "path" | "query">, { id }: Exchange): void {
    if (!path.includes(KEY_PREFIX) && !query.includes(KEY_PREFIX)) return;
    const url = Buffer.from(path + query, "latin1");
    this.search(url, url.length, "url", id, patience());
  }

  /** Looks at a body that is about to be forwarded; what passes as a stream, as it passes. */
  watchBody({ body, read }: Pick<Call, "body" | "read">, exchange: Exchange): void {
    if (read !== undefined) this.look(read.bytes, exchange.id);
    else if (body !== null) exchange.onPiece = this.follow(exchange.id);
  }

  private look(bytes: Uint8Array, requestId: string): void {
    const first = indexOf.call(bytes, PREFIX, 0);
    if (first !== -1) this.search(bytes, bytes.length, "prompt", requestId, patience(), first);
  }

  /** @returns what is to be called with one piece after another. */
  private follow(requestId: string): (piece: Uint8Array) => void {
    const left = patience();
    // The end of what has passed, and then the beginning of the next piece: a key may stand in both.
    const seam = new Uint8Array(2 * OVERLAP);
    let kept = 0;
    return (piece) => {
      const head = Math.min(piece.length, OVERLAP);
      seam.set(piece.subarray(0, head), kept);
      if (kept > 0) this.search(seam, kept + head, "prompt", requestId, left);
      this.search(piece, piece.length, "prompt", requestId, left);
      if (piece.length >= OVERLAP) {
        seam.set(piece.subarray(piece.length - OVERLAP));
        kept = OVERLAP;
      } else {
        const end = kept + head;
        kept = Math.min(end, OVERLAP);
        seam.copyWithin(0, end - kept, end);
      }
    };
  }

  /** @param length Behind it nothing counts. */
  private search(
    bytes: Uint8Array,
    length: number,
    place: LeakPlace,
    requestId: string,
    left: Patience,
    first = indexOf.call(bytes, PREFIX, 0),
  ): void {
    for (let at = first; at !== -1 && at + KEY_LENGTH <= length; at = indexOf.call(bytes, PREFIX, at + 1)) {
      if (left.prefixes-- === 0) return;
      if (bytes[at + AFTER_ID] !== UNDERSCORE || bytes[at + AFTER_SECRET] !== UNDERSCORE) continue;
      if (left.shapes-- === 0) return;
      this.consider(String.fromCharCode(...bytes.subarray(at, at + KEY_LENGTH)), place, requestId);
    }
  }

  private consider(text: string, place: LeakPlace, requestId: string): void {
    const { directory, hasher, clock, tell } = this.parts;
    const key = parseKey(text);
    if (typeof key === "string") return;
    const holder = directory.find(key.id);
    if (holder === undefined || holder.key.revokedAt !== null) return;
    const now = clock.now();
    const hash = hasher.hashKey(key.text);
    const secret = holder.key.secrets.find((one) => hasher.sameHash(hash, one.hash));
    if (secret === undefined || (secret.expiresAt !== null && secret.expiresAt <= now)) return;
    const { version: secretVersion } = secret;
    if ((holder.key.leak?.secretVersion ?? 0) >= secretVersion) return;
    const name = `${key.id}:${secretVersion}`;
    if (this.telling.has(name)) return;
    this.telling.add(name);
    void tell({ holder, secretVersion, place, requestId }).finally(() => this.telling.delete(name));
  }
}

/** So much of a key may stand at the end of a piece without being whole. */
const OVERLAP = KEY_LENGTH - 1;

function patience(): Patience {
  return { prefixes: MOST_PREFIXES, shapes: MOST_SHAPES };
}
