import { createHash, X509Certificate } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import type { SecretStore } from "../domain/store.ts";
import {
  authorityCertificate,
  generateKeyPair,
  privateKeyPem,
  readKeyPair,
  type Subject,
  serverCertificate,
} from "./x509.ts";

/** What the authority needs of the vault: its key is a secret of the installation. */
export interface Sealer {
  sealOwn(secret: string, purpose: string): Uint8Array;
  openOwn(sealed: Uint8Array, purpose: string): string;
}

/** A certificate and its key, PEM, and when it is time for another. */
export interface Leaf {
  readonly key: string;
  readonly cert: string;
  /** Epoch milliseconds. */
  readonly renewAt: number;
}

const DAY_MS = 24 * 3_600_000;
const AUTHORITY_MS = 10 * 365 * DAY_MS;
/** What must be left of an authority's own certificate. */
const AUTHORITY_LEFT_MS = 365 * DAY_MS;
/** Clocks of clients may be behind ours. */
const BEHIND_MS = 3_600_000;
const KEY_PURPOSE = "tls-authority-key";

/**
 * A certificate authority of the installation's own, which can vouch for what it was made for and nothing else.
 *
 * Its key is made once and lies sealed in the store. Its certificate is made anew, with the same key and name, when it
 * is to vouch for further names, or ends: what clients trusted before goes on being trusted for what it was made for.
 */
export class Authority {
  /** PEM; nothing secret. */
  readonly certificate: string;
  private readonly pair: CryptoKeyPair;
  private readonly clock: Clock;

  private constructor(certificate: string, pair: CryptoKeyPair, clock: Clock) {
    this.certificate = certificate;
    this.pair = pair;
    this.clock = clock;
  }

  static async open(
    permitted: Subject,
    { store, sealer, clock }: { store: SecretStore; sealer: Sealer; clock: Clock },
  ): Promise<Authority> {
    const pair = await keyPair(store, sealer);
    const digest = createHash("sha256").update(JSON.stringify(permitted)).digest("hex").slice(0, 32);
    for (let number = 1; ; number++) {
      const purpose = `tls-authority-certificate:${digest}:${number}`;
      const stored = await store.readSecret(purpose);
      const text =
        stored === null ? await made(pair, permitted, clock, store, purpose) : Buffer.from(stored).toString();
      if (endOf(text) - clock.now() > AUTHORITY_LEFT_MS) return new Authority(text, pair, clock);
    }
  }

  /** SHA-256 of the certificate, as openssl writes it: `AB:CD:...`. */
  get fingerprint(): string {
    return new X509Certificate(this.certificate).fingerprint256;
  }

  /**
   * A certificate for each of these subjects, with one key for all.
   * @param lifetimeMs Renewed after two thirds of it.
   */
  async issue(subjects: readonly Subject[], lifetimeMs: number): Promise<Leaf[]> {
    const now = this.clock.now();
    const pair = await generateKeyPair();
    const key = await privateKeyPem(pair.privateKey);
    const validity = { from: now - BEHIND_MS, to: now + lifetimeMs };
    const renewAt = now + (lifetimeMs * 2) / 3;
    return Promise.all(
      subjects.map(async (subject) => {
        const cert = await serverCertificate(pair.publicKey, subject, validity, this.pair);
        return { key, cert, renewAt };
      }),
    );
  }
}

async function keyPair(store: SecretStore, sealer: Sealer): Promise<CryptoKeyPair> {
  const stored = await store.readSecret(KEY_PURPOSE);
  if (stored !== null) return readKeyPair(sealer.openOwn(stored, KEY_PURPOSE));
  const text = await privateKeyPem((await generateKeyPair()).privateKey);
  // Of two that start at once, both take what came first.
  const kept = await store.putSecret(KEY_PURPOSE, sealer.sealOwn(text, KEY_PURPOSE));
  return readKeyPair(sealer.openOwn(kept, KEY_PURPOSE));
}

async function made(
  pair: CryptoKeyPair,
  permitted: Subject,
  clock: Clock,
  store: SecretStore,
  purpose: string,
): Promise<string> {
  const now = clock.now();
  const text = await authorityCertificate(pair, permitted, { from: now - BEHIND_MS, to: now + AUTHORITY_MS });
  return Buffer.from(await store.putSecret(purpose, Buffer.from(text))).toString();
}

function endOf(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}
