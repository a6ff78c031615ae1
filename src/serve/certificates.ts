import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { Certificate } from "../gateway/listen.ts";
import type { Authority } from "../tls/authority.ts";
import type { Subject } from "../tls/x509.ts";
import { StartFailure } from "./failure.ts";

/** Certificates that are exchanged while they are in use. */
export interface Certificates {
  readonly current: readonly Certificate[];
  /** @param use Told whenever there are others. @returns what ends that. */
  follow(use: (certificates: readonly Certificate[]) => void): () => void;
}

/** How often files are looked at; those who renew them know no way to tell us. */
const LOOK_MS = 2_000;
/** After a failure. */
const AGAIN_MS = 60_000;
const LONGEST_TIMER_MS = 24 * 3_600_000;

/**
 * The administrator's own certificate, read again when its files change; a pair that does not fit together is reported
 * and not used.
 * @throws StartFailure where the files cannot be used.
 */
export function certificateFiles(
  { cert, key }: { cert: string; key: string },
  report: (message: string) => void,
): Certificates {
  let stamp = stampOf(cert, key);
  const first = readPair(cert, key);
  if (typeof first === "string") throw new StartFailure(first);
  return {
    current: [first],
    follow(use) {
      const timer = setInterval(() => {
        const now = stampOf(cert, key);
        if (now === stamp) return;
        stamp = now;
        const pair = readPair(cert, key);
        if (typeof pair !== "string") return use([pair]);
        report(`${pair} The certificate from before stays in use.`);
      }, LOOK_MS);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}

/**
 * Short-lived certificates of the local authority, the first of them for whoever asks for no name that has one.
 * @param subjects Each with the names that it is shown for.
 */
export async function localCertificates(
  authority: Authority,
  subjects: readonly { subject: Subject; serverNames: readonly string[] }[],
  lifetimeMs: number,
  report: (message: string) => void,
): Promise<Certificates> {
  const issue = async () => {
    const leaves = await authority.issue(
      subjects.map(({ subject }) => subject),
      lifetimeMs,
    );
    const certificates = leaves.flatMap(({ key, cert }, n) => {
      const names = subjects[n]?.serverNames ?? [];
      return names.length === 0 ? [{ key, cert }] : names.map((serverName) => ({ key, cert, serverName }));
    });
    return { certificates, renewAt: leaves[0]?.renewAt ?? 0 };
  };
  const first = await issue();
  return {
    current: first.certificates,
    follow(use) {
      let timer: ReturnType<typeof setTimeout>;
      const wait = (until: number) => {
        timer = setTimeout(
          () => {
            if (Date.now() < until) return wait(until);
            issue().then(
              ({ certificates, renewAt }) => {
                use(certificates);
                wait(renewAt);
              },
              (error: Error) => {
                report(`The local authority could not renew its certificates: ${error.message}`);
                wait(Date.now() + AGAIN_MS);
              },
            );
          },
          Math.min(Math.max(0, until - Date.now()), LONGEST_TIMER_MS),
        );
        timer.unref();
      };
      wait(first.renewAt);
      return () => clearTimeout(timer);
    },
  };
}

/** The pair, or why it cannot be used. */
function readPair(cert: string, key: string): Certificate | string {
  try {
    const pair = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
    if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key)))
      return `The key in ${key} is not that of the certificate in ${cert}.`;
    return pair;
  } catch (error) {
    // The platform's messages say which file, and nothing of what is in it.
    const { code, message } = error as { code?: string; message: string };
    return `The certificate in ${cert} with the key in ${key} cannot be used (${code ?? message}).`;
  }
}

/** Changes when either file does; the same while one of them is not there. */
function stampOf(...files: string[]): string {
  return files
    .map((file) => {
      const { mtimeMs, size, ino } = statSync(file, { throwIfNoEntry: false }) ?? {};
      return `${mtimeMs}:${size}:${ino}`;
    })
    .join(" ");
}
