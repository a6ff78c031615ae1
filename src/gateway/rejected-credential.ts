import { Refusal } from "../domain/refusal.ts";
import type { Answer } from "../upstream/answer.ts";
import type { Member } from "./credential-pool.ts";
import { withoutSecrets } from "./minted-token.ts";
import type { Upstream } from "./upstreams.ts";

const MAX_MESSAGE_BYTES = 2000;

/**
 * The provider rejected our key: not the caller's fault, and its text may quote the key.
 * The text is kept for administrators with the key masked; the caller gets a refusal.
 */
export async function rejectedCredential(
  reply: Answer,
  upstream: Upstream,
  member: Member | undefined,
  { clock, report }: { clock: { now(): number }; report: (message: string) => void },
): Promise<Refusal> {
  const { provider, pool } = upstream;
  const credential = member?.credential;
  // A secret may lie across the cut, so it is masked before the text is cut.
  const secrets = credential === undefined ? [] : (credential.minted?.texts ?? [credential.secret]);
  const longest = Math.max(0, ...secrets.map((secret) => secret.length));
  const message = withoutSecrets(await startOf(reply, MAX_MESSAGE_BYTES + longest), secrets);
  credential?.minted?.forget();
  if (member !== undefined) {
    pool.rejected(member, { at: clock.now(), status: 401, message: message.slice(0, MAX_MESSAGE_BYTES) });
  }
  report(
    `${provider.name} rejected the credential "${credential?.name ?? "none"}" (401). lmk credential list shows what it said.`,
  );
  if (credential === undefined) {
    return new Refusal(
      "credential_rejected",
      `${provider.name} wants a key, and none is set up on this gateway; tell your administrator.`,
    );
  }
  return new Refusal(
    "credential_rejected",
    `${provider.name} rejected the key that this gateway holds. Your own key is fine; tell your administrator.`,
  );
}

/** The beginning of the body; the rest of it is not read. */
async function startOf(reply: Answer, maxBytes: number): Promise<string> {
  const { body } = reply;
  if (body === null || reply.headers.has("content-encoding")) {
    body?.cancel();
    return "";
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    while (size < maxBytes) {
      const piece = await body.read();
      if (piece === null) break;
      pieces.push(piece);
      size += piece.length;
    }
    body.cancel();
  } catch {
    // What broke off is shown as far as it came.
  }
  return Buffer.concat(pieces).toString("utf8");
}
