/** Where a master key was seen although none belongs there. */
export type LeakPlace = "prompt" | "url";

/** That a master key was seen where others can read it. */
export interface Leak {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly place: LeakPlace;
  /** Which of its secrets it was: once that one has ended, nothing of it is open any more. */
  readonly secretVersion: number;
  /** The request that carried it, whoever made it. */
  readonly requestId: string;
}

/** What policies say of keys that were seen; the strictest applies. */
export type LeakedKeys = "report" | "freeze";

/** For people, behind "was seen". */
export function inPlace(place: string): string {
  return place === "url" ? "in a URL" : "in a prompt";
}

/** The key's leak, as long as the secret that was seen opens anything; null where there is none. */
export function openLeak(
  {
    leak,
    secrets,
  }: { leak?: Leak | null; secrets: readonly { version: number; expiresAt: number | null }[] },
  now: number,
): Leak | null {
  if (leak == null) return null;
  const seen = secrets.find(({ version }) => version === leak.secretVersion);
  return seen !== undefined && (seen.expiresAt === null || seen.expiresAt > now) ? leak : null;
}
