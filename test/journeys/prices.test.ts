/** An administrator decides what calls cost, and the next call costs that. */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { root, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { note, serveRecorded } from "../support/record.ts";

const upstream = await serveRecorded({
  async fetch(request) {
    const { model } = (await request.json()) as { model: string };
    const usage = { prompt_tokens: 1000, completion_tokens: 200, total_tokens: 1200 };
    return Response.json({ id: "c", object: "chat.completion", model, choices: [], usage });
  },
});

const base = upstream.origin;
const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-test-fake-prices-0123456789",
    LMK_OPENAI_UPSTREAM: `${base}/v1`,
    LMK_SERVER_LAB: `${base}/lab/v1`,
    VECTARA_API_KEY: "zut_test-fake-prices-0123456789",
    LMK_VECTARA_UPSTREAM: base,
  },
});

async function call(path: string, model: string) {
  const response = await fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json" },
    body: JSON.stringify({ model }),
  });
  await response.text();
  return gateway.requestRow(response.headers.get("x-llamakey-request-id"));
}

const chat = (model: string) => call("/openai/v1/chat/completions", model);

const lmk = (...args: string[]) => runLmk(gateway, ["prices", ...args]);

async function ok(...args: string[]): Promise<string> {
  const { code, out, err } = await lmk(...args);
  if (code !== 0) throw new Error(`lmk prices ${args.join(" ")} ended with ${code}: ${err}`);
  return out;
}

describe("a price that was set", () => {
  test("counts from the next call on, with another hash, and no longer once it is unset", async () => {
    const before = await chat("gpt-x");
    expect(before.costNanos).toBeNull();

    await ok("set", "openai", "gpt-x", "--input", "1.25", "--output", "10", "--cached", "0.125");
    const after = await chat("gpt-x");
    // 1,000 x 1,250 + 200 x 10,000 nano-dollars.
    expect(after.costNanos).toBe("3250000");
    expect(after.priceBook).not.toBe(before.priceBook);
    expect(await ok("show", "openai", "GPT-X")).toContain("input 1.25, cached 0.125, output 10.00");
    expect(await ok("list", "--provider", "openai", "--search", "gpt-x")).toContain("override");

    await ok("set", "openai", "gpt-x", "--per-call", "0.002");
    expect((await chat("gpt-x")).costNanos).toBe("2000000");
    await ok("unset", "openai", "gpt-x");
    const last = await chat("gpt-x");
    expect([last.costNanos, last.priceBook]).toEqual([null, before.priceBook]);
    expect((await lmk("unset", "openai", "gpt-x")).code).toBe(1);
  });

  test("outlives a restart", async () => {
    await ok("set", "openai", "gpt-kept*", "--input", "1", "--output", "0");
    await gateway.restart();
    expect((await chat("gpt-kept-2")).costNanos).toBe("1000000");
  });

  test("is dollars, for a unit and a provider that there are", async () => {
    const set = (body: object) => gateway.api("PUT", "/prices", { provider: "openai", model: "m", ...body });
    for (const body of [
      { prices: { input_tokens: "-1" } },
      { prices: { input_tokens: "0.0000000001" } },
      { prices: { input_tokens: "9e20" } },
      { prices: { wishes: "1" } },
      { prices: {} },
      { perCall: "1", prices: { input_tokens: "1" } },
      { provider: "nobody", perCall: "1" },
    ]) {
      const error = await set(body).catch((failure: { status: number }) => failure);
      expect([400, 422]).toContain((error as { status: number }).status);
    }
  });
});

