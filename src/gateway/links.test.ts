import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../domain/refusal.ts";
import { anthropic } from "../providers/anthropic.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { Answer, piecesOf } from "../upstream/answer.ts";
import { replaceStrings } from "./json-strings.ts";
import { rewriteLinks } from "./links.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const ours = "https://llm.example.com";

async function textOf({ body }: Answer): Promise<string> {
  return Buffer.concat(await Array.fromAsync(piecesOf(body))).toString();
}
const upstreams = new Map(
  knownProviders.map((provider) => [
    provider.id,
    createUpstream(provider, provider.upstream ?? `https://${provider.id}.test`),
  ]),
);

/** What the client gets of an answer to this path. */
async function rewritten(path: string, body: string, headers: Record<string, string> = {}) {
  const reply = Answer.from(
    new Response(body, { headers: { "content-type": "application/json", ...headers } }),
  );
  const given = new Headers(reply.headers);
  const route = findRoute(ours + path, upstreams);
  const maker = { publicUrl: ours, permit: (link: string) => `${link}#permitted` };
  const result = await rewriteLinks(reply, given, route, maker);
  return { text: await textOf(result), headers: given };
}

describe("links in JSON", () => {
  test("of a Replicate prediction come here, and its stream can be followed without a key", async () => {
    const api = "https://api.replicate.com/v1/predictions/p";
    const body = JSON.stringify({
      id: "p",
      input: { next: "https://example.com/a", urls: { get: "https://example.com/b" } },
      output: ["https://replicate.delivery/x/out.png"],
      urls: {
        get: api,
        cancel: `${api}/cancel`,
        stream: "https://stream-b.svc.ric1.c.replicate.net/v1/streams/s",
        web: "https://replicate.com/p/p",
      },
    });
    const { text, headers } = await rewritten("/replicate/v1/predictions/p", body);
    expect(JSON.parse(text)).toEqual({
      ...JSON.parse(body),
      urls: {
        get: `${ours}/replicate/predictions/p`,
        cancel: `${ours}/replicate/predictions/p/cancel`,
        stream: `${ours}/replicate/hosts/stream-b.svc.ric1.c.replicate.net/v1/streams/s#permitted`,
        web: "https://replicate.com/p/p",
      },
    });
    expect(headers.get("content-length")).toBe(String(text.length));
  });

  test("to the next page come here, whatever is listed", async () => {
    const body = JSON.stringify({
      next: "https://api.replicate.com/v1/predictions?cursor=c%2Bd",
      previous: null,
      results: [{ id: "p", urls: { get: "https://api.replicate.com/v1/predictions/p" } }],
    });
    const { text } = await rewritten("/replicate/predictions", body);
    expect(JSON.parse(text)).toEqual({
      next: `${ours}/replicate/predictions?cursor=c%2Bd`,
      previous: null,
      results: [{ id: "p", urls: { get: `${ours}/replicate/predictions/p` } }],
    });
  });

  test("of a backend behind Hugging Face lead to that backend here", async () => {
    const body = `{"request_id":"r","response_url":"https://queue.fal.run/fal-ai/flux/requests/r"}`;
    const { text } = await rewritten("/huggingface/fal-ai/fal-ai/flux?_subdomain=queue", body);
    expect(JSON.parse(text).response_url).toBe(`${ours}/huggingface/fal-ai/fal-ai/flux/requests/r`);
  });

  test("stay where no SDK follows them, and so does what is no link", async () => {
    const body = `{"next":"cursor-1","urls":"x","results":[{"urls":{"web":"https://a.b/c"}}],"detail":"next"}`;
    expect((await rewritten("/replicate/v1/predictions", body)).text).toBe(body);
    const other = `{"urls":{"get":"https://api.replicate.com/v1/x"}}`;
    expect((await rewritten("/openai/v1/x", other)).text).toBe(other);
  });
});

describe("links in headers", () => {
  test("Google's upload link comes here and can be followed without a key", async () => {
    const link =
      "https://generativelanguage.googleapis.com/upload/v1beta/files?upload_id=u&upload_protocol=resumable";
    const { headers, text } = await rewritten("/gemini/upload/v1beta/files", "{}", {
      "X-Goog-Upload-URL": link,
    });
    expect(headers.get("x-goog-upload-url")).toBe(
      `${ours}/gemini/upload/v1beta/files?upload_id=u&upload_protocol=resumable#permitted`,
    );
    expect(text).toBe("{}");
  });

  test("Azure's operations come here", async () => {
    const { headers } = await rewritten("/azure/openai/images/generations:submit?api-version=1", "", {
      "Operation-Location": "https://azure.test/openai/operations/images/i?api-version=1",
      location: "/openai/files/f",
    });
    expect(headers.get("operation-location")).toBe(`${ours}/azure/openai/operations/images/i?api-version=1`);
    expect(headers.get("location")).toBe("/openai/files/f");
  });
});

