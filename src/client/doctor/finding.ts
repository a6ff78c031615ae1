/** What one look found: that all is well, something to know, or what is wrong and how to mend it. */
export interface Finding {
  /** A provider's name, `gateway`, or a variable. */
  readonly subject: string;
  readonly verdict: "fine" | "note" | "wrong";
  /** For programs: `leaks`, `wrong_path`, `revoked_key`... */
  readonly code: string;
  /** One sentence, or two; never with a secret. */
  readonly message: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

export function fine(subject: string, message: string): Finding {
  return { subject, verdict: "fine", code: "ok", message };
}

export function note(subject: string, code: string, message: string): Finding {
  return { subject, verdict: "note", code, message };
}

export function wrong(subject: string, code: string, message: string): Finding {
  return { subject, verdict: "wrong", code, message };
}

/** What puts all variables right. */
export const RENEW = 'Set this shell up anew: eval "$(lmk env)".';
