import { describe, expect, test } from "bun:test";
import { startChatUpstream } from "../support/chat-upstream.ts";
import { type Gateway, startGateway } from "../support/gateway.ts";

const stored = "sk-test-fake-stored-0123456789";

interface Credential {
  id: string;
  masked: string;
  source: string;
  usable: boolean;
  problem: string | null;
  rejection: { message: string } | null;
}

async function credentials(gateway: Gateway): Promise<Credential[]> {
  return (await gateway.api<{ items: Credential[] }>("GET", "/credentials")).items;
}

async function add(gateway: Gateway, secret = stored): Promise<Credential> {
  return gateway.api<Credential & Record<string, unknown>>("POST", "/credentials", {
    provider: "openai",
    secret,
  });
}

async function callModels(gateway: Gateway): Promise<Response> {
  return fetch(`${gateway.url}/openai/models`, { headers: gateway.bearer });
}

describe("a stored credential", () => {
  test("is used at once, survives a restart, and is gone when it is removed", async () => {
    const upstream = await startChatUpstream();
    await using gateway = await startGateway({ env: { LMK_OPENAI_UPSTREAM: upstream.base } });
    const { id, masked } = await add(gateway);
    expect(masked).toBe("sk-tes...6789");
    expect((await callModels(gateway)).status).toBe(200);
    await gateway.restart();
    expect((await callModels(gateway)).status).toBe(200);
    expect(upstream.authorizations).toEqual([`Bearer ${stored}`, `Bearer ${stored}`]);
    await gateway.api("DELETE", `/credentials/${id}`);
    expect((await callModels(gateway)).headers.get("x-llamakey-refusal")).toBe("no_credential");
  });

  test("goes to no other address than the one that it was given for", async () => {
    const upstream = await startChatUpstream();
    const elsewhere = await startChatUpstream();
    await using gateway = await startGateway({ env: { LMK_OPENAI_UPSTREAM: upstream.base } });
    await add(gateway);
    await gateway.restart({ LMK_OPENAI_UPSTREAM: elsewhere.base });
    expect((await callModels(gateway)).headers.get("x-llamakey-refusal")).toBe("no_credential");
    expect(elsewhere.authorizations).toEqual([]);
    const [credential] = await credentials(gateway);
    expect(credential?.usable).toBe(false);
    expect(credential?.problem).toContain("add it again");
    await gateway.restart({ LMK_OPENAI_UPSTREAM: upstream.base });
    expect((await callModels(gateway)).status).toBe(200);
  });

  test("is tested with a call that costs nothing", async () => {
    const upstream = await startChatUpstream();
    await using gateway = await startGateway({ env: { LMK_OPENAI_UPSTREAM: upstream.base } });
    const { id } = await add(gateway);
    const run = () => gateway.api<{ ok: boolean; message: string }>("POST", `/credentials/${id}/test`);
    expect((await run()).ok).toBe(true);
    upstream.status = 401;
    expect(await run()).toMatchObject({ ok: false, message: "OpenAI rejects it (status 401)." });
  });

  test("serves beside the one from the environment", async () => {
    const upstream = await startChatUpstream();
    const env = { LMK_OPENAI_UPSTREAM: upstream.base, OPENAI_API_KEY: "sk-test-fake-environment-01" };
    await using gateway = await startGateway({ env });
    await callModels(gateway);
    await add(gateway);
    for (let n = 0; n < 20; n++) await callModels(gateway);
    const [first, ...later] = upstream.authorizations;
    expect(first).toBe("Bearer sk-test-fake-environment-01");
    const byStored = later.filter((one) => one === `Bearer ${stored}`).length;
    expect(Math.abs(byStored - 10)).toBeLessThanOrEqual(1);
  });

  const malformed: [what: string, secret: string, says: string][] = [
    ["a master key", "lmk_0123456789_01234567890123456789012345678901_012345", "a LlaMaKey master key"],
    ["quotation marks", '"sk-test-fake-quoted-0123"', "quotation marks"],
    ["a line break", "sk-test-fake\nbroken-0123456789", "spaces or characters"],
    ["too little", "sk-1", "too short"],
  ];
  for (const [what, secret, says] of malformed) {
    test(`cannot be ${what}, and is not quoted in saying so`, async () => {
      await using gateway = await startGateway();
      const answer = await fetch(`${gateway.url}/api/v1/credentials`, {
        method: "POST",
        headers: { authorization: `Bearer ${gateway.adminToken}`, "content-type": "application/json" },
        body: JSON.stringify({ provider: "openai", secret }),
      });
      const text = await answer.text();
      expect(answer.status).toBe(422);
      expect(text).toContain(says);
      expect(text).not.toContain(secret);
    });
  }
});

test("a key that the provider rejects is not the user's fault, and administrators see what it said", async () => {
  const upstream = await startChatUpstream();
  await using gateway = await startGateway({
    env: { LMK_OPENAI_UPSTREAM: upstream.base, OPENAI_API_KEY: "sk-test-fake-rejected-01234" },
  });
  upstream.status = 401;
  const response = await callModels(gateway);
  expect(response.status).toBe(502);
  expect(response.headers.get("x-llamakey-refusal")).toBe("credential_rejected");
  expect((await credentials(gateway))[0]?.rejection?.message).toContain('"no"');
});
