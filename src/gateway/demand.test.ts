import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { messagesDemand } from "../providers/formats/anthropic-demand.ts";
import type { DemandFormat } from "../providers/formats/demand.ts";
import { generateDemand } from "../providers/formats/gemini-demand.ts";
import {
  chatDemand,
  completionsDemand,
  rerankDemand,
  responsesDemand,
} from "../providers/formats/openai-demand.ts";
import { huggingfaceTaskDemand, ollamaDemand } from "../providers/formats/other-demands.ts";
import { type Scanned, scanObject, UnclearJson } from "./scan.ts";

const chat = chatDemand("max_completion_tokens");
const scanText = (text: string, format: DemandFormat) => scanObject(Buffer.from(text), format) as Scanned;
const scan = (body: object, format: DemandFormat = chat) => scanText(JSON.stringify(body), format);

/** A name as some writer may escape it. */
const escaped = (name: string) =>
  fc
    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
    .map((which) =>
      [...name]
        .map((c, i) => (which[i] ? `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}` : c))
        .join(""),
    );

const cap = fc.oneof(fc.nat(1_000_000), fc.constantFrom(null, -1, "100", 1.5));
const effective = (value: unknown) => (typeof value === "number" && value >= 0 ? Math.ceil(value) : null);

describe("a cap", () => {
  test("is the one that JSON.parse finds, the largest of several, however it is written", () => {
    const members = fc.record(
      {
        max_tokens: cap,
        max_completion_tokens: cap,
        n: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(null)),
        stream: fc.boolean(),
        other: fc.jsonValue(),
        messages: fc.array(fc.record({ role: fc.constant("user"), content: fc.string() })),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(members, fc.constantFrom(undefined, 2), (body, space) => {
        const found = scanText(JSON.stringify(body, null, space), chat);
        const parsed = JSON.parse(JSON.stringify(body)) as typeof body;
        const caps = [effective(parsed.max_tokens), effective(parsed.max_completion_tokens)].filter(
          (value) => value !== null,
        );
        expect(found.outputCap).toBe(caps.length === 0 ? null : Math.max(...caps));
        expect(found.answers).toBe(parsed.n ?? 1);
        expect(found.stream).toBe(parsed.stream ?? false);
        expect(found.images + found.files + found.audios + found.serverTools).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  test("that stands in another object is found there alone", () => {
    expect(scan({ generationConfig: { maxOutputTokens: 7 } }, generateDemand).outputCap).toBe(7);
    expect(scan({ generation_config: { max_output_tokens: 7 } }, generateDemand).outputCap).toBe(7);
    expect(scan({ generationConfig: { a: { maxOutputTokens: 7 } } }, generateDemand).outputCap).toBeNull();
    expect(scan({ maxOutputTokens: 7 }, generateDemand).outputCap).toBeNull();
    expect(scan({ options: { num_predict: 7 } }, ollamaDemand).outputCap).toBe(7);
    expect(scan({ options: { num_predict: -1 } }, ollamaDemand).outputCap).toBeNull();
    expect(scan({ parameters: { max_new_tokens: 7 } }, huggingfaceTaskDemand).outputCap).toBe(7);
  });
});

describe("refuses", () => {
  const deciding: readonly (readonly [string, DemandFormat])[] = [
    ...[
      "model",
      "max_tokens",
      "max_completion_tokens",
      "n",
      "stream",
      "service_tier",
      "stream_options",
      "tools",
    ].map((name) => [name, chat] as const),
    ["max_output_tokens", responsesDemand],
    ["previous_response_id", responsesDemand],
    ["generationConfig", generateDemand],
  ];
  test.each(deciding)("two members %s, however they are spelt", (name, format) => {
    fc.assert(
      fc.property(escaped(name), escaped(name), fc.boolean(), (one, other, nested) => {
        const inner = nested ? '{"x":[1,"]"]}' : "1";
        expect(() => scanText(`{"${one}":1,"a":${inner},"${other}":2}`, format)).toThrow(UnclearJson);
      }),
      { numRuns: 100 },
    );
  });

  test("two members that are one in Google's two spellings", () => {
    for (const text of [
      '{"generationConfig":{},"generation_config":{"maxOutputTokens":1}}',
      '{"generationConfig":{"maxOutputTokens":1,"max_output_tokens":2}}',
      '{"generationConfig":{"maxOutputTokens":1,"maxOutput\\u0054okens":2}}',
      '{"cachedContent":"a","cached_content":"b"}',
    ]) {
      expect(() => scanText(text, generateDemand)).toThrow(UnclearJson);
    }
  });

  test("nested ones that decide", () => {
    expect(() => scanText('{"options":{"num_predict":1,"num_predict":2}}', ollamaDemand)).toThrow(
      UnclearJson,
    );
    expect(() =>
      scanText('{"parameters":{"max_new_tokens":1,"max_new\\u005ftokens":2}}', huggingfaceTaskDemand),
    ).toThrow(UnclearJson);
  });

  test("spellings that only some readers take for it", () => {
    for (const name of ["Model", "MODEL", "mod\\u0045l", "Max_Tokens", "max_to\u212aens", "\u017ftream"]) {
      expect(() => scanText(`{"${name}":1}`, chat)).toThrow(UnclearJson);
    }
  });

  test("what is not UTF-8", () => {
    for (const encoding of ["utf16le"] as const) {
      expect(() => scanObject(Buffer.from('{"model":"m"}', encoding), chat)).toThrow(UnclearJson);
      expect(() => scanObject(Buffer.from('{"model":"m"}', encoding).swap16(), chat)).toThrow(UnclearJson);
      expect(() => scanObject(Buffer.from('\ufeff{"model":"m"}', encoding), chat)).toThrow(UnclearJson);
    }
  });
});

describe("counts", () => {
  const user = (...content: object[]) => ({ messages: [{ role: "user", content }] });

  test("images, sound and files of a chat, and leaves out what an image's text would weigh", () => {
    const url = `data:image/png;base64,${"A".repeat(10_000)}`;
    const found = scan(
      user(
        { type: "image_url", image_url: { url } },
        { type: "input_audio", input_audio: { data: "UklG", format: "wav" } },
        { type: "file", file: { file_id: "file-1" } },
      ),
    );
    expect(found).toMatchObject({ images: 1, audios: 1 });
    expect(found.files).toBeGreaterThan(0);
    expect(found.bytes).toBeLessThan(500);
  });

  test("nothing in texts that look like it", () => {
    const text = JSON.stringify(user({ type: "image_url", image_url: { url: "x" } }));
    const found = scan({ messages: [{ role: "user", content: text }] });
    expect(found).toMatchObject({ images: 0, files: 0, audios: 0 });
  });

  test("images whatever their name's spelling", () => {
    expect(scanText('{"messages":[{"content":[{"image\\u005furl":{"url":"x"}}]}]}', chat).images).toBe(1);
  });

  test("Anthropic's images, documents and caches", () => {
    const source = { type: "base64", media_type: "image/png", data: "AAAA" };
    const of = (block: object) => scan(user(block), messagesDemand);
    expect(of({ type: "image", source })).toMatchObject({ images: 1, files: 0, caching: "none" });
    expect(of({ type: "document", source })).toMatchObject({ files: 1 });
    expect(of({ type: "text", text: "a", cache_control: { type: "ephemeral" } }).caching).toBe("short");
    expect(of({ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "5m" } }).caching).toBe(
      "short",
    );
    expect(of({ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }).caching).toBe(
      "long",
    );
    expect(of({ type: "text", text: "a", cache_control: null }).caching).toBe("none");
  });

  test("Gemini's parts by their type", () => {
    const of = (...parts: object[]) => scan({ contents: [{ parts }] }, generateDemand);
    const inline = (mimeType: string) => ({ inlineData: { mimeType, data: "AAAA" } });
    expect(of(inline("image/png"), { text: "a" })).toMatchObject({ images: 1, files: 0 });
    expect(of(inline("audio/wav"))).toMatchObject({ audios: 1, files: 0 });
    expect(of(inline("application/pdf")).files).toBe(1);
    expect(of({ inline_data: { data: "AAAA" } }).files).toBe(1);
    expect(of({ fileData: { fileUri: "files/x", mimeType: "image/png" } }).files).toBe(1);
    // Two types for one part: whichever it is.
    expect(
      scanText(
        '{"contents":[{"inlineData":{"mimeType":"image/png","mimeType":"video/mp4"}}]}',
        generateDemand,
      ).files,
    ).toBe(1);
  });

  test("tools that the provider runs, and how often", () => {
    const of = (tools: object[], format: DemandFormat, more: object = {}) => scan({ tools, ...more }, format);
    const schema = { type: "object", properties: { type: { type: "string" }, model: { type: "string" } } };
    expect(
      of([{ type: "function", function: { name: "web_search", parameters: schema } }], chat).serverTools,
    ).toBe(0);
    expect(of([{ type: "web_search" }], responsesDemand)).toMatchObject({ serverTools: 1, toolUses: null });
    expect(of([{ type: "web_search" }], responsesDemand, { max_tool_calls: 3 }).toolUses).toBe(3);
    const search = { type: "web_search_20250305", name: "web_search" };
    expect(of([{ ...search, max_uses: 5 }], messagesDemand)).toMatchObject({ serverTools: 1, toolUses: 5 });
    expect(of([{ ...search, max_uses: 5 }, search], messagesDemand)).toMatchObject({
      serverTools: 2,
      toolUses: null,
    });
    expect(
      of(
        [
          { name: "f", input_schema: schema },
          { type: "bash_20250124", name: "bash" },
        ],
        messagesDemand,
      ),
    ).toMatchObject({ serverTools: 0, otherModels: false });
    expect(of([{ type: "advisor_20260301", model: "m" }], messagesDemand).otherModels).toBe(true);
    expect(scanText('{"tools":[{"type":"web\\u005fsearch"}]}', responsesDemand).serverTools).toBe(1);
    expect(
      of([{ functionDeclarations: [{ name: "f", parameters: schema }] }], generateDemand).serverTools,
    ).toBe(0);
    expect(of([{ googleSearch: {} }, { codeExecution: {} }], generateDemand).serverTools).toBe(2);
    expect(scan({ tools: { googleSearch: {} } }, generateDemand).serverTools).toBe(1);
  });

  test("what the provider keeps, and what comes later", () => {
    for (const body of [
      { previous_response_id: "resp_1" },
      { conversation: "conv_1" },
      { prompt: { id: "pmpt_1" } },
      { input: [{ type: "item_reference", id: "msg_1" }] },
    ]) {
      expect(scan(body, responsesDemand).stored).toBe(true);
    }
    expect(scan({ previous_response_id: null, conversation: null }, responsesDemand).stored).toBe(false);
    expect(scan({ cachedContent: "cachedContents/1" }, generateDemand).stored).toBe(true);
    expect(scan({ background: true }, responsesDemand).background).toBe(true);
    expect(scan({ background: false }, responsesDemand).background).toBe(false);
  });

  test("lists of prompts and documents", () => {
    expect(scan({ prompt: ["a", "b", "c"], best_of: 4, n: 2 }, completionsDemand)).toMatchObject({
      items: 3,
      answers: 4,
    });
    expect(scan({ prompt: [[1, 2], [3]] }, completionsDemand).items).toBe(2);
    expect(scan({ prompt: [1, 2, 3] }, completionsDemand).items).toBe(1);
    expect(scan({ query: "abc", documents: ["a", { text: "b" }] }, rerankDemand)).toMatchObject({
      items: 2,
      queryBytes: 5,
    });
  });

  test("what changes the price", () => {
    expect(scan({ service_tier: "priority" }).serviceTier).toBe("priority");
    expect(scan({ speed: "fast", service_tier: "auto" }, messagesDemand).serviceTier).toBe("fast");
    expect(scan({ inference_geo: "us" }, messagesDemand).region).toBe("us");
    expect(scan({ models: ["a", "b"] }).otherModels).toBe(true);
    expect(scan({ models: [] }).otherModels).toBe(false);
    expect(scan({ modalities: ["text", "audio"] })).toMatchObject({ speaks: true, draws: false });
  });
});
