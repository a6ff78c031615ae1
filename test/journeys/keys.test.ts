import { describe, expect, test } from "bun:test";
import { startChatUpstream } from "../support/chat-upstream.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { poll } from "../support/poll.ts";

const upstream = await startChatUpstream();
const gateway = await startGateway({
  env: { OPENAI_API_KEY: "sk-test-fake-keys-0123456789", LMK_OPENAI_UPSTREAM: upstream.base },
});

async function call(secret: string, path = "/models"): Promise<Response> {
  return fetch(`${gateway.url}/openai${path}`, { headers: { authorization: `Bearer ${secret}` } });
}

async function refusalOf(secret: string): Promise<string | null> {
  const response = await call(secret);
  return response.headers.get("x-llamakey-refusal");
}

/** Reads until the stream ends; tells how it did. */
async function ending(response: Response): Promise<"whole" | "broken"> {
  try {
    await response.text();
    return "whole";
  } catch {
    return "broken";
  }
}

async function rowOf(response: Response, from: Gateway) {
  return from.requestRow(response.headers.get("x-llamakey-request-id"));
}

describe("a revoked key", () => {
  test("is refused from the moment that the revocation is answered, and no other key notices", async () => {
    const ann = await gateway.addUser("ann");
    const bob = await gateway.addUser("bob");
    await gateway.api("PATCH", `/keys/${ann.key.id}`, { revoked: true });
    const [refused, served] = await Promise.all([call(ann.secret), call(bob.secret)]);
    expect([refused.status, refused.headers.get("x-llamakey-refusal")]).toEqual([401, "invalid_key"]);
    expect(refused.headers.get("x-should-retry")).toBe("false");
    expect(served.status).toBe(200);
  });

  test("keeps its open streams, unless they are to be cut at once; other keys' streams go on", async () => {
    const kept = await gateway.addUser("kept");
    const cut = await gateway.addUser("cut");
    const bystander = await gateway.addUser("bystander");
    const streams = await Promise.all([kept, cut, bystander].map(({ secret }) => call(secret, "/endless")));
    const [ofKept, ofCut, ofBystander] = streams as [Response, Response, Response];
    await gateway.api("PATCH", `/keys/${kept.key.id}`, { revoked: true });
    const answer = await gateway.api<{ cut: number }>("PATCH", `/keys/${cut.key.id}`, {
      revoked: true,
      now: true,
    });
    expect(answer.cut).toBe(1);
    expect(await Promise.race([ending(ofCut), Bun.sleep(1000)])).toBe("broken");
    expect((await rowOf(ofCut, gateway)).ending).toBe("cut");
    for (const stream of [ofKept, ofBystander]) {
      const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
      for (let n = 0; n < 5; n++) expect((await reader.read()).done).toBe(false);
      await reader.cancel();
    }
  });

  test("can be given back", async () => {
    const { key, secret } = await gateway.addUser("returning");
    await gateway.api("PATCH", `/keys/${key.id}`, { revoked: true });
    await gateway.api("PATCH", `/keys/${key.id}`, { revoked: false });
    expect((await call(secret)).status).toBe(200);
  });
});

describe("a rotated key", () => {
  test("works with both secrets for the overlap and with the new one alone after it", async () => {
    const { key, secret } = await gateway.addUser("rotating");
    const renewed = await gateway.api<{ key: { id: string }; secret: string }>(
      "POST",
      `/keys/${key.id}/rotate`,
      {
        overlapSeconds: 3,
      },
    );
    expect(renewed.key.id).toBe(key.id);
    expect((await call(secret)).status).toBe(200);
    expect((await call(renewed.secret)).status).toBe(200);
    await poll("end of the overlap", async () =>
      (await refusalOf(secret)) === "invalid_key" ? true : undefined,
    );
    expect((await call(renewed.secret)).status).toBe(200);
  });

  test("rotated twice, has no more than two secrets", async () => {
    const { key, secret } = await gateway.addUser("rotating-twice");
    const rotate = () =>
      gateway.api<{ secret: string }>("POST", `/keys/${key.id}/rotate`, { overlapSeconds: 3600 });
    const second = await rotate();
    const third = await rotate();
    expect(await refusalOf(secret)).toBe("invalid_key");
    expect((await call(second.secret)).status).toBe(200);
    expect((await call(third.secret)).status).toBe(200);
  });
});

describe("who is cut off", () => {
  test("a user with all keys, while the group goes on", async () => {
    const { user, secret } = await gateway.addUser("leaver");
    const other = await gateway.addKey("leaver", "second");
    const colleague = await gateway.addUser("stayer");
    await gateway.api("PATCH", `/users/${user.name}`, { revoked: true });
    expect([await refusalOf(secret), await refusalOf(other.secret)]).toEqual(["invalid_key", "invalid_key"]);
    expect((await call(colleague.secret)).status).toBe(200);
  });

  test("a group with all its users, while other groups go on", async () => {
    await gateway.api("POST", "/groups", { name: "contractors" });
    const inside = await gateway.addUser("contractor", "contractors");
    const outside = await gateway.addUser("employee");
    await gateway.api("PATCH", "/groups/contractors", { revoked: true });
    expect(await refusalOf(inside.secret)).toBe("invalid_key");
    expect((await call(outside.secret)).status).toBe(200);
    await gateway.api("PATCH", "/users/contractor", { group: "default" });
    expect((await call(inside.secret)).status).toBe(200);
  });

  test("what has expired, with a code of its own", async () => {
    const { key, secret } = await gateway.addUser("temporary");
    await gateway.api("PATCH", `/keys/${key.id}`, { expiresAt: new Date(Date.now() + 3000).toISOString() });
    expect((await call(secret)).status).toBe(200);
    await poll("expiry", async () => ((await refusalOf(secret)) === "expired_key" ? true : undefined));
    await gateway.api("PATCH", `/keys/${key.id}`, { expiresAt: null });
    expect((await call(secret)).status).toBe(200);
  });
});
