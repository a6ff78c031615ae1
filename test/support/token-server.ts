/** Google's and Vectara's token servers as one: answers with numbered tokens, and keeps what it was asked. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./cleanup.ts";

export interface TokenServer {
  url: string;
  asked: { path: string; type: string | null; body: string }[];
  /** How long a token lives, seconds. */
  lifetime: number;
  /** Every token begins so. */
  prefix: string;
  /** Given every time, instead of one with a number. */
  token: string | undefined;
  /** Answers with this instead of a token. */
  refuses: (() => Response) | undefined;
}

export function startTokenServer(): TokenServer {
  const state: TokenServer = {
    url: "",
    asked: [],
    lifetime: 3600,
    prefix: "ya29.minted",
    token: undefined,
    refuses: undefined,
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const type = request.headers.get("content-type");
      state.asked.push({ path: new URL(request.url).pathname, type, body: await request.text() });
      const token = state.token ?? `${state.prefix}-${state.asked.length}`;
      // As far away as the real ones are: calls that come meanwhile must not ask again.
      await Bun.sleep(50);
      return state.refuses?.() ?? Response.json({ access_token: token, expires_in: state.lifetime });
    },
  });
  state.url = `http://127.0.0.1:${server.port}`;
  atEnd(() => server.stop(true));
  return state;
}

/** A service account's JSON with a key of its own. */
export function serviceAccount(tokenUri: string): { json: string; privateKey: string } {
  const { privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const account = {
    type: "service_account",
    project_id: "a-project",
    private_key_id: "0123456789abcdef",
    private_key: privateKey,
    client_email: "gateway@a-project.iam.gserviceaccount.com",
    token_uri: tokenUri,
  };
  return { json: JSON.stringify(account, null, 2), privateKey };
}

/** The same as a file, as an administrator keeps it. */
export function serviceAccountFile(tokenUri: string): { file: string; json: string; privateKey: string } {
  const account = serviceAccount(tokenUri);
  const folder = mkdtempSync(join(tmpdir(), "lmk-account-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "account.json");
  writeFileSync(file, account.json, { mode: 0o600 });
  return { ...account, file };
}
