import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import type { Store } from "../domain/store.ts";

/** What a sealed value is bound to: moved to another row, or offered to another upstream, it cannot be opened. */
export interface SealContext {
  row: string;
  upstream: string;
}

/** The key-encryption key does not open this installation's secrets. */
export class WrongVaultKey extends Error {
  override name = "WrongVaultKey";
}

/** A sealed value that was changed, moved, or belongs to another upstream. */
export class Unreadable extends Error {
  override name = "Unreadable";
}

const FORMAT = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/**
 * Seals provider credentials and hashes master keys.
 *
 * Credentials are AES-256-GCM under a random data key; data key and pepper are stored wrapped by the
 * key-encryption key, so that rotating it rewraps two small secrets and leaves all else alone.
 */
export class Vault {
  private readonly dataKey: Buffer;
  private readonly pepper: Buffer;
  private readonly signingKey: Buffer;

  private constructor(dataKey: Buffer, pepper: Buffer) {
    this.dataKey = dataKey;
    this.pepper = pepper;
    this.signingKey = deriveKey(pepper, "sign");
  }

  /**
   * Unwraps the installation's secrets, or makes them at the first start.
   * @param keyEncryptionKey 32 bytes.
   * @throws WrongVaultKey where the stored secrets were wrapped by another key.
   */
  static async open(
    keyEncryptionKey: Uint8Array,
    store: Pick<Store, "readSecret" | "putSecret">,
  ): Promise<Vault> {
    const secrets: Buffer[] = [];
    for (const purpose of ["data-key", "pepper"]) {
      const wrapping = deriveKey(keyEncryptionKey, `wrap:${purpose}`);
      const wrapped =
        (await store.readSecret(purpose)) ??
        (await store.putSecret(purpose, encrypt(wrapping, randomBytes(KEY_BYTES), purpose)));
      try {
        secrets.push(decrypt(wrapping, wrapped, purpose));
      } catch (cause) {
        throw new WrongVaultKey("The vault key does not open this data directory's secrets.", { cause });
      }
    }
    const [dataKey, pepper] = secrets;
    if (dataKey === undefined || pepper === undefined) throw new WrongVaultKey("The vault has no secrets.");
    return new Vault(dataKey, pepper);
  }

  /** Version byte, nonce, tag, ciphertext. */
  sealCredential(secret: string, context: SealContext): Uint8Array {
    return encrypt(this.dataKey, Buffer.from(secret, "utf8"), associatedData(context));
  }

  /** @throws Unreadable where the bytes or their context are not those that were sealed. */
  openCredential(sealed: Uint8Array, context: SealContext): string {
    try {
      return decrypt(this.dataKey, sealed, associatedData(context)).toString("utf8");
    } catch (cause) {
      throw new Unreadable("The credential was sealed for another row or another upstream.", { cause });
    }
  }

  /** For a secret of the installation's own, which is bound to its purpose alone. */
  sealOwn(secret: string, purpose: string): Uint8Array {
    return encrypt(this.dataKey, Buffer.from(secret, "utf8"), JSON.stringify(["own", purpose, FORMAT]));
  }

  /** @throws Unreadable where the bytes are not those that were sealed for this purpose. */
  openOwn(sealed: Uint8Array, purpose: string): string {
    try {
      return decrypt(this.dataKey, sealed, JSON.stringify(["own", purpose, FORMAT])).toString("utf8");
    } catch (cause) {
      throw new Unreadable(`The secret was not sealed for ${purpose}.`, { cause });
    }
  }

  /** HMAC-SHA256(pepper, key): what is stored of a master key. 32 bytes. */
  hashKey(key: string): Uint8Array {
    return new Bun.CryptoHasher("sha256", this.pepper).update(key).digest();
  }

  /** HMAC-SHA256 in base64url: shows later that a text came from here. */
  sign(text: string): string {
    return new Bun.CryptoHasher("sha256", this.signingKey).update(text).digest("base64url");
  }

  /** A key for another purpose, the same at every start. 32 bytes. */
  keyFor(purpose: "ledger" | "audit" | "sign-in"): Uint8Array {
    return deriveKey(this.pepper, purpose);
  }

  /** Takes the same time for any two hashes. */
  sameHash(a: Uint8Array, b: Uint8Array): boolean {
    return a.length === b.length && timingSafeEqual(a, b);
  }
}

function associatedData(context: SealContext): string {
  return JSON.stringify(["credential", context.row, FORMAT, context.upstream]);
}

/** A key of its own for each purpose, so that what one sealed never opens under another. */
function deriveKey(secret: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, new Uint8Array(0), `llamakey:${label}`, KEY_BYTES));
}

function encrypt(key: Buffer, plaintext: Uint8Array, associated: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(associated, "utf8"));
  const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([Buffer.of(FORMAT), nonce, cipher.getAuthTag(), body]);
}

function decrypt(key: Buffer, sealed: Uint8Array, associated: string): Buffer {
  if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES + TAG_BYTES)
    throw new RangeError("unknown format");
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES);
  const tag = sealed.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(associated, "utf8"));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
