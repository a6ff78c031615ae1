/** What one user has made at a provider is not there for the others, unless a policy says so. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import OpenAI, { NotFoundError } from "openai";
import { startGateway } from "../support/gateway.ts";
import { openaiPage, startKeeper } from "../support/object-keeper.ts";

const collection = (path: string, prefix: string, more: object = {}) => ({
  path: `/v1${path}`,
  prefix,
  shape: (id: string, body: Record<string, unknown>) => ({ id, ...more, metadata: body["metadata"] ?? null }),
  page: openaiPage,
});

const keeper = await startKeeper(
  [
    collection("/files", "file-", { object: "file" }),
    {
      ...collection("/batches", "batch_"),
      shape: (id) => ({ id, object: "batch", status: "completed", output_file_id: `file-out-${id}` }),
    },
    collection("/vector_stores", "vs_"),
    collection("/threads", "thread_"),
    collection("/responses", "resp_", { object: "response", output: [] }),
    collection("/conversations", "conv_"),
  ],
  (request, url, body) => {
    if (url.pathname === "/v1/chat/completions") {
      return Response.json({ id: "c", object: "chat.completion", choices: [] });
    }
    if (url.pathname.startsWith("/v1/files/file-out-")) return Response.json({ id: "out" });
    if (request.method !== "POST" || url.pathname !== "/v1/responses") return undefined;
    if (!body.includes('"stream":true')) return undefined;
    const response = keeper.put("/v1/responses");
    const events = [
      { type: "response.created", response },
      { type: "response.completed", response },
    ];
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
    return new Response(text, { headers: { "content-type": "text/event-stream" } });
  },
);

const gateway = await startGateway({
  env: { OPENAI_API_KEY: "sk-test-fake-ownership-0123456789", LMK_OPENAI_UPSTREAM: `${keeper.origin}/v1` },
});
await gateway.api("POST", "/groups", { name: "research" });
const ada = await gateway.addUser("ada", "research");
const ben = await gateway.addUser("ben", "research");
const eve = await gateway.addUser("eve");

const clientOf = (secret: string) =>
  new OpenAI({ apiKey: secret, baseURL: `${gateway.url}/openai/v1`, maxRetries: 0 });
const [asAda, asBen, asEve] = [clientOf(ada.secret), clientOf(ben.secret), clientOf(eve.secret)];

const upload = async (client: OpenAI) =>
  client.files.create({ file: new File(["{}"], "x.jsonl"), purpose: "batch" });
const all = async <T>(pages: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
};
const idsOf = async (pages: AsyncIterable<{ id: string }>) => (await all(pages)).map(({ id }) => id);

/** Refused by the gateway, as if there were no such thing; the provider was not asked. */
async function isMissing(call: () => Promise<unknown>): Promise<void> {
  const before = keeper.asked.length;
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NotFoundError);
  expect((error as NotFoundError).headers?.get("x-llamakey-refusal")).toBe("object_not_found");
  expect(keeper.asked).toHaveLength(before);
}

const share = (scope: string, sharing: string) =>
  gateway.api("PUT", `/policies/${encodeURIComponent(scope)}`, { sharing });

beforeEach(() => {
  for (const objects of keeper.kept.values()) objects.length = 0;
});
afterEach(async () => {
  await gateway.api("POST", "/policies/apply", { document: {}, prune: true });
});

