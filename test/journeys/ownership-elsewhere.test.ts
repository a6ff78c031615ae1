/** Whose things are at Anthropic and Gemini, whose lists have other shapes; and what an administrator decides. */
import { describe, expect, test } from "bun:test";
import Anthropic, { NotFoundError } from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { root, startGateway } from "../support/gateway.ts";
import { startKeeper } from "../support/object-keeper.ts";

/** Anthropic's pages, newest first. */
const anthropicPage = (objects: readonly Record<string, unknown>[], query: URLSearchParams) => {
  const after = query.get("after_id");
  const from = after === null ? 0 : objects.findIndex(({ id }) => id === after) + 1;
  const limit = Number(query.get("limit") ?? 20);
  const data = objects.slice(from, from + limit);
  return {
    data,
    has_more: from + limit < objects.length,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
  };
};

/** Google's, whose token is where the next page begins. */
const googlePage = (items: string) => (objects: readonly object[], query: URLSearchParams) => {
  const from = Number(query.get("pageToken") ?? 0);
  const next = from + Number(query.get("pageSize") ?? 10);
  return {
    [items]: objects.slice(from, next),
    ...(next < objects.length && { nextPageToken: String(next) }),
  };
};

const anthropic = await startKeeper([
  {
    path: "/v1/messages/batches",
    prefix: "msgbatch_",
    shape: (id) => ({ id, type: "message_batch", processing_status: "ended" }),
    page: anthropicPage,
  },
]);
const named = ({ name }: Record<string, unknown>) => String(name).split("/").at(-1) as string;
const google = await startKeeper([
  {
    path: "/v1/cachedContents",
    prefix: "cache",
    shape: (id) => ({ name: `cachedContents/${id}`, model: "models/m" }),
    page: googlePage("cachedContents"),
    idOf: named,
  },
]);

const gateway = await startGateway({
  env: {
    ANTHROPIC_API_KEY: "sk-ant-fake-ownership-0123456789",
    LMK_ANTHROPIC_UPSTREAM: anthropic.origin,
    GEMINI_API_KEY: "fake-gemini-ownership-0123456789",
    LMK_GEMINI_UPSTREAM: google.origin,
  },
});
const ada = await gateway.addUser("ada");
const ben = await gateway.addUser("ben");

const all = async <T>(pages: AsyncIterable<T>): Promise<T[]> => {
  const found: T[] = [];
  for await (const one of pages) found.push(one);
  return found;
};

async function lmk(...args: string[]) {
  const child = Bun.spawn(
    [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`, ...args],
    {
      cwd: gateway.cwd,
      env: { PATH: process.env["PATH"] ?? "", LMK_URL: gateway.url },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { out, err, code };
}

describe("Anthropic's batches", () => {
  const clientOf = (apiKey: string) =>
    new Anthropic({ apiKey, baseURL: `${gateway.url}/anthropic`, maxRetries: 0 });
  const [asAda, asBen] = [clientOf(ada.secret), clientOf(ben.secret)];
  const batch = (client: Anthropic) => client.messages.batches.create({ requests: [] });

  test("are listed, read and deleted by whoever made them", async () => {
    const first = await batch(asAda);
    for (let n = 0; n < 5; n++) await batch(asBen);
    const last = await batch(asAda);
    for (let n = 0; n < 5; n++) await batch(asBen);
    const list = await all(asAda.messages.batches.list({ limit: 2 }));
    expect(list.map(({ id }) => id)).toEqual([last.id, first.id]);
    expect(await all(asBen.messages.batches.list({ limit: 2 }))).toHaveLength(10);
    const refused = asBen.messages.batches.retrieve(first.id);
    expect(await refused.catch((error: unknown) => error)).toBeInstanceOf(NotFoundError);
    expect((await asAda.messages.batches.retrieve(first.id)).id).toBe(first.id);
  });

  test("are an administrator's to assign and to forget", async () => {
    const { id } = await batch(asBen);
    const refused = async () =>
      (await asAda.messages.batches.retrieve(id).catch((error: unknown) => error)) instanceof NotFoundError;
    expect(await refused()).toBe(true);
    const assigned = await lmk("objects", "assign", "anthropic", "message_batch", id, "--user", "ada");
    expect([assigned.code, assigned.err]).toEqual([0, `message_batch ${id} of anthropic is now ada's.\n`]);
    expect(await refused()).toBe(false);
    const listed = await lmk("objects", "list", "--user", "ada", "--id", id, "--json");
    expect(JSON.parse(listed.out)).toMatchObject([{ provider: "anthropic", id, user: { name: "ada" } }]);
    expect((await lmk("objects", "list")).out).toContain(id);
    expect((await lmk("objects", "forget", "anthropic", "message_batch", id)).code).toBe(0);
    expect(await refused()).toBe(true);
    expect((await lmk("objects", "forget", "anthropic", "message_batch", id)).code).toBe(1);
    const nonsense = await lmk("objects", "assign", "anthropic", "spoon", id, "--user", "ada");
    expect(nonsense.err).toContain("message_batch");
    const { items } = await gateway.api<{ items: { action: string }[] }>("GET", "/audit?action=object");
    expect(items.map(({ action }) => action)).toEqual(["object.forget", "object.assign"]);
  });
});

describe("Gemini's caches", () => {
  const clientOf = (apiKey: string) =>
    new GoogleGenAI({
      apiKey,
      vertexai: false,
      httpOptions: { baseUrl: `${gateway.url}/gemini`, apiVersion: "v1" },
    });
  const [asAda, asBen] = [clientOf(ada.secret), clientOf(ben.secret)];
  const cache = (client: GoogleGenAI) => client.caches.create({ model: "m", config: {} });

  test("are listed and used by whoever made them; a list ends where there is nothing more of theirs", async () => {
    for (let n = 0; n < 5; n++) await cache(asBen);
    const first = await cache(asAda);
    for (let n = 0; n < 5; n++) await cache(asBen);
    const last = await cache(asAda);
    // Oldest first: behind Ada's last there are Ben's.
    for (let n = 0; n < 5; n++) await cache(asBen);
    google.kept.get("/v1/cachedContents")?.reverse();
    const listed = await all(await asAda.caches.list({ config: { pageSize: 2 } }));
    expect(listed.map(({ name }) => name)).toEqual([first.name, last.name]);
    expect(await all(await asBen.caches.list({ config: { pageSize: 2 } }))).toHaveLength(15);
    const end = await fetch(`${gateway.url}/gemini/v1/cachedContents?pageSize=7&pageToken=6`, {
      headers: { "x-goog-api-key": ada.secret },
    });
    expect(await end.json()).toEqual({
      cachedContents: [last].map(({ name }) => ({ name, model: "models/m" })),
    });
    const foreign = asBen.models.generateContent({
      model: "m",
      contents: "hi",
      config: { cachedContent: first.name as string },
    });
    expect(await foreign.catch((error: unknown) => error)).toMatchObject({ status: 404 });
    expect((await asAda.caches.get({ name: first.name as string })).name).toBe(first.name as string);
    const read = asBen.caches.get({ name: first.name as string });
    expect(await read.catch((error: unknown) => error)).toMatchObject({ status: 404 });
  });
});
