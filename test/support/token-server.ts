/** Google's and Vectara's token servers as one: answers with numbered tokens, and keeps what it was asked. */
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atEnd } from "./cleanup.ts";
import { note, serveRecorded } from "./record.ts";

export interface TokenServer {
  url: string;
  asked: { path: string; type: string | null; body: string }[];
  /** How long a token lives, seconds. */
  lifetime: number;
  /** Every token begins so; Vectara's go on with its name, so that nobody takes one for the other's. */
  prefix: string;
  /** Given every time, instead of one with a number. */
  token: string | undefined;
  /** Answers with this instead of a token. */
  refuses: (() => Response) | undefined;
}

export async function startTokenServer(): Promise<TokenServer> {
  const state: TokenServer = {
    url: "",
    asked: [],
    lifetime: 3600,
    prefix: "ya29.minted",
    token: undefined,
    refuses: undefined,
  };
  const server = await serveRecorded({
    fetch: async (request) => {
      const type = request.headers.get("content-type");
      const { pathname: path } = new URL(request.url);
      state.asked.push({ path, type, body: await request.text() });
      const owner = path === "/token" ? "vertex" : "vectara";
      const token =
        state.token ?? `${state.prefix}${owner === "vertex" ? "" : `-${owner}`}-${state.asked.length}`;
      note({ what: "secret", owner, text: token });
      // As far away as the real ones are: calls that come meanwhile must not ask again.
      await Bun.sleep(50);
      return state.refuses?.() ?? Response.json({ access_token: token, expires_in: state.lifetime });
    },
  });
  state.url = server.origin;
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
