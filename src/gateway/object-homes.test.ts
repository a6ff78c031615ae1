import { describe, expect, test } from "bun:test";
import { bodilessDemand, defaultBounds } from "../domain/demand.ts";
import { knownProviders } from "../providers/catalogue.ts";
import type { Call } from "./authorise.ts";
import { MemoryHomes, placeOf } from "./object-homes.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const upstreams = new Map(
  knownProviders.map((provider) => {
    const upstream = createUpstream(provider, provider.upstream ?? "https://own.example");
    upstream.pool.replace(
      ["crd_1", "crd_2", "crd_3"].map((id) => ({ id, name: id, secret: id, masked: id, weight: 1 })),
    );
    return [provider.id, upstream] as const;
  }),
);

function call(target: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Call {
  const text = body === undefined ? null : new Uint8Array(Buffer.from(JSON.stringify(body)));
  return {
    route: findRoute(`http://x${target}`, upstreams),
    method,
    headers: new Headers(),
    body: text,
    scanned: null,
    demand: bodilessDemand(defaultBounds),
  };
}

function placed(homes: MemoryHomes, one: Call): string | undefined {
  const place = placeOf(one, "usr_a", homes);
  return place && `${place.by} ${place.member?.credential.id}`;
}

const homes = new MemoryHomes();
for (const [provider, id] of [
  ["openai", "file-1"],
  ["openai", "resp_1"],
  ["gemini", "abc"],
  ["anthropic", "msgbatch_1"],
  ["replicate", "pred1"],
] as const) {
  homes.remember(provider, id, "crd_2");
}

describe("an object's home is found", () => {
  const calls: Record<string, Call> = {
    "in the path": call("/openai/v1/files/file-1/content"),
    "in a path with a method": call("/gemini/v1beta/files/abc:register", {}),
    "in Anthropic's batches": call("/anthropic/v1/messages/batches/msgbatch_1/results"),
    "in Replicate's predictions": call("/replicate/v1/predictions/pred1"),
    "of the response that came before": call("/openai/v1/responses", { previous_response_id: "resp_1" }),
    "of a file that a batch reads": call("/openai/v1/batches", { input_file_id: "file-1" }),
    "of one of several files": call("/openai/v1/vector_stores/x/file_batches", {
      file_ids: ["new", "file-1"],
    }),
    "of a file deep in the body": call("/openai/v1/responses", {
      input: [{ role: "user", content: [{ type: "input_file", file_id: "file-1" }] }],
    }),
    "of a file by its address": call("/gemini/v1beta/models/m:generateContent", {
      contents: [
        { parts: [{ fileData: { fileUri: "https://generativelanguage.googleapis.com/v1beta/files/abc" } }] },
      ],
    }),
  };
  for (const [what, one] of Object.entries(calls)) {
    test(what, () => expect(placed(homes, one)).toBe("object crd_2"));
  }
});

test("what is quoted in a text is no reference", () => {
  const content = 'They said {"previous_response_id":"resp_1"} and "file_id": "file-1".';
  expect(placed(homes, call("/openai/v1/responses", { input: content }))).toBeUndefined();
  expect(
    placed(homes, call("/openai/v1/chat/completions", { messages: [{ role: "user", content }] })),
  ).toBeUndefined();
});

test("calls that keep nothing go anywhere, all others where their user's objects are", () => {
  const none = new MemoryHomes();
  expect(placed(none, call("/openai/v1/chat/completions", {}))).toBeUndefined();
  expect(placed(none, call("/openai/v1/models"))).toBeUndefined();
  expect(placed(none, call("/anthropic/v1/messages", {}))).toBeUndefined();
  expect(placed(none, call("/gemini/v1beta/models/m:generateContent", {}))).toBeUndefined();
  const home = placed(none, call("/openai/v1/files"));
  expect(home).toMatch(/^user crd_\d$/);
  for (const target of [
    "/openai/v1/batches",
    "/openai/v1/threads/t/runs",
    "/openai/v1/responses/resp_unknown",
  ]) {
    expect(placed(none, call(target))).toBe(home as string);
  }
});

test("users are spread over the credentials by weight, and stay where they are when one joins", () => {
  const upstream = createUpstream(
    knownProviders[0] as (typeof knownProviders)[number],
    "https://own.example",
  );
  const credential = (id: string, weight: number) => ({ id, name: id, secret: id, masked: id, weight });
  upstream.pool.replace([credential("a", 1), credential("b", 3)]);
  const users = Array.from({ length: 4000 }, (_, n) => `usr_${n}`);
  const before = users.map((user) => upstream.pool.homeOf(user)?.credential.id);
  expect(Math.abs(before.filter((id) => id === "b").length - 3000)).toBeLessThan(150);
  upstream.pool.replace([credential("a", 1), credential("b", 3), credential("c", 4)]);
  const after = users.map((user) => upstream.pool.homeOf(user)?.credential.id);
  expect(after.filter((id, n) => id !== before[n] && id !== "c")).toEqual([]);
  expect(Math.abs(after.filter((id) => id === "c").length - 2000)).toBeLessThan(150);
});

test("of objects a bounded number is remembered", () => {
  const many = new MemoryHomes();
  for (let n = 0; n < 100_001; n++) many.remember("openai", `o${n}`, "c");
  expect([many.find("openai", "o0"), many.find("openai", "o1")]).toEqual([undefined, "c"]);
});
