import { checksum, randomBase62 } from "./key.ts";

/**
 * A user's personal token for the admin API: `lmk_pat_<id:10>_<secret:32>_<crc:6>`. The data plane takes none, and it is
 * no master key: those have their id where this one says `pat`.
 */
const PREFIX = "lmk_pat_";
const SHAPE = /^lmk_pat_([0-9A-Za-z]{10})_[0-9A-Za-z]{32}_([0-9A-Za-z]{6})$/;

export function createPersonalToken(): { id: string; text: string } {
  const id = randomBase62(10);
  const body = `${PREFIX}${id}_${randomBase62(32)}_`;
  return { id, text: body + checksum(body) };
}

/** True for whatever was meant as one, whole or damaged. */
export function looksLikePersonalToken(text: string): boolean {
  return text.startsWith(PREFIX);
}

/** Its id; undefined where it is none, or was mistyped or cut short. */
export function parsePersonalToken(text: string): string | undefined {
  const [, id, crc] = SHAPE.exec(text) ?? [];
  return crc !== undefined && checksum(text.slice(0, -crc.length)) === crc ? id : undefined;
}