test("strings of any JSON are found by their place, and all else stays byte for byte", () => {
  fc.assert(
    fc.property(fc.json(), fc.json(), (before, after) => {
      const text = `{"a":${before},"link":"old","b":[${after},{"link":"no"}],"c":{"link":["old"]}}`;
      const latin1 = Buffer.from(text).toString("latin1");
      const result = replaceStrings(latin1, new Set(["link", "c.link"]), () => "new");
      expect(Buffer.from(result, "latin1").toString()).toBe(
        `{"a":${before},"link":"new","b":[${after},{"link":"no"}],"c":{"link":["new"]}}`,
      );
    }),
  );
});

test("a name that is written with escapes is the same name", () => {
  expect(replaceStrings(String.raw`{"ne\u0078t":"a\/b"}`, new Set(["next"]), (value) => `<${value}>`)).toBe(
    String.raw`{"ne\u0078t":"<a/b>"}`,
  );
});

test("a text that breaks off stays as it is from there", () => {
  for (const text of ['{"next":"abc', '{"next', '{"next":"a\\', "", "]}", '"next"', '{"x":["next":"a"}']) {
    expect(replaceStrings(text, new Set(["next"]), () => "new")).toBe(text);
  }
});

describe("Anthropic's results", () => {
  const path = "/anthropic/v1/messages/batches/b";
  const base = `${ours}/anthropic`;

  test("keep their path and query, and get our host", async () => {
    for (const [link, expected] of [
      ["https://api.anthropic.com/v1/messages/batches/b/results", "/v1/messages/batches/b/results"],
      ["http://elsewhere:8443/x?a=1#f", "/x?a=1#f"],
      ["https://api.anthropic.com", ""],
      ["https:\\/\\/api.anthropic.com\\/v1\\/x", "/v1/x"],
      ["//elsewhere/x", "/x"],
    ] as const) {
      expect((await rewritten(path, `{"results_url":"${link}"}`)).text).toBe(
        `{"results_url":"${base}${expected}"}`,
      );
    }
  });

  test("do not repeat the provider's base", async () => {
    const behindPath = new Map([["anthropic", createUpstream(anthropic, "https://proxy.example/anthropic")]]);
    const body = '{"results_url":"https://proxy.example/anthropic/v1/x"}';
    const reply = Answer.from(new Response(body, { headers: { "content-type": "application/json" } }));
    const route = findRoute(ours + path, behindPath);
    const result = await rewriteLinks(reply, new Headers(), route, {
      publicUrl: ours,
      permit: (link) => link,
    });
    expect(await textOf(result)).toBe(`{"results_url":"${base}/v1/x"}`);
  });

  test("are found in a list, and space is kept", async () => {
    const text = '{"data":[ {"results_url" : "https://a/1"},\n{"results_url":"https://b/2"} ]}';
    expect((await rewritten(path, text)).text).toBe(
      `{"data":[ {"results_url" : "${base}/1"},\n{"results_url":"${base}/2"} ]}`,
    );
  });

  test("that are no link stay as they are", async () => {
    for (const text of [
      '{"results_url":null}',
      '{"results_url":""}',
      '{"results_urls":"https://a/1"}',
      '{"url":"https://a/1"}',
      '{"a":"\\"results_url\\":\\"https://a/1\\""}',
      "",
      "not JSON",
    ]) {
      expect((await rewritten(path, text)).text).toBe(text);
    }
  });

  test("that are compressed or too long to read are refused", async () => {
    for (const headers of [{ "content-encoding": "gzip" }, { "content-length": String(65 * 1024 * 1024) }]) {
      const refused = await rewritten(path, "{}", headers as Record<string, string>).catch(
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(Refusal);
    }
  });

  test("are looked for in JSON alone", async () => {
    const body = '{"results_url":"https://a/1"}';
    for (const type of ["application/x-jsonl", "text/plain"]) {
      expect((await rewritten(path, body, { "content-type": type })).text).toBe(body);
    }
    const charset = { "content-type": "application/json; charset=utf-8" };
    expect((await rewritten(path, body, charset)).text).toBe(`{"results_url":"${base}/1"}`);
  });
});
