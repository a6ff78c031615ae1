import { expect, test } from "bun:test";
import { costFixtures } from "../../test/support/cost-fixtures.ts";
import { plausibleRequest } from "../../test/support/plausible-requests.ts";
import { PriceBook } from "../pricing/book.ts";
import { bundledSnapshot } from "../pricing/bundled.ts";
import { type Ceiling, ceilingFor } from "../pricing/ceiling.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { authorise } from "./authorise.ts";
import { Exchange } from "./exchange.ts";
import { findRoute } from "./route.ts";
import { createUpstream } from "./upstreams.ts";

const GATEWAY = "http://gateway.example";
const upstreams = new Map(
  knownProviders.map((provider) => [
    provider.id,
    createUpstream(provider, provider.upstream ?? `https://${provider.id}.test`),
  ]),
);
const free = knownProviders.filter(({ pricing }) => pricing === "free");
const book = new PriceBook(bundledSnapshot(), {
  defaults: Object.fromEntries(free.map(({ id }) => [id, { kind: "free" }])),
});

/** What is refused under a budget, because nobody can say before what it costs. */
const REFUSED: Readonly<Record<string, Ceiling["kind"]>> = {
  // Other models take part.
  "anthropic-advisor": "unbounded",
  "anthropic-fallback": "unbounded",
  "groq-compound": "unpriced",
  // A deployment's name, which an administrator gives a model.
  "azure-chat": "unpriced",
  // No list has these: the answer says what it cost.
  "openrouter-image": "unpriced",
  "perplexity-responses": "unpriced",
  "xai-image": "unpriced",
};
/** An example of its documentation with a made-up bill: $19.95 for two tokens. */
const MADE_UP = "openrouter-byok";

const requests = costFixtures.flatMap((fixture) => {
  const request = plausibleRequest(fixture);
  return request === null ||
    fixture.costNanos === null ||
    fixture.provider.startsWith("hf-") ||
    fixture.name === MADE_UP
    ? []
    : [[fixture.name, fixture, request] as const];
});

test.each(requests)(
  "%s costs no more than its request said at most",
  async (name, fixture, { path, body }) => {
    const ceiling = await ceilingOfRequest(`/${fixture.provider}${path}`, body, fixture.at);
    expect([name, ceiling.kind]).toEqual([name, REFUSED[name] ?? "bounded"]);
    if (ceiling.kind !== "bounded") return;
    expect(ceiling.nanos).toBeGreaterThanOrEqual(fixture.costNanos ?? 0n);
  },
);

test("are tried for most answers that have a price", () => {
  expect(requests.length).toBeGreaterThan(40);
});

async function ceilingOfRequest(path: string, body: object, at: number): Promise<Ceiling> {
  const request = new Request(GATEWAY + path, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": "1" },
    body: JSON.stringify(body),
  });
  const route = findRoute(request.url, upstreams);
  const exchange = new Exchange("id", "POST", at, null, 0, 1000);
  const { demand } = await authorise(request, route, exchange, []);
  return ceilingFor(book, { provider: route.upstream.provider.id, model: exchange.model ?? "", at }, demand);
}
