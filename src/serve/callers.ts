import type { Clock } from "../domain/clock.ts";
import { Refusal } from "../domain/refusal.ts";
import type { SignedUser } from "../domain/sign-in.ts";
import type { Directory, KeyHolder } from "../gateway/directory.ts";
import { bareKey, identify, presentedKey, requireActive } from "../gateway/identify.ts";
import { takeFromQuery } from "../gateway/route.ts";
import type { Vault } from "../vault/vault.ts";
import type { Caller } from "./own-paths.ts";

/** Tells by their master keys who calls the gateway's own paths. */
export class Callers {
  private readonly directory: Directory;
  private readonly vault: Vault;
  private readonly clock: Clock;

  constructor(directory: Directory, vault: Vault, clock: Clock) {
    this.directory = directory;
    this.vault = vault;
    this.clock = clock;
  }

  /** @throws Refusal for whoever shows no key, or one that opens nothing. */
  of(headers: Headers, query = ""): Caller {
    const keys: string[] = [];
    takeFromQuery(query, { keys });
    const now = this.clock.now();
    const holder = identify(headers, { keys }, this.directory, this.vault, now);
    requireActive(holder, now);
    return { holder, key: bareKey(presentedKey(headers, { keys })) };
  }

  /**
   * Who may see by this key what is their own.
   * @returns undefined for a key that opens nothing, and for one that was made for a command: what has got that one is
   *   not its user.
   */
  userOf(key: string): SignedUser | undefined {
    const holder = this.holderOf(key);
    return holder?.key.parent === undefined ? holder : undefined;
  }

  isValid(key: string): boolean {
    return this.holderOf(key) !== undefined;
  }

  private holderOf(key: string): KeyHolder | undefined {
    try {
      return this.of(new Headers({ authorization: `Bearer ${key}` })).holder;
    } catch (error) {
      if (error instanceof Refusal) return undefined;
      throw error;
    }
  }
}
