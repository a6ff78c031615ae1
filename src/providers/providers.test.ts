import { describe, expect, test } from "bun:test";
import { Refusal, type RefusalCode } from "../domain/refusal.ts";
import { authorise } from "../gateway/authorise.ts";
import { Exchange } from "../gateway/exchange.ts";
import { refusalResponse } from "../gateway/refuse.ts";
import { findRoute } from "../gateway/route.ts";
import { createUpstream } from "../gateway/upstreams.ts";
import { knownProviders } from "./catalogue.ts";
import { compatibleServer } from "./compatible.ts";
import { huggingfaceEndpoint } from "./huggingface-endpoint.ts";
import { UnusableCredential } from "./mint.ts";
import type { AccountPathRule } from "./provider.ts";

const gateway = "http://gateway.test";
const endpoint = "https://x.eu-west-1.aws.endpoints.huggingface.cloud";
const providers = [
  ...knownProviders,
  compatibleServer("box", "http://127.0.0.1:9/v1"),
  huggingfaceEndpoint("lab", endpoint),
];
const upstreams = new Map(
  providers.map((provider) => [
    provider.id,
    createUpstream(provider, provider.upstream ?? `https://${provider.id}.test${suffix(provider.id)}`),
  ]),
);

/** What an administrator would set for those whose address nobody else knows. */
function suffix(id: string): string {
  return id === "anyscale" ? "/v1" : "";
}

/** Where a call to this path is sent. */
function sent(path: string): string {
  const { at, path: rest, query } = findRoute(gateway + path, upstreams);
  return at.base + rest + query;
}

