import { setups } from "../client/setup.ts";
import { claimIdIn, claimState, claimText } from "../domain/claim.ts";
import type { Clock } from "../domain/clock.ts";
import { lifetimeState, type MasterKey } from "../domain/directory.ts";
import { createKey } from "../domain/key.ts";
import { type AdminStore, StorageFailure } from "../domain/store.ts";
import type { KeyHasher } from "../gateway/identify.ts";
import type { Provider } from "../providers/provider.ts";
import { page } from "./claim-page/page.ts";
import { script } from "./claim-page/script.ts";
import { style } from "./claim-page/style.ts";

interface Parts {
  readonly store: Pick<AdminStore, "audited" | "readClaim" | "listUsers" | "listGroups">;
  readonly hasher: KeyHasher;
  readonly clock: Clock;
  readonly publicUrl: string;
  readonly providers: () => readonly Provider[];
  /** Called after every change; when it returns, the change is in force. */
  readonly directoryChanged: () => Promise<void>;
}

const MAX_BODY_BYTES = 1024;

/** Nothing from elsewhere, nothing inline, and in nobody's frame. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "": ["text/html", page],
  "/claim.js": ["text/javascript", script],
  "/claim.css": ["text/css", style],
};

/** Why a link makes no key, for whoever has it. */
class NoKey extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Answers `/claim`: the page that a claim link opens, and the two calls of its script. Opening it, or asking how the
 * link stands, changes nothing; only the second call makes the key.
 */
export class Claims {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** @param rest What follows `/claim` in the path. */
  async answer(request: Request, rest: string, address: string | null): Promise<Response> {
    const [type, text] = FILES[rest] ?? [];
    if (type !== undefined) {
      if (request.method !== "GET" && request.method !== "HEAD") return said(405, "This is read by GET.");
      return new Response(text, { headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` } });
    }
    if (rest !== "/state" && rest !== "/key") return said(404, "There is nothing at this path.");
    if (request.method !== "POST") return said(405, "This is asked by POST.");
    try {
      const token = await tokenOf(request);
      return answer(200, rest === "/key" ? await this.use(token, address) : await this.look(token));
    } catch (error) {
      if (error instanceof NoKey) return said(error.status, error.message);
      if (error instanceof StorageFailure)
        return said(
          503,
          "The gateway cannot record this at the moment. The link is unused; try again later.",
        );
      throw error;
    }
  }

  private async look(token: string) {
    const { claim, user } = await this.find(token);
    return { user: user.name, host: new URL(this.parts.publicUrl).host, expiresAt: time(claim.expiresAt) };
  }

  private async use(token: string, address: string | null) {
    const { store, hasher, clock, publicUrl, providers, directoryChanged } = this.parts;
    const { claim, user } = await this.find(token);
    const now = clock.now();
    const created = createKey();
    const key: MasterKey = {
      id: created.id,
      name: claim.keyName,
      userId: user.id,
      createdAt: now,
      revokedAt: null,
      expiresAt: claim.keyExpiresAt,
      secrets: [{ version: 1, hash: hasher.hashKey(created.text), createdAt: now, expiresAt: null }],
    };
    const source = { at: now, actor: { kind: "user", id: user.id, name: user.name }, address } as const;
    // Of several at once, the store lets one through.
    if (!(await store.audited(source, "useClaim", claim.id, key, now))) throw used();
    await directoryChanged();
    const settings = { publicUrl, key: created.text, providers: providers() };
    return {
      user: user.name,
      key: created.text,
      keyExpiresAt: claim.keyExpiresAt === null ? null : time(claim.keyExpiresAt),
      setups: setups(settings),
    };
  }

  /** @throws NoKey where the link makes none. */
  private async find(token: string) {
    const { store, hasher, clock } = this.parts;
    const id = claimIdIn(token);
    if (id === undefined)
      throw new NoKey(
        400,
        "This link is not whole. Open it exactly as it was sent, with all that follows the #.",
      );
    const claim = await store.readClaim(id);
    const hash = hasher.hashKey(claimText(token));
    if (claim === null || !hasher.sameHash(claim.hash, hash)) {
      throw new NoKey(
        404,
        "This link is not known here. Was it changed on its way? Ask whoever sent it for another.",
      );
    }
    const now = clock.now();
    const state = claimState(claim, now);
    if (state === "claimed") throw used();
    if (state === "revoked")
      throw new NoKey(410, "This link was taken back. Ask whoever sent it for another.");
    if (state === "expired") {
      throw new NoKey(
        410,
        `This link has expired, at ${time(claim.expiresAt)}. Ask whoever sent it for another.`,
      );
    }
    const [users, groups] = await Promise.all([store.listUsers(), store.listGroups()]);
    const user = users.find((one) => one.id === claim.userId);
    const group = groups.find((one) => one.id === user?.groupId);
    if (user === undefined || group === undefined) throw new NoKey(410, "The user of this link is gone.");
    if ([user, group].some((one) => lifetimeState(one, now) !== "active"))
      throw new NoKey(403, `${user.name} has no access at the moment. Ask your administrator.`);
    return { claim, user };
  }
}

function used(): NoKey {
  return new NoKey(
    410,
    "This link was used already, and works once. If that was not you, tell your administrator: the key that it made can be revoked.",
  );
}

async function tokenOf(request: Request): Promise<string> {
  const isJson = request.headers.get("content-type")?.startsWith("application/json") === true;
  const isShort = Number(request.headers.get("content-length") ?? MAX_BODY_BYTES + 1) <= MAX_BODY_BYTES;
  if (!isJson || !isShort) throw new NoKey(400, "The page sends its link as JSON.");
  const body = (await request.json().catch(() => undefined)) as { token?: unknown } | null | undefined;
  return typeof body?.token === "string" ? body.token : "";
}

function time(at: number): string {
  return new Date(at).toISOString();
}

function said(status: number, message: string): Response {
  return answer(status, { message });
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: HEADERS });
}
