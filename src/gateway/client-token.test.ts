import { beforeAll, describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { Refusal } from "../domain/refusal.ts";
import { knownProviders } from "../providers/catalogue.ts";
import type { Signer } from "./capability.ts";
import { clientToken, identifyByToken, presentedToken } from "./client-token.ts";
import { Directory } from "./directory.ts";
import { requireActive } from "./identify.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const HOUR_MS = 3_600_000;
const now = 1_790_000_000_000;
const hash = new Uint8Array(32).fill(7);
const signer = signerWith("ours");
const token = clientToken("vertex", "k000000001", hash, signer, now);

function signerWith(secret: string): Signer {
  return { sign: (text) => createHmac("sha256", secret).update(text).digest("base64url") };
}

async function directoryWith(changes: { hash?: Uint8Array; revokedAt?: number; overlap?: number } = {}) {
  const life = { createdAt: 0, expiresAt: null, revokedAt: null };
  const secrets = [
    { version: 2, hash: changes.hash ?? hash, createdAt: 0, expiresAt: null },
    ...(changes.overlap === undefined
      ? []
      : [{ version: 1, hash, createdAt: 0, expiresAt: changes.overlap }]),
  ];
  const key = { id: "k000000001", name: "k", userId: "u", frozenAt: null, frozenWhy: null, secrets, ...life };
  const directory = new Directory();
  await directory.load({
    listGroups: async () => [{ id: "g", name: "g", ...life }],
    listUsers: async () => [{ id: "u", name: "u", groupId: "g", role: "member", ...life }],
    listPolicies: async () => [],
    listKeys: async () => [
      { ...key, revokedAt: changes.revokedAt ?? null },
      { ...key, id: "k000000002", name: "other" },
    ],
  });
  return directory;
}

let directory: Directory;
beforeAll(async () => {
  directory = await directoryWith();
});

/** Whose token this is, or the code that it is refused with. */
function holderOf(text: string, at = now, known = directory, provider = "vertex"): string {
  try {
    const holder = identifyByToken(text, provider, known, signer, at);
    requireActive(holder, at);
    return holder.key.id;
  } catch (error) {
    return (error as Refusal).code;
  }
}

test("a token stands for the key that it was given for, for an hour, and does not hold it", () => {
  expect(holderOf(token)).toBe("k000000001");
  expect(holderOf(token, now + HOUR_MS - 1)).toBe("k000000001");
  expect(holderOf(token, now + HOUR_MS)).toBe("expired_key");
  expect(token).not.toContain("lmk_");
});

describe("a token is refused", () => {
  test("by any other provider", () => {
    for (const provider of ["openai", "gemini", "vectara"])
      expect(holderOf(token, now, directory, provider)).toBe("invalid_key");
  });

  test("where it was signed by somebody else, or any part of it was changed", () => {
    const [prefix, keyId, expiry = "", signature = ""] = token.split(".");
    const later = (Number.parseInt(expiry, 36) + HOUR_MS).toString(36);
    for (const forged of [
      clientToken("vertex", "k000000001", hash, signerWith("theirs"), now),
      `${prefix}.k000000002.${expiry}.${signature}`,
      `${prefix}.${keyId}.${later}.${signature}`,
      `${prefix}.${keyId}.${expiry.toUpperCase()}.${signature}`,
      `${prefix}.${keyId}.${expiry}.${signature.slice(0, -1)}`,
      `${prefix}.${keyId}.${expiry}.`,
      `${prefix}.${keyId}.${expiry}`,
      `${prefix}.nobody.${expiry}.${signature}`,
      `${prefix}.`,
      `${prefix}.${"x".repeat(10_000)}`,
    ]) {
      expect([forged.slice(0, 60), holderOf(forged)]).toEqual([forged.slice(0, 60), "invalid_key"]);
    }
  });

  test("once its key is revoked, gone, or has another secret", async () => {
    expect(holderOf(token, now, await directoryWith({ revokedAt: now - 1 }))).toBe("invalid_key");
    expect(holderOf(token, now, new Directory())).toBe("invalid_key");
    const rotated = { hash: new Uint8Array(32) };
    expect(holderOf(token, now, await directoryWith(rotated))).toBe("invalid_key");
    expect(holderOf(token, now, await directoryWith({ ...rotated, overlap: now + 1 }))).toBe("k000000001");
    expect(holderOf(token, now, await directoryWith({ ...rotated, overlap: now }))).toBe("invalid_key");
  });
});

test("a token is looked for where a provider has such, as a bearer token alone", () => {
  const upstreams = new Map(
    knownProviders.map((provider) => [
      provider.id,
      createUpstream(provider, provider.upstream ?? "http://x"),
    ]),
  );
  const found = (path: string, name = "authorization", value = `Bearer ${token}`) =>
    presentedToken(new Headers({ [name]: value }), findRoute(`http://h${path}`, upstreams));
  expect(found("/vertex/v1/projects/p/locations/l/endpoints/e:predict")).toBe(token);
  expect(found("/gemini/v1beta1/publishers/google/models/m:generateContent")).toBe(token);
  expect(found("/vectara/v2/query", "Authorization", `bearer ${token}`)).toBe(token);
  for (const path of ["/gemini/v1beta/models", "/openai/v1/models"]) expect(found(path)).toBeUndefined();
  expect(found("/vertex/v1/projects/p", "x-goog-api-key", token)).toBeUndefined();
  expect(found("/vertex/v1/projects/p", "authorization", "Bearer lmk_x")).toBeUndefined();
});
