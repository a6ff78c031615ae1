import { CodedProblem } from "../problem.ts";
import { addressBlock, Throttle } from "./throttle.ts";

/** Characters. */
const SHORTEST = 12;
/** Longer ones would only cost time. */
const LONGEST = 256;

/** 19 MiB and two passes, as OWASP asks for: a tenth of a second. */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Hashes that are worked out at a time, and that may wait for their turn. */
const AT_A_TIME = 2;
const WAITING = 64;

/** What is guessed first among those that are long enough; compared without case, spaces and signs. */
const COMMON = [
  "123456789012",
  "1234567890123",
  "12345678901234",
  "123456789123",
  "1q2w3e4r5t6y",
  "abcdefghijkl",
  "administrator",
  "changemeplease",
  "iloveyouforever",
  "letmeinletmein",
  "llamakeyllamakey",
  "passwordpassword",
  "password1234",
  "password12345",
  "passwort1234",
  "qwertyuiop12",
  "qwertyuiop123",
  "qwertyuiopasdf",
  "qwertyqwerty",
  "welcometothejungle",
];

/** Passwords as people type them: hashed slowly, tried slowly. */
export class Passwords {
  private readonly ofName: Throttle;
  private readonly ofAddress: Throttle;
  /** Compared where there is none, so that nobody learns from the time who has one. */
  private readonly decoy: Promise<string>;
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  /** @param key For the throttle: see there. */
  constructor(key: Uint8Array, now: () => number = () => performance.now()) {
    this.ofName = new Throttle(key, { burst: 10, everyMs: 30_000, now });
    this.ofAddress = new Throttle(key, { burst: 30, everyMs: 5_000, now });
    this.decoy = Bun.password.hash(crypto.randomUUID(), ARGON2);
  }

  hash(password: string): Promise<string> {
    return this.inTurn(() => Bun.password.hash(normal(password), ARGON2));
  }

  /**
   * Whether this is the password with that hash. It takes the same time without a hash.
   * @param name Whose, as it was typed; known or not.
   * @throws CodedProblem 429 where too much was tried.
   */
  async isRight(
    password: string,
    hash: string | null,
    name: string,
    address: string | null,
  ): Promise<boolean> {
    const [byName, byAddress] = [`name:${normal(name).toLowerCase()}`, `address:${addressBlock(address)}`];
    // Counted before anything is worked out: guesses that are made at once count, too.
    const waitMs = this.ofAddress.take(byAddress) || this.ofName.take(byName);
    if (waitMs > 0) throw tooMany(waitMs);
    const isSame = await this.inTurn(async () =>
      Bun.password.verify(normal(password.slice(0, LONGEST)), hash ?? (await this.decoy), "argon2id"),
    );
    if (!isSame || hash === null) return false;
    this.ofName.giveBack(byName);
    this.ofAddress.giveBack(byAddress);
    return true;
  }

  /** Each takes 19 MiB: a flood of them must not take all there is. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_A_TIME) {
      if (this.waiting.length >= WAITING) throw tooMany(1000);
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.running -= 1;
      else next();
    }
  }
}

/** Why this password is not taken; undefined where it is. Length is what counts, so nothing else is asked for. */
export function passwordProblem(password: string, userName: string): string | undefined {
  const text = normal(password);
  const length = [...text].length;
  if (length < SHORTEST) return `It must have ${SHORTEST} characters or more; a few words are good.`;
  if (length > LONGEST) return `It must have ${LONGEST} characters or fewer.`;
  const plain = plainly(text);
  const isRepeated = /^(.{1,4}?)\1*$/su.test(text);
  const isOwnName = plainly(userName) !== "" && plain.replaceAll(plainly(userName), "") === "";
  if (isRepeated || isOwnName || COMMON.includes(plain))
    return "It is among the first that anybody would try.";
  return undefined;
}

/** The same text typed on two keyboards is the same password. */
function normal(text: string): string {
  return text.normalize("NFKC");
}

function plainly(text: string): string {
  return text.toLowerCase().replace(/[\s\p{P}\p{S}]/gu, "");
}

function tooMany(waitMs: number): CodedProblem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new CodedProblem(
    429,
    `Too many attempts; try again in ${seconds} s, or sign in another way.`,
    "throttled",
    seconds,
  );
}
