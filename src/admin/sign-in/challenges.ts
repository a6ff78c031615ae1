import { hashFor, sameHash } from "./hash.ts";

/** How long a person may take to touch their key, milliseconds. */
const CHALLENGE_MS = 5 * 60_000;

const RANDOM_BYTES = 16;
const TIME_BYTES = 6;
const MAC_BYTES = 16;

/**
 * What authenticators sign. A challenge carries its own proof of coming from here, so that asking for many costs no
 * memory; those that were used are remembered until they end.
 */
export class Challenges {
  private readonly key: Uint8Array;
  private readonly now: () => number;
  /** Of this process: what was used before a restart, nobody remembers, so that nothing from before is open. */
  private readonly era = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url");
  private readonly spent = new Map<string, number>();

  constructor(key: Uint8Array, now: () => number) {
    this.key = key;
    this.now = now;
  }

  /** @param purpose What a signature over it may be used for, and for nothing else. */
  create(purpose: string): Uint8Array<ArrayBuffer> {
    const head = Buffer.alloc(RANDOM_BYTES + TIME_BYTES);
    crypto.getRandomValues(head.subarray(0, RANDOM_BYTES));
    head.writeUIntBE(this.now() + CHALLENGE_MS, RANDOM_BYTES, TIME_BYTES);
    return new Uint8Array(Buffer.concat([head, this.mac(purpose, head)]));
  }

  /** @param text Base64url, as authenticators give it back. */
  isOpen(purpose: string, text: string): boolean {
    const bytes = Buffer.from(text, "base64url");
    const head = bytes.subarray(0, RANDOM_BYTES + TIME_BYTES);
    if (bytes.length !== RANDOM_BYTES + TIME_BYTES + MAC_BYTES || bytes.toString("base64url") !== text)
      return false;
    return (
      sameHash(bytes.subarray(head.length), this.mac(purpose, head)) &&
      head.readUIntBE(RANDOM_BYTES, TIME_BYTES) > this.now() &&
      !this.spent.has(text)
    );
  }

  /** False where it was used before: of two at once one gets it. */
  spend(purpose: string, text: string): boolean {
    if (!this.isOpen(purpose, text)) return false;
    const now = this.now();
    for (const [one, endsAt] of this.spent) if (endsAt <= now) this.spent.delete(one);
    this.spent.set(text, now + CHALLENGE_MS);
    return true;
  }

  private mac(purpose: string, head: Uint8Array): Uint8Array {
    const text = `${this.era}\u0000${purpose}\u0000${Buffer.from(head).toString("base64url")}`;
    return hashFor(this.key, "challenge", text).subarray(0, MAC_BYTES);
  }
}
