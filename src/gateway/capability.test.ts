import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { Refusal } from "../domain/refusal.ts";
import { gemini } from "../providers/gemini.ts";
import { replicate } from "../providers/replicate.ts";
import { identifyByCapability, type Signer, withCapability } from "./capability.ts";
import { Directory } from "./directory.ts";
import { presentsKey, requireActive } from "./identify.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const DAY_MS = 24 * 3_600_000;
const now = 1_790_000_000_000;
const link = "https://llm.example.com/gemini/upload/v1beta/files?upload_id=u&upload_protocol=resumable";
const upstreams = new Map(
  [gemini, replicate].map((provider) => [provider.id, createUpstream(provider, provider.upstream ?? "")]),
);
const signer = signerWith("ours");
const permitted = withCapability(link, "k000000001", signer, upstreams, now);

function signerWith(secret: string): Signer {
  return { sign: (text) => createHmac("sha256", secret).update(text).digest("base64url") };
}

/** A directory with the keys `k000000001` and `k000000002`. */
async function directoryWith(revokedAt: number | null = null): Promise<Directory> {
  const life = { createdAt: 0, expiresAt: null };
  const key = (id: string) => ({
    id,
    name: id,
    userId: "u",
    frozenAt: null,
    frozenWhy: null,
    secrets: [],
    ...life,
    revokedAt,
  });
  const store: Parameters<Directory["load"]>[0] = {
    listGroups: async () => [{ id: "g", name: "g", ...life, revokedAt: null }],
    listUsers: async () => [{ id: "u", name: "u", groupId: "g", role: "member", ...life, revokedAt: null }],
    listKeys: async () => [key("k000000001"), key("k000000002")],
    listPolicies: async () => [],
  };
  const directory = new Directory();
  await directory.load(store);
  return directory;
}

const directory = await directoryWith();

/** Whose key this link stands for; throws what the request would be refused with. */
function holderOf(url: string, at = now, known = directory): string {
  const route = findRoute(url, upstreams);
  if (route.capability === undefined) throw new Error("no capability");
  const holder = identifyByCapability(route.capability, route, known, signer, at);
  requireActive(holder, at);
  return holder.key.id;
}

test("a link with its permission is followed in the name of the key that it was made for", () => {
  expect(holderOf(permitted)).toBe("k000000001");
  expect(holderOf(permitted, now + DAY_MS - 1)).toBe("k000000001");
});

test("nothing of the permission reaches the provider", () => {
  const route = findRoute(permitted, upstreams);
  expect(route.at.base + route.path + route.query).toBe(
    "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=u&upload_protocol=resumable",
  );
  expect(presentsKey(new Headers(), route)).toBe(true);
});

test("a stream on another host is permitted as well", () => {
  const stream = "https://llm.example.com/replicate/hosts/stream.replicate.com/v1/files/f";
  expect(holderOf(withCapability(stream, "k000000002", signer, upstreams, now))).toBe("k000000002");
});

describe("a permission is refused", () => {
  const refused = (url: string, at = now, known = directory) => {
    try {
      return holderOf(url, at, known);
    } catch (error) {
      return (error as Refusal).code;
    }
  };
  const mine = new URL(permitted).searchParams.get("lmk_capability") ?? "";
  const [keyId, expiry, signature = ""] = mine.split(".");

  test("after a day", () => expect(refused(permitted, now + DAY_MS)).toBe("invalid_key"));

  test("where it was signed by somebody else", () => {
    expect(refused(withCapability(link, "k000000001", signerWith("theirs"), upstreams, now))).toBe(
      "invalid_key",
    );
  });

  test("where any part of it was changed", () => {
    const flipped = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
    const later = (Number.parseInt(expiry ?? "", 36) + 1).toString(36);
    for (const forged of [
      `k000000002.${expiry}.${signature}`,
      `${keyId}.${later}.${signature}`,
      `${keyId}.${expiry?.toUpperCase()}.${signature}`,
      `${keyId}.${expiry}.${flipped}`,
      `${keyId}.${expiry}.${signature.slice(0, -1)}`,
      `${keyId}.${expiry}.`,
      `${keyId}.${expiry}`,
      `${keyId}..${signature}`,
      "..",
      "",
      "%00",
      "x".repeat(10_000),
    ]) {
      expect([forged.slice(0, 90), refused(`${link}&lmk_capability=${forged}`)]).toEqual([
        forged.slice(0, 90),
        "invalid_key",
      ]);
    }
  });

  test("at any other address", () => {
    const elsewhere = [
      permitted.replace("/files?", "/fileSearchStores?"),
      permitted.replace("upload_id=u", "upload_id=v"),
      permitted.replace("upload_id=u&", ""),
      permitted.replace("upload_id=u", "upload_id=u&alt=media"),
      permitted.replace("/upload/v1beta/files", "/v1beta/models"),
      permitted.replace("/upload/", "/upload/../"),
      permitted.replace("/gemini/", "/replicate/"),
    ];
    for (const url of elsewhere) {
      expect([url, refused(new URL(url).href)]).toEqual([url, "invalid_key"]);
    }
  });

  test("once the key is revoked, or gone", async () => {
    expect(refused(permitted, now, await directoryWith(now - 1))).toBe("invalid_key");
    expect(refused(permitted, now, new Directory())).toBe("invalid_key");
  });
});

test("no permission is made for an address that leads to no provider", () => {
  const outside = "https://llm.example.com/nowhere/x";
  expect(() => withCapability(outside, "k000000001", signer, upstreams, now)).toThrow(Refusal);
});
