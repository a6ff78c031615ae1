import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { NamedProvider } from "../domain/named-provider.ts";
import { Conflict } from "../domain/store.ts";
import { namedId, takenIds } from "../providers/named.ts";
import { TestResult } from "./credentials.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Name, Ref } from "./schemas.ts";

const ProviderView = z
  .object({
    id: z.string(),
    name: z.string(),
    upstream: z.string(),
    source: z
      .enum(["built_in", "environment", "stored"])
      .describe("Who named it: LlaMaKey itself, the environment, or somebody by this API."),
    credentials: z.number(),
    ready: z.boolean().describe("It has the credential that it needs, or needs none."),
    objectKinds: z
      .array(z.string())
      .describe("What it keeps in the account of its key, as `/objects` calls it: `file`, `batch`..."),
    unlisted: z.string().nullable().describe("What no list has a price for, and why."),
  })
  .openapi("Provider");

const ProviderInput = z.strictObject({
  kind: z
    .enum(["server", "huggingface_endpoint"])
    .default("server")
    .describe("A server that speaks OpenAI's API, or a dedicated Inference Endpoint of Hugging Face's."),
  id: z
    .string()
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, "must be lower-case letters and digits, with single hyphens between")
    .max(40)
    .describe("Its paths begin with it: `/lab/v1/...`. Endpoints get `hf-` in front."),
  name: Name.optional().describe("For people; the id without."),
  upstream: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .refine((text) => isPlainUrl(text), "must have no user name, password, query or fragment")
    .describe("Its address, with the version for a server: `https://models.example.com/v1`."),
  allowPrivate: z.boolean().default(false).describe("It may be in a network of your own, and without TLS."),
});

const list = createRoute({
  ...needs("providers.read"),
  method: "get",
  path: "/providers",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(pageOf(ProviderView), "Providers that requests can be sent to") },
});
const show = createRoute({
  ...needs("providers.read"),
  method: "get",
  path: "/providers/{ref}",
  request: { params: Ref },
  responses: { 200: json(ProviderView, "The provider with this id") },
});
const add = createRoute({
  ...needs("providers.write", { stepUp: true }),
  method: "post",
  path: "/providers",
  request: { body: jsonBody(ProviderInput) },
  responses: { 201: json(ProviderView, "The new provider, which can be called from now on") },
});
const remove = createRoute({
  ...needs("providers.write"),
  method: "delete",
  path: "/providers/{ref}",
  request: { params: Ref },
  responses: { 204: { description: "It can be called no more; calls under way end as they would have" } },
});
const test = createRoute({
  ...needs("providers.write"),
  method: "post",
  path: "/providers/{ref}/test",
  request: { params: Ref },
  responses: { 200: json(TestResult, "What it said to a call that costs nothing") },
});

export function providers(parts: AdminParts): AdminApp {
  const { store, clock, addresses, credentials, providersChanged } = parts;
  const app = resource();
  const find = (ref: string) => {
    const found = parts.providers().find(({ id }) => id === ref);
    if (found === undefined) throw notFound("provider", ref);
    return found;
  };

  app.openapi(list, (c) =>
    c.json(
      paged(parts.providers(), ({ id }) => [id], c.req.valid("query")),
      200,
    ),
  );
  app.openapi(show, (c) => c.json(find(c.req.valid("param").ref), 200));
  app.openapi(add, async (c) => {
    const { kind, upstream, allowPrivate, ...input } = c.req.valid("json");
    const id = namedId(kind, input.id);
    if (takenIds.has(id) || parts.providers().some((known) => known.id === id))
      throw new Conflict(`"${id}" is taken; choose another id.`);
    const problem = await addresses.problemOf("The provider's", upstream, allowPrivate);
    if (problem !== undefined) throw new HTTPException(422, { message: problem });
    const provider: NamedProvider = {
      id,
      kind,
      name: input.name ?? id,
      upstream: upstream.replace(/\/+$/, ""),
      allowPrivate,
      createdAt: clock.now(),
    };
    await store.audited(c.var.source, "addProvider", provider);
    await providersChanged();
    return c.json(find(id), 201);
  });
  app.openapi(remove, async (c) => {
    const { id, source } = find(c.req.valid("param").ref);
    if (source !== "stored") {
      const where =
        source === "environment" ? "in the environment that the gateway starts with" : "in LlaMaKey";
      throw new HTTPException(409, {
        message: `The provider "${id}" is named ${where}; it is removed there.`,
      });
    }
    if (!(await store.audited(c.var.source, "removeProvider", id))) throw notFound("provider", id);
    await providersChanged();
    return c.body(null, 204);
  });
  app.openapi(test, async (c) => {
    const { ref } = c.req.valid("param");
    const result = await credentials.testProvider(c.var.source, ref);
    if (result === null) throw notFound("provider", ref);
    return c.json(result, 200);
  });
  return app;
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === "");
}
