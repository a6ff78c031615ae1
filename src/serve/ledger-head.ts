import type { Head } from "../ledger/journal.ts";
import { StartFailure } from "./failure.ts";

interface Signer {
  /** HMAC-SHA256 in base64url. */
  sign(text: string): string;
}

/** A ledger's last block as one word, `<number>.<hash>.<signature>`, to be kept where the ledger is not. */
export function headText({ seq, hash }: Head, signer: Signer): string {
  const text = `${seq}.${Buffer.from(hash).toString("base64url")}`;
  return `${text}.${signatureOf(text, signer)}`;
}

/** @throws StartFailure for what this installation has not printed. */
export function parseHead(text: string, signer: Signer): Head {
  const [, signed = "", seq = "", hash = "", signature] =
    /^((\d{1,15})\.([\w-]{43}))\.([\w-]{22})$/.exec(text.trim()) ?? [];
  if (signature === undefined || signature !== signatureOf(signed, signer)) {
    throw new StartFailure(
      "This is not a head that lmk verify has printed for this ledger. Give the whole word behind `head`.",
    );
  }
  return { seq: Number(seq), hash: Buffer.from(hash, "base64url") };
}

function signatureOf(text: string, signer: Signer): string {
  return signer.sign(`ledger head ${text}`).slice(0, 22);
}