describe("by default, what a user has made is that user's alone", () => {
  test("to read, to list, to delete", async () => {
    const mine = await upload(asAda);
    const theirs = await upload(asBen);
    expect((await asAda.files.retrieve(mine.id)).id).toBe(mine.id);
    await asAda.files.content(mine.id);
    await isMissing(() => asAda.files.retrieve(theirs.id));
    await isMissing(() => asAda.files.content(theirs.id));
    await isMissing(() => asAda.files.delete(theirs.id));
    expect(await idsOf(asAda.files.list())).toEqual([mine.id]);
    expect(await idsOf(asBen.files.list())).toEqual([theirs.id]);
    expect(await idsOf(asEve.files.list())).toEqual([]);
    expect((await asAda.files.delete(mine.id)).deleted).toBe(true);
    expect(keeper.kept.get("/v1/files")?.map(({ id }) => id)).toEqual([theirs.id]);
  });

  test("with all keys of theirs, and whatever becomes of the one that it was made with", async () => {
    const mine = await upload(asAda);
    const other = await gateway.addKey("ada", "other");
    const asOther = clientOf(other.secret);
    expect((await asOther.files.retrieve(mine.id)).id).toBe(mine.id);
    const alsoMine = await upload(asOther);
    await gateway.api("PATCH", `/keys/${other.key.id}`, { revoked: true });
    expect((await asAda.files.retrieve(alsoMine.id)).id).toBe(alsoMine.id);
    expect(await idsOf(asAda.files.list())).toEqual([alsoMine.id, mine.id]);
  });

  test("after the gateway was killed, too", async () => {
    const mine = await upload(asAda);
    await gateway.kill();
    await gateway.start();
    expect((await asAda.files.retrieve(mine.id)).id).toBe(mine.id);
    await isMissing(() => asBen.files.retrieve(mine.id));
  });

  test("to be used in what is asked", async () => {
    const theirs = await upload(asBen);
    const store = await asBen.vectorStores.create({});
    const response = await asBen.responses.create({ model: "gpt-5", input: "hi" });
    const conversation = await asBen.conversations.create({});
    const ask = (more: object) => () => asAda.responses.create({ model: "gpt-5", input: "x", ...more });
    const file = [{ role: "user", content: [{ type: "input_file", file_id: theirs.id }] }];
    await isMissing(ask({ input: file }));
    await isMissing(ask({ previous_response_id: response.id }));
    await isMissing(ask({ conversation: conversation.id }));
    await isMissing(ask({ conversation: { id: conversation.id } }));
    await isMissing(ask({ tools: [{ type: "file_search", vector_store_ids: [store.id] }] }));
    await isMissing(() =>
      asAda.batches.create({
        input_file_id: theirs.id,
        endpoint: "/v1/responses",
        completion_window: "24h",
      }),
    );
    await isMissing(() => asAda.vectorStores.create({ file_ids: [theirs.id] }));
    await isMissing(() =>
      asAda.chat.completions.create({
        model: "gpt-5",
        messages: [{ role: "user", content: [{ type: "file", file: { file_id: theirs.id } }] }],
      }),
    );
    const own = await upload(asAda);
    await asAda.vectorStores.create({ file_ids: [own.id], metadata: { file_id: "anything" } });
    // What Codex tells of itself; the SDK has no name for it.
    const metadata = { client_metadata: { thread_id: "01a2", session_id: "01a2" } };
    await asAda.responses.create({ model: "gpt-5", input: "hi", ...metadata });
  });

  test("and so is what came of it", async () => {
    const batch = await asAda.batches.create({
      input_file_id: (await upload(asAda)).id,
      endpoint: "/v1/responses",
      completion_window: "24h",
    });
    await asAda.files.content(`file-out-${batch.id}`);
    await isMissing(() => asBen.files.content(`file-out-${batch.id}`));
  });

  test("of a stream, too", async () => {
    const stream = await asAda.responses.create({ model: "gpt-5", input: "hi", stream: true });
    const [first] = await all(stream);
    const { id } = (first as { response: { id: string } }).response;
    expect((await asAda.responses.retrieve(id)).id).toBe(id);
    await isMissing(() => asBen.responses.retrieve(id));
  });

  test("and what nobody here has made is nobody's", async () => {
    const { id } = keeper.put("/v1/files") as { id: string };
    await isMissing(() => asAda.files.retrieve(id));
    expect(await idsOf(asAda.files.list())).toEqual([]);
    await share("user:ada", "all");
    expect((await asAda.files.retrieve(id)).id).toBe(id);
    expect(await idsOf(asAda.files.list())).toEqual([id]);
    // Looking at it does not make it hers.
    await share("user:ada", "own");
    await isMissing(() => asAda.files.retrieve(id));
  });
});

describe("lists", () => {
  test("go on behind pages that have nothing of the caller's", async () => {
    const first = await upload(asAda);
    for (let n = 0; n < 7; n++) await upload(asBen);
    const last = await upload(asAda);
    for (let n = 0; n < 5; n++) await upload(asBen);
    expect(await idsOf(asAda.files.list({ limit: 2 }))).toEqual([last.id, first.id]);
    expect(await idsOf(asBen.files.list({ limit: 2 }))).toHaveLength(12);
    expect(await idsOf(asEve.files.list({ limit: 2 }))).toEqual([]);
  });
});

describe("a policy may share", () => {
  test("with the group", async () => {
    await share("group:research", "group");
    const mine = await upload(asAda);
    expect((await asBen.files.retrieve(mine.id)).id).toBe(mine.id);
    expect(await idsOf(asBen.files.list())).toEqual([mine.id]);
    await isMissing(() => asEve.files.retrieve(mine.id));
    expect(await idsOf(asEve.files.list())).toEqual([]);
    await asBen.files.delete(mine.id);
  });

  test("with all, and the strictest scope wins", async () => {
    await share("organisation", "all");
    const mine = await upload(asAda);
    expect((await asEve.files.retrieve(mine.id)).id).toBe(mine.id);
    expect(await idsOf(asEve.files.list())).toEqual([mine.id]);
    await share("user:eve", "group");
    await isMissing(() => asEve.files.retrieve(mine.id));
  });
});