describe("a call goes where its provider expects it", () => {
  const calls: readonly (readonly [path: string, url: string])[] = [
    ["/openai/v1/chat/completions", "https://api.openai.com/v1/chat/completions"],
    ["/openai/chat/completions", "https://api.openai.com/v1/chat/completions"],
    ["/cohere/v2/chat", "https://api.cohere.com/v2/chat"],
    ["/cohere/v1/chat", "https://api.cohere.com/v1/chat"],
    ["/cohere/chat", "https://api.cohere.com/v2/chat"],
    ["/cohere/tokenize", "https://api.cohere.com/v1/tokenize"],
    ["/cohere/compatibility/v1/chat/completions", "https://api.cohere.com/compatibility/v1/chat/completions"],
    ["/anyscale/v1/models", "https://anyscale.test/v1/models"],
    ["/huggingface/v1/chat/completions", "https://router.huggingface.co/v1/chat/completions"],
    ["/huggingface/chat/completions", "https://router.huggingface.co/v1/chat/completions"],
    [
      "/huggingface/groq/openai/v1/chat/completions",
      "https://router.huggingface.co/groq/openai/v1/chat/completions",
    ],
    [
      "/huggingface/models/openai-community/gpt2",
      "https://router.huggingface.co/hf-inference/models/openai-community/gpt2",
    ],
    [
      "/huggingface/pipeline/feature-extraction/intfloat/e5",
      "https://router.huggingface.co/hf-inference/models/intfloat/e5/pipeline/feature-extraction",
    ],
    [
      "/huggingface/api/models/google/gemma?expand=inferenceProviderMapping",
      "https://huggingface.co/api/models/google/gemma?expand=inferenceProviderMapping",
    ],
    ["/hf-lab/v1/chat/completions", `${endpoint}/v1/chat/completions`],
    ["/hf-lab/chat/completions", `${endpoint}/v1/chat/completions`],
    ["/hf-lab", endpoint],
    ["/hf-lab/", `${endpoint}/`],
    ["/hf-lab/embed", `${endpoint}/embed`],
    ["/perplexity/chat/completions", "https://api.perplexity.ai/chat/completions"],
    ["/perplexity/v1/chat/completions", "https://api.perplexity.ai/chat/completions"],
    ["/perplexity/v1/async/chat/completions", "https://api.perplexity.ai/async/chat/completions"],
    ["/perplexity/responses", "https://api.perplexity.ai/v1/responses"],
    ["/perplexity/v1/responses", "https://api.perplexity.ai/v1/responses"],
    [
      "/gemini/v1beta/models/gemini-2.5-flash:generateContent",
      "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
    ],
    ["/gemini/v1/models/m:x?alt=sse", "https://generativelanguage.googleapis.com/v1/models/m:x?alt=sse"],
    [
      "/gemini/models/m:generateContent",
      "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent",
    ],
    ["/gemini/upload/v1beta/files", "https://generativelanguage.googleapis.com/upload/v1beta/files"],
    [
      "/gemini/v1beta/openai/chat/completions",
      "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    ],
    [
      "/gemini/openai/chat/completions",
      "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
    ],
    [
      "/gemini/v1beta1/publishers/google/models/m:generateContent",
      "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/m:generateContent",
    ],
    [
      "/gemini/v1/projects/p/locations/us-central1/publishers/google/models/m:countTokens",
      "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1/publishers/google/models/m:countTokens",
    ],
    [
      "/vertex/v1/projects/p/locations/global/publishers/anthropic/models/claude-x@20250929:rawPredict",
      "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/anthropic/models/claude-x@20250929:rawPredict",
    ],
    [
      "/vertex/v1beta1/projects/p/locations/eu/endpoints/1:predict",
      "https://aiplatform.eu.rep.googleapis.com/v1beta1/projects/p/locations/eu/endpoints/1:predict",
    ],
    [
      "/vertex/v1/projects/p/locations/evil.example/endpoints/1:predict",
      "https://aiplatform.googleapis.com/v1/projects/p/locations/evil.example/endpoints/1:predict",
    ],
    [
      "/vertex/projects/p/locations/europe-west4/endpoints/1:predict",
      "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/endpoints/1:predict",
    ],
    [
      "/azure/openai/deployments/d/chat/completions?api-version=2024-10-21",
      "https://azure.test/openai/deployments/d/chat/completions?api-version=2024-10-21",
    ],
    ["/azure/deployments/d/embeddings", "https://azure.test/openai/deployments/d/embeddings"],
    ["/azure/v1/responses", "https://azure.test/openai/v1/responses"],
    ["/azure/openai/v1/responses", "https://azure.test/openai/v1/responses"],
    ["/azure/responses", "https://azure.test/openai/v1/responses"],
    [
      "/openai/v1/deployments/d/chat/completions?api-version=2024-10-21",
      "https://azure.test/openai/deployments/d/chat/completions?api-version=2024-10-21",
    ],
    ["/openai/v1/files?api-version=2024-10-21", "https://azure.test/openai/files?api-version=2024-10-21"],
    [
      "/openai/v1/responses?api-version=preview",
      "https://azure.test/openai/v1/responses?api-version=preview",
    ],
    ["/mistral/v1/chat/completions", "https://api.mistral.ai/v1/chat/completions"],
    ["/mistral/chat/completions", "https://api.mistral.ai/v1/chat/completions"],
    ["/mistral/v2/skills", "https://api.mistral.ai/v2/skills"],
    ["/groq/openai/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"],
    ["/groq/v1/chat/completions", "https://api.groq.com/openai/v1/chat/completions"],
    [
      "/groq/openai/v1/models/meta-llama%2Fllama-4",
      "https://api.groq.com/openai/v1/models/meta-llama%2Fllama-4",
    ],
    ["/together/v1/chat/completions", "https://api.together.ai/v1/chat/completions"],
    ["/together/chat/completions", "https://api.together.ai/v1/chat/completions"],
    ["/together/v1/v1/chat/completions", "https://api.together.ai/v1/chat/completions"],
    ["/together/v1/v2/videos", "https://api.together.ai/v2/videos"],
    ["/fireworks/v1/chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"],
    ["/fireworks/inference/v1/chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"],
    ["/fireworks/chat/completions", "https://api.fireworks.ai/inference/v1/chat/completions"],
    ["/fireworks/v1/accounts/a/models", "https://api.fireworks.ai/v1/accounts/a/models"],
    ["/deepseek/chat/completions", "https://api.deepseek.com/chat/completions"],
    ["/deepseek/v1/chat/completions", "https://api.deepseek.com/v1/chat/completions"],
    ["/deepseek/anthropic/v1/messages", "https://api.deepseek.com/anthropic/v1/messages"],
    ["/openrouter/api/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"],
    ["/openrouter/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"],
    ["/openrouter/chat/completions", "https://openrouter.ai/api/v1/chat/completions"],
    ["/xai/v1/chat/completions", "https://api.x.ai/v1/chat/completions"],
    ["/cerebras/v1/tcp_warming", "https://api.cerebras.ai/v1/tcp_warming"],
    ["/replicate/v1/predictions/p", "https://api.replicate.com/v1/predictions/p"],
    ["/replicate/predictions/p", "https://api.replicate.com/v1/predictions/p"],
    ["/replicate/hosts/stream.replicate.com/v1/files/f", "https://stream.replicate.com/v1/files/f"],
    ["/voyage/v1/embeddings", "https://api.voyageai.com/v1/embeddings"],
    ["/voyage/embeddings", "https://api.voyageai.com/v1/embeddings"],
    ["/jina/v1/embeddings", "https://api.jina.ai/v1/embeddings"],
    ["/jina/rerank", "https://api.jina.ai/v1/rerank"],
    ["/jina/v1/chat/completions", "https://deepsearch.jina.ai/v1/chat/completions"],
    ["/jina/reader", "https://r.jina.ai"],
    ["/jina/search/?q=x", "https://s.jina.ai/?q=x"],
    ["/elevenlabs/v1/text-to-speech/v/stream", "https://api.elevenlabs.io/v1/text-to-speech/v/stream"],
    ["/elevenlabs/v2/voices", "https://api.elevenlabs.io/v2/voices"],
    ["/deepgram/v1/listen?model=nova-3", "https://api.deepgram.com/v1/listen?model=nova-3"],
    ["/deepgram/v2/listen", "https://api.deepgram.com/v2/listen"],
    ["/deepgram/v1/agent/settings/think/models", "https://agent.deepgram.com/v1/agent/settings/think/models"],
    ["/assemblyai/v2/transcript", "https://api.assemblyai.com/v2/transcript"],
    ["/assemblyai/lemur/v3/generate/task", "https://api.assemblyai.com/lemur/v3/generate/task"],
    ["/assemblyai/v3/ws", "https://streaming.assemblyai.com/v3/ws"],
    ["/assemblyai/v1/chat/completions", "https://llm-gateway.assemblyai.com/v1/chat/completions"],
    ["/assemblyai/sync/v1/transcribe", "https://sync.assemblyai.com/v1/transcribe"],
    ["/tavily/search", "https://api.tavily.com/search"],
    ["/vectara/v2/corpora/c/query", "https://api.vectara.io/v2/corpora/c/query"],
    ["/vectara/query", "https://api.vectara.io/v2/query"],
    ["/vectara/v1/query", "https://api.vectara.io/v1/query"],
  ];
  for (const [path, url] of calls) test(path, () => expect(sent(path)).toBe(url));

  test("each provider is among them, with and without what an SDK may leave out", () => {
    const named = new Set(calls.map(([path]) => path.split("/")[1]));
    const own = ["anthropic", "ollama", "vllm", "llamacpp", "box"];
    expect(providers.map(({ id }) => id).filter((id) => !named.has(id) && !own.includes(id))).toEqual([]);
  });

  test("an address that an administrator has set is used for every path", () => {
    for (const provider of providers) {
      const stand = new Map([[provider.id, createUpstream(provider, "http://127.0.0.1:4010")]]);
      for (const [path] of calls) {
        if (!path.startsWith(`/${provider.id}/`)) continue;
        expect(findRoute(gateway + path, stand).at.base).toBe("http://127.0.0.1:4010");
      }
    }
  });

  test("a path without project and location gets the service account's, and its location's host", () => {
    const models = "publishers/google/models/gemini-2.5-flash";
    for (const [location, host] of [
      ["global", "https://aiplatform.googleapis.com"],
      ["eu", "https://aiplatform.eu.rep.googleapis.com"],
      ["europe-west4", "https://europe-west4-aiplatform.googleapis.com"],
    ] as const) {
      const known = providerOf("vertex");
      const accountPath = { ...(known.accountPath as AccountPathRule), location };
      const vertex = createUpstream({ ...known, accountPath }, known.upstream ?? "");
      const account = known.credential.mint?.account?.('{"project_id":"a-project"}') ?? "";
      vertex.pool.replace([{ id: "c", name: "c", secret: "x", masked: "x", weight: 1, account }]);
      const both = new Map([...upstreams, ["vertex", vertex]]);
      const sent = (path: string) => {
        const { at, path: rest, query, endpoint } = findRoute(gateway + path, both);
        return [at.base + rest + query, endpoint];
      };
      const part = `projects/a-project/locations/${location}`;
      for (const prefix of ["/vertex", "/gemini"]) {
        expect(sent(`${prefix}/v1beta1/${models}:streamGenerateContent?alt=sse`)).toEqual([
          `${host}/v1beta1/${part}/${models}:streamGenerateContent?alt=sse`,
          `/${part}/${models}:streamgeneratecontent`,
        ]);
      }
      expect(sent(`/vertex/${models}%3AcountTokens`)[0]).toBe(`${host}/v1/${part}/${models}%3AcountTokens`);
      const whole = `/v1/projects/p/locations/us/${models}:generateContent`;
      expect(sent(`/vertex${whole}`)[0]).toBe(`https://aiplatform.us.rep.googleapis.com${whole}`);
      // Google lists models without a project.
      expect(sent(`/vertex/v1/${models}`)[0]).toBe(`https://aiplatform.googleapis.com/v1/${models}`);
    }
    for (const project of ["../x", "a/b", "a?b", "", 7, null])
      expect(
        providerOf("vertex").credential.mint?.account?.(JSON.stringify({ project_id: project })),
      ).toBeUndefined();
  });

  test("a host for streams is Replicate's own", () => {
    for (const host of [
      "evil.example",
      "stream.replicate.com.evil.example",
      "stream.evil.com%23.replicate.com",
    ]) {
      expect(sent(`/replicate/hosts/${host}/x`)).toStartWith("https://api.replicate.com/v1/hosts/");
    }
  });

  test("an encoded slash is taken where ids have one, and never makes a dot segment", () => {
    for (const path of [
      "/groq/models/..%2f..%2fx",
      "/groq/models/a%2f%2e%2e%2f%2e%2e%2fx",
      "/groq/models/a%2f.",
      "/groq/models/a%2%2f5cx",
      "/groq/files/a%2fb",
      "/openai/models/a%2fb",
      "/huggingface/api/models/a%2fb",
    ]) {
      expect(() => sent(path)).toThrow(Refusal);
    }
  });
});

test("ids are unique and can stand in a path, names and variables are there", () => {
  expect(new Set(providers.map(({ id }) => id)).size).toBe(providers.length);
  for (const { id, name, credential, upstream } of providers) {
    expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(name).not.toBe("");
    for (const variable of credential.env) expect(variable).toMatch(/^[A-Z][A-Z0-9_]*$/);
    if (upstream !== undefined && id !== "box")
      expect(upstream).toMatch(/^https:\/\/[a-z0-9.-]+(\/[a-z0-9/]+)?$/);
  }
});

test("a task asked at a dedicated endpoint's very address is metered", () => {
  for (const path of ["/hf-lab", "/hf-lab/"]) {
    expect(findRoute(gateway + path, upstreams).meter?.method).toBe("POST");
  }
});

test("the model that an upload to Azure names is read, with a deployment in the path or without", () => {
  const { modelForms } = providerOf("azure");
  for (const path of ["/openai/deployments/d/audio/transcriptions", "/openai/v1/audio/transcriptions"]) {
    const { endpoint } = findRoute(`${gateway}/azure${path}`, upstreams);
    expect(modelForms.some((form) => form.test(endpoint))).toBe(true);
  }
});

describe("a call's model", () => {
  const calls: readonly (readonly [path: string, model: string])[] = [
    ["/gemini/v1beta/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash"],
    ["/gemini/models/gemini-2.5-flash%3AcountTokens", "gemini-2.5-flash"],
    ["/gemini/v1beta/openai/chat/completions", "of-the-body"],
    ["/vertex/v1/projects/p/locations/l/publishers/anthropic/models/claude@2:rawPredict", "claude@2"],
    ["/azure/openai/deployments/My-Model/chat/completions?api-version=2024-10-21", "My-Model"],
    ["/azure/openai/v1/responses", "of-the-body"],
    ["/gemini/v1beta/tunedModels/mine:generateContent", "tunedModels/mine"],
    ["/vertex/v1/projects/p/locations/l/endpoints/123:predict", "endpoints/123"],
    ["/huggingface/hf-inference/models/org/name", "org/name"],
    ["/huggingface/hf-inference/models/org%2Fname/pipeline/feature-extraction", "org/name"],
    ["/huggingface/models/org/name", "org/name"],
    ["/huggingface/fal-ai/fal-ai/flux/dev", "fal-ai/flux/dev"],
    ["/huggingface/v1/chat/completions", "of-the-body"],
    ["/replicate/v1/models/acme/m/predictions", "acme/m"],
    ["/fireworks/inference/v1/workflows/accounts/a/models/m/text_to_image", "accounts/a/models/m"],
    ["/openai/v1/chat/completions", "of-the-body"],
    ["/elevenlabs/v1/text-to-speech/v", "called-otherwise"],
    ["/deepgram/v1/speak?model=of-the-query", "of-the-query"],
  ];
  for (const [path, model] of calls) {
    test(`is ${model} at ${path}`, async () => {
      const body = '{"model":"of-the-body","model_id":"called-otherwise"}';
      const headers = { "content-type": "application/json", "content-length": String(body.length) };
      const request = new Request(gateway + path, { method: "POST", headers, body });
      const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
      await authorise(request, findRoute(request.url, upstreams), exchange, []);
      expect(exchange.model).toBe(model);
    });
  }
});

test("a model that ElevenLabs' query names as its own is the body's, or the call is refused", async () => {
  for (const [query, model] of [
    ["?model_id=a", "a"],
    ["?model=b", "a"],
    ["?model_id=b", "bad_request"],
  ] as const) {
    const body = '{"model_id":"a"}';
    const headers = { "content-type": "application/json", "content-length": String(body.length) };
    const url = `${gateway}/elevenlabs/v1/text-to-speech/v/stream${query}`;
    const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
    const request = new Request(url, { method: "POST", headers, body });
    const outcome = await authorise(request, findRoute(url, upstreams), exchange, []).then(
      () => exchange.model,
      (refusal: Refusal) => refusal.code,
    );
    expect([query, outcome]).toEqual([query, model]);
  }
});

describe("a body of no stated type", () => {
  const take = async (path: string, text: string) => {
    const body = Buffer.from(text);
    const headers = { "content-length": String(body.length) };
    const request = new Request(gateway + path, { method: "POST", headers, body });
    const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
    const call = await authorise(request, findRoute(request.url, upstreams), exchange, []);
    return [await new Response(call.body).text(), exchange.model];
  };
  const picture = "{ a picture that begins so";
  const files = ['{"a": [', picture, '{"model":"a","model":"b"}', "RIFF"];
  const json = '{"model":"gpt2","inputs":"x"}';

  test("is a file where files are sent so, and JSON where it is JSON", async () => {
    for (const path of ["/huggingface/models/a/b", "/huggingface/hf-inference/models/a/b"]) {
      for (const sent of [...files, json]) expect(await take(path, sent)).toEqual([sent, "a/b"]);
    }
    for (const path of ["/hf-lab", "/hf-lab/"]) {
      for (const file of files) expect(await take(path, file)).toEqual([file, null]);
      expect(await take(path, json)).toEqual([json, "gpt2"]);
    }
    expect(await take("/deepgram/v1/listen?model=nova-3", picture)).toEqual([picture, "nova-3"]);
  });

  test("is refused elsewhere where it is no clear JSON", async () => {
    for (const path of ["/openai/v1/x", "/huggingface/v1/chat/completions", "/hf-lab/v1/chat/completions"]) {
      for (const file of files.slice(0, 3))
        await expect(take(path, file)).rejects.toThrow("cannot be read for certain");
      expect(await take(path, json)).toEqual([json, "gpt2"]);
    }
  });

  test("that is stated is what it is said to be, at those endpoints, too", async () => {
    const headers = { "content-type": "application/json", "content-length": "7" };
    const request = new Request(`${gateway}/hf-lab`, { method: "POST", headers, body: '{"a": [' });
    const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
    await expect(authorise(request, findRoute(request.url, upstreams), exchange, [])).rejects.toThrow(
      "for certain",
    );
  });
});

test("a file that is sent to Gemini as JSON is no request that could name a model", async () => {
  const body = '{"model":"a"}\n{"model":"b"}\n';
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  const url = `${gateway}/gemini/upload/v1beta/files?upload_id=u`;
  const exchange = new Exchange("id", "POST", 0, null, 0, 1000);
  const call = await authorise(
    new Request(url, { method: "POST", headers, body }),
    findRoute(url, upstreams),
    exchange,
    [],
  );
  expect(await new Response(call.body).text()).toBe(body);
  expect(exchange.model).toBeNull();
});

describe("the real key", () => {
  const secret = "PLANTED-0123456789";
  const places: Record<string, readonly [string, string]> = {
    anthropic: ["x-api-key", secret],
    gemini: ["x-goog-api-key", secret],
    azure: ["api-key", secret],
    elevenlabs: ["xi-api-key", secret],
    deepgram: ["authorization", `Token ${secret}`],
    assemblyai: ["authorization", secret],
    vectara: ["x-api-key", secret],
  };
  for (const { id, credential } of providers) {
    test(`of ${id} stands where its API reads it`, () => {
      const expected = places[id] ?? ["authorization", `Bearer ${secret}`];
      expect(credential.place(secret, new Headers(), credential.probe)).toEqual(expected);
    });
  }

  test("is no place of its own for a credential that tokens are made of", () => {
    for (const { id, credential } of providers) {
      const json = '{"client_id":"i","client_secret":"s"}';
      if (credential.mint === undefined || id === "vertex") continue;
      expect(credential.mint.request(json, "https://auth.test", 0)).toEqual({
        name: "i",
        url: "https://auth.test/oauth2/token",
        contentType: "application/x-www-form-urlencoded",
        body: "client_id=i&client_secret=s&grant_type=client_credentials",
      });
      expect(credential.mint.request("zut_plain_key", "https://auth.test", 0)).toBeUndefined();
      expect(() => credential.mint?.request('{"client_id":"i"}', "", 0)).toThrow(UnusableCredential);
    }
  });

  test("of Gemini is a bearer token where it imitates OpenAI", () => {
    const { place } = providerOf("gemini").credential;
    for (const path of ["/v1beta/openai/chat/completions", "/v1/openai/models"]) {
      expect(place(secret, new Headers(), path)).toEqual(["authorization", `Bearer ${secret}`]);
    }
  });

  test("is sent to no host that only delivers", () => {
    const url = `${gateway}/replicate/hosts/stream-b.svc.ric1.c.replicate.net/v1/streams/s`;
    expect(findRoute(url, upstreams).withoutKey).toBe(true);
  });
});

describe("endpoints that hand out credentials are refused", () => {
  const denied = [
    "/openai/v1/realtime/client_secrets",
    "/openai/organization/admin_api_keys",
    "/anthropic/v1/organizations/api_keys",
    "/cohere/v1/connectors/c/oauth/authorize",
    "/huggingface/api/whoami-v2",
    "/huggingface/api/settings/tokens",
    "/huggingface/api/models",
    "/perplexity/generate_auth_token",
    "/gemini/v1alpha/auth_tokens",
    "/gemini/v1beta/authTokens",
    "/gemini/v1beta/credentials/c",
    "/azure/openai/v1/realtime/client_secrets",
    "/azure/openai/realtimeapi/sessions",
    "/openai/v1/realtime/sessions?api-version=preview",
    "/mistral/v1/connectors/c/credentials",
    "/fireworks/v1/accounts/a/users/u/apiKeys",
    "/fireworks/v1/accounts/a/secrets",
    "/openrouter/api/v1/keys",
    "/openrouter/v1/auth/keys",
    "/xai/v1/realtime/client_secrets",
    "/replicate/v1/webhooks/default/secret",
    "/elevenlabs/v1/user",
    "/elevenlabs/v1/single-use-token/realtime_scribe",
    "/elevenlabs/v1/convai/conversation/get-signed-url",
    "/elevenlabs/v1/service-accounts/s/api-keys",
    "/deepgram/v1/auth/grant",
    "/deepgram/v1/projects/p/keys",
    "/deepgram/v1/projects/p/self-hosted/distribution/credentials",
    "/assemblyai/v3/token",
    "/assemblyai/v2/realtime/token",
    "/tavily/generate-keys",
    "/vectara/v2/api_keys",
    "/vectara/v2/app_clients",
    "/vectara/v1/create-api-key",
    "/vertex/oauth2/token",
    "/together/v1/deployments/secrets",
    "/together/v1/deployments/d",
    "/together/v1/projects",
    "/together/v2/projects/p/endpoints",
    "/together/v2/organizations/o/models",
    "/together/v1/billing/usage",
    "/together/v1/compute/clusters",
    "/together/v1/api-keys",
  ];
  for (const path of denied) {
    test(path, async () => {
      for (const spelling of spellings(path)) {
        for (const method of ["GET", "POST", "DELETE"]) {
          expect([spelling, method, await outcome(method, spelling)]).toEqual([
            spelling,
            method,
            "endpoint_not_allowed",
          ]);
        }
      }
    });
  }

  test("and what only resembles one is not", async () => {
    for (const path of [
      "/elevenlabs/v1/user/subscription",
      "/vectara/v2/corpora",
      "/gemini/v1beta/models/auth_tokens:generateContent",
      "/huggingface/api/models/google/gemma",
      "/openrouter/models",
      "/tavily/search",
      "/together/v1/models",
      "/together/v1/files/projects",
    ]) {
      expect([path, await outcome("GET", path)]).toEqual([path, "allowed"]);
    }
    expect(await outcome("POST", "/huggingface/api/models/google/gemma")).toBe("endpoint_not_allowed");
  });

  /** The same path as others may write it; the provider's id stays. */
  function spellings(path: string): string[] {
    const [, id = "", ...rest] = path.split("/");
    const [, ...versionless] = rest;
    const encode = (text: string) => `%${text.charCodeAt(0).toString(16)}${text.slice(1)}`;
    const plain = rest.join("/");
    const [bare = "", query = ""] = plain.split("?");
    const tail = query === "" ? "" : `?${query}`;
    const all = [
      plain,
      `${bare}/${tail}`,
      `/${plain}`,
      rest.map((segment) => (segment.includes("?") ? segment : encode(segment))).join("/"),
      bare.toUpperCase() + tail,
      `${bare};a=b${tail}`,
      rest.join("//"),
      `x/../${plain}`,
    ];
    if (/^v\d/.test(rest[0] ?? "")) all.push([encode(rest[0] ?? ""), ...versionless].join("/"));
    return all.map((text) => `/${id}/${text}`);
  }

  async function outcome(method: string, path: string): Promise<string> {
    const request = new Request(gateway + path, { method });
    const exchange = new Exchange("id", method, 0, null, 0, 1000);
    try {
      await authorise(request, findRoute(request.url, upstreams), exchange, []);
      return "allowed";
    } catch (error) {
      return (error as Refusal).code;
    }
  }
});

describe("a refusal has the shape that the provider's SDKs parse", () => {
  const message = "No money left.";
  const google = { code: 402, message, status: "RESOURCE_EXHAUSTED" };
  const openai = { error: { message, type: "billing_error", param: null, code: "budget_exhausted" } };
  const shapes: Record<string, unknown> = {
    anthropic: { type: "error", error: { type: "billing_error", message }, request_id: "r1" },
    cohere: { message },
    huggingface: { error: message },
    "hf-lab": { error: message },
    gemini: { error: google },
    vertex: { error: google },
    mistral: { object: "error", message },
    openrouter: { error: { code: 402, message } },
    replicate: { status: 402, detail: message },
    voyage: { detail: message },
    jina: { detail: message },
    elevenlabs: { detail: { message } },
    deepgram: { err_msg: message, request_id: "r1" },
    assemblyai: { error: message },
    ollama: { error: message },
    tavily: { detail: { error: message } },
    vectara: { messages: [message], request_id: "r1" },
  };
  for (const provider of providers) {
    test(provider.id, async () => {
      const response = refusalResponse(new Refusal("budget_exhausted", message), provider, "r1", "POST");
      expect(response.status).toBe(402);
      expect(response.headers.get("x-should-retry")).toBe("false");
      expect(await response.json()).toMatchObject((shapes[provider.id] ?? openai) as object);
    });
  }

  test("and a status that its SDKs stop at", () => {
    const status = (id: string, code: RefusalCode) =>
      refusalResponse(new Refusal(code, "x"), providerOf(id), "r", "GET").status;
    for (const id of ["huggingface", "hf-lab"]) {
      expect(status(id, "shutting_down")).toBe(500);
      expect(status(id, "storage_unavailable")).toBe(500);
      expect(status(id, "credential_rejected")).toBe(500);
    }
    expect(status("openrouter", "credential_rejected")).toBe(424);
    expect(status("openai", "credential_rejected")).toBe(502);
  });
});

test("the probe of each is a path that the gateway would send as it is", () => {
  for (const { id, credential, version } of providers) {
    const { path, at, query } = findRoute(`${gateway}/${id}${credential.probe}`, upstreams);
    expect(path + query).toBe(credential.probe);
    expect(at.base).toStartWith("http");
    if (version.kind === "in-base") expect(credential.probe).not.toStartWith(`${version.prefix}/`);
  }
});

test("the name and path of each exported variable can be written down", () => {
  for (const { client } of providers) {
    for (const key of client.keys)
      expect(typeof key === "string" ? key : key.name).toMatch(/^[A-Z][A-Z0-9_]*$/);
    for (const [name, path] of client.bases) {
      expect(name).toMatch(/^[A-Z][A-Z0-9_]*$/);
      expect(path).toMatch(/^(\/[a-z0-9]+)*$/);
    }
  }
});

function providerOf(id: string) {
  const provider = providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Error(`There is no provider ${id}.`);
  return provider;
}