describe("what has no price", () => {
  test("is listed with the line that sets it, until it is set", async () => {
    await chat("gpt-unknown");
    await chat("gpt-unknown");
    const listed = await ok("unpriced");
    expect(listed).toContain("openai gpt-unknown: 2 requests");
    expect(listed).toContain("  lmk prices set openai gpt-unknown --input PRICE --output PRICE\n");
    await ok("set", "openai", "gpt-unknown", "--input", "1", "--output", "2");
    expect(await ok("unpriced")).not.toContain("gpt-unknown");
  });

  test("may be priced by the call, for a whole provider", async () => {
    expect((await call("/vectara/v2/query", "")).costNanos).toBeNull();
    expect(await ok("unpriced")).toContain("  lmk prices default vectara flat PRICE\n");
    expect(await ok("default", "vectara")).toMatch(/vectara +priced +- +provider's own +All: .*plan/);
    await ok("default", "vectara", "flat", "0.002");
    expect((await call("/vectara/v2/query", "")).costNanos).toBe("2000000");
    expect(await ok("unpriced")).not.toContain("vectara");
    expect(await ok("default", "vectara")).toMatch(/vectara +flat +0\.002 +administrator/);
  });
});

test("a server of one's own is free, unless an administrator decides otherwise", async () => {
  const lab = () => call("/lab/v1/chat/completions", "llama");
  expect((await lab()).costNanos).toBe("0");
  await ok("default", "lab", "flat", "0.5");
  expect((await lab()).costNanos).toBe("500000000");
  await ok("default", "lab", "own");
  expect((await lab()).costNanos).toBe("0");
});

test("other list prices are shown, pinned when they are agreed to, and given back", async () => {
  const file = join(gateway.cwd, "snapshot.json");
  const bundled = await Bun.file(join(root, "src/pricing/snapshot.json")).text();
  const cost = async () => (await chat("gpt-4o-mini")).costNanos;
  // 1,000 x 150 + 200 x 600 nano-dollars.
  expect(await cost()).toBe("270000");
  const snapshot = JSON.parse(bundled);
  const models: { id: string; prices: { rates: { input_tokens: number } }[] }[] =
    snapshot.providers.openai.models;
  const mini = models.find(({ id }) => id === "gpt-4o-mini");
  for (const price of mini?.prices ?? []) price.rates.input_tokens = 300_000_000;
  await Bun.write(file, JSON.stringify(snapshot));

  const unasked = await lmk("update", "--from", file);
  expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining("--yes")]);
  expect(unasked.out.trim().split("\n")).toHaveLength(2);
  expect(unasked.out).toMatch(/openai +gpt-4o-mini +input 0\.15.* +input 0\.30/);
  expect(await cost()).toBe("270000");

  await ok("update", "--from", file, "--yes");
  expect(await cost()).toBe("420000");
  await gateway.restart();
  expect(await cost()).toBe("420000");
  await ok("update", "--reset");
  expect(await cost()).toBe("270000");

  await Bun.write(file, bundled.replace(/"match":\["/, '"match":["?'));
  expect((await lmk("update", "--from", file, "--yes")).err).toContain("no list of prices");
  await poll("price as before", async () => ((await cost()) === "270000" ? true : undefined));
});

describe("lmk prices update", () => {
  interface Theirs {
    id: string;
    models: { id: string; prices: object }[];
  }
  let served: () => Response;
  let url = "";
  beforeAll(async () => {
    const { origin } = await serveRecorded({ fetch: () => served() });
    note({ what: "address", owner: "price list", origin, path: "" });
    url = `${origin}/prices/new_data/v2/data.json`;
  });
  const update = (...args: string[]) =>
    runLmk(gateway, ["prices", "update", ...args], { LMK_PRICES_URL: url });

  /** What genai-prices publishes, with another price of one model. */
  async function published(price: unknown): Promise<string> {
    const { waitForUpdate } = await import("@pydantic/genai-prices");
    const providers = structuredClone(await waitForUpdate()) as unknown as Theirs[];
    const models = providers.find(({ id }) => id === "openai")?.models;
    const mini = models?.find(({ id }) => id === "gpt-4o-mini");
    if (mini === undefined) throw new Error("genai-prices has no gpt-4o-mini");
    mini.prices = { input_mtok: price, output_mtok: 0.6 };
    return JSON.stringify(providers);
  }
  const hashes = async () => {
    const { costNanos, priceBook } = await chat("gpt-4o-mini");
    return { costNanos, priceBook };
  };

  test("takes what genai-prices publishes, shows and pins it, and gives it back", async () => {
    const before = await hashes();
    const text = await published(0.3);
    served = () => new Response(text);

    const unasked = await update();
    expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining("--yes")]);
    expect(unasked.out).toMatch(/openai +gpt-4o-mini +input 0\.15.* +input 0\.30/);
    // The additions to their list are in the new one too.
    expect(unasked.out).not.toContain("gone");
    expect(unasked.out.trim().split("\n")).toHaveLength(2);
    expect(await hashes()).toEqual(before);

    const pinned = await update("--yes");
    expect([pinned.code, pinned.err]).toEqual([0, expect.stringContaining("Pinned")]);
    const after = await hashes();
    // 1,000 x 300 + 200 x 600 nano-dollars.
    expect(after.costNanos).toBe("420000");
    expect(after.priceBook).not.toBe(before.priceBook);
    expect((await update("--yes")).err).toContain("in force already");

    const snapshot = await gateway.api<{ sources: object[] }>("GET", "/prices/snapshot");
    const { createHash } = await import("node:crypto");
    const version = createHash("sha256").update(text).digest("hex").slice(0, 12);
    expect(snapshot.sources[0]).toMatchObject({ name: "@pydantic/genai-prices", version });

    expect((await update("--reset")).code).toBe(0);
    expect(await hashes()).toEqual(before);
  });

  test("refuses what is no list of prices, and changes nothing", async () => {
    const before = await hashes();
    const whole = await published(0.3);
    for (const [text, why] of [
      ["<html>", "no JSON"],
      ["[]", "no models of"],
      [
        JSON.stringify([{ id: "openai", models: [{ id: "a", match: { equals: "a" }, prices: {} }] }]),
        "no models of",
      ],
      [await published(-1), "openai gpt-4o-mini input_mtok: no amount"],
      [await published("0.3"), "openai gpt-4o-mini input_mtok: no object"],
      [await published(1e15), "openai gpt-4o-mini: $1000000000000000"],
      [whole.replaceAll('"output_mtok":', '"wishes_mtok":'), "what wishes_mtok is for is not known"],
      [whole.replace('"equals":"gpt-4o-mini"', '"regex":"("'), "egular expression"],
    ] as const) {
      served = () => new Response(text);
      const { code, err } = await update("--yes");
      expect([code, err]).toEqual([1, expect.stringContaining(why)]);
    }
    expect(await hashes()).toEqual(before);
  });

  test("reads no more than a list of prices can be, whatever is announced", async () => {
    let sent = 0;
    served = () => {
      const piece = new Uint8Array(256 * 1024).fill(0x20);
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += piece.length;
          controller.enqueue(piece);
        },
      });
      return new Response(endless);
    };
    const { code, err } = await update("--yes");
    expect([code, err]).toEqual([1, expect.stringContaining("larger than 4 MiB")]);
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    served = () => new Response("gone", { status: 410 });
    expect((await update("--yes")).err).toContain("status 410");
  });
});
