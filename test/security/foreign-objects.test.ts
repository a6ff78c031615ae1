/**
 * Whatever a provider's file says of objects that somebody owns is held, position by position: what is not covered by a
 * path below turns this red.
 */
import { beforeEach, describe, expect, test } from "bun:test";
import type { OwnedObject } from "../../src/domain/owned-object.ts";
import { StorageFailure } from "../../src/domain/store.ts";
import { keyOf } from "../../src/gateway/object-index.ts";
import { idIn } from "../../src/gateway/owned-plan.ts";
import { knownProviders } from "../../src/providers/catalogue.ts";
import type { OwnedKind } from "../../src/providers/owned.ts";
import { startLimitedGateway } from "../support/limited-gateway.ts";
import { serveRecorded } from "../support/record.ts";

/** What the provider was asked, and what it answers. */
const asked: string[] = [];
let answer: () => Response = () => Response.json({});
const upstream = await serveRecorded({
  async fetch(request) {
    asked.push(`${request.method} ${new URL(request.url).pathname}`);
    await request.arrayBuffer();
    return answer();
  },
});
const providers = knownProviders.filter(({ owned }) => owned !== undefined);
const bases = await Promise.all(
  providers.map(async ({ id, version }) => {
    const prefix = version.kind === "in-base" ? version.prefix : "";
    return [id, (await upstream.another()) + prefix] as const;
  }),
);
const gateway = await startLimitedGateway(Object.fromEntries(bases));

beforeEach(() => {
  gateway.objects.clear();
  gateway.sharing = "own";
  answer = () => Response.json({});
});

/** Endpoints of providers; every rule that has a pattern must match one that its provider has. */
const ENDPOINTS = [
  "/chat/completions",
  "/containers/seg/files",
  "/audio/transcriptions",
  "/responses",
  "/conversations",
  "/evals",
  "/batches",
  "/images/edits",
  "/audio/speech",
  "/uploads/mine/complete",
  "/threads/runs",
  "/videos/edits",
  "/messages",
  "/files",
  "/fine-tunes",
  "/models/m:generateContent",
  "/models/m:batchGenerateContent",
  "/models/m:predictLongRunning",
  "/upload/v1beta/files",
  "/files:register",
  "/openai/chat/completions",
  "/projects/p/locations/l/publishers/google/models/m:generateContent",
  "/ocr",
  "/chat",
  "/embed-jobs",
  "/lemur/v3/generate/task",
  "/models/o/n/predictions",
  "/models/o/n/versions/v/trainings",
  "/voices/add",
  "/text-to-voice",
  "/pronunciation-dictionaries/add-from-file",
  "/convai/agents/create",
  "/text-to-dialogue",
];

const endpointOf = (path: RegExp) => ENDPOINTS.find((one) => path.test(one.toLowerCase()));
const placeOf = (at: string) => at.replaceAll("*", "seg");

/** An id of this kind with these letters in it. */
const idOf = ({ ids }: OwnedKind, letters: string) =>
  (ids === undefined ? "" : ids.source.slice(1)) + letters;
/** As a body or an answer of that provider writes it. */
const written = (kind: OwnedKind, letters: string) => {
  const id = idOf(kind, letters);
  const named = `${kind.at[0]?.split("/").at(-1) ?? ""}/${id}`;
  return kind.pick !== undefined && idIn(kind, named) === id ? named : id;
};

function own(kind: OwnedKind, letters: string, userId = gateway.caller.userId): void {
  for (const { id: provider } of providers) {
    const object: OwnedObject = {
      provider,
      kind: kind.kind,
      id: idOf(kind, letters),
      credentialId: null,
      keyId: null,
      userId,
      groupId: userId === gateway.caller.userId ? gateway.caller.groupId : "grp_other",
      createdAt: 0,
      deletedAt: null,
    };
    gateway.objects.set(keyOf(object), object);
  }
}

const known = (provider: string, kind: string, id: string) =>
  [provider, "azure", "vertex"]
    .map((one) => gateway.objects.get(keyOf({ provider: one, kind, id })))
    .find(Boolean);

async function ask(method: string, path: string, body?: string | FormData) {
  const before = asked.length;
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    redirect: "manual",
    headers: {
      authorization: `Bearer ${gateway.key}`,
      ...(typeof body === "string" && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const refusal = response.headers.get("x-llamakey-refusal");
  return { status: response.status, text, refusal, isSent: asked.length > before };
}

const MISSING = { status: 404, refusal: "object_not_found", isSent: false };
const PASSED = { status: 200, refusal: null, isSent: true };

/** JSON with this value at a path such as `data.*.id`. */
function jsonAt(path: string, value: unknown): unknown {
  if (path === "") return value;
  const [name = "", ...rest] = path.split(".");
  const inner = jsonAt(rest.join("."), value);
  return name === "*" ? [inner] : { [name]: inner };
}

for (const { id: provider, owned, denied } of providers) {
  if (owned === undefined) continue;
  const { kinds, uses, hasMethods } = owned;
  const byName = (name: string): OwnedKind => {
    const kind = kinds.find((one) => one.kind === name);
    if (kind === undefined) throw new Error(`${provider} has no kind ${name}`);
    return kind;
  };

  describe(provider, () => {
    for (const kind of kinds) {
      for (const at of kind.at) {
        // Nobody gets there at all.
        if (denied.some((denial) => denial.path.test(placeOf(at)))) continue;
        const path = `/${provider}${placeOf(at)}`;
        test(`${kind.kind} at ${at} is its owner's`, async () => {
          own(kind, "Mine");
          own(kind, "Theirs", "usr_other");
          // Others may stand on the way.
          for (const other of kinds) own(other, "seg");
          const methods = kind.methods ?? ["GET", "POST", "PATCH", "DELETE"];
          for (const method of methods) {
            const paths = ["", "/deeper/down", "/", ...(hasMethods ? [":doit"] : [])];
            for (const rest of paths) {
              expect(await ask(method, `${path}/${idOf(kind, "Theirs")}${rest}`)).toMatchObject(MISSING);
            }
            expect(await ask(method, `${path}/${idOf(kind, "Mine")}`)).toMatchObject(PASSED);
            if (hasMethods) {
              expect((await ask(method, `${path}/${idOf(kind, "Mine")}:doit`)).isSent).toBe(true);
            }
            // An escape more, or other capitals, do not make it another one.
            const escaped = idOf(kind, "Theirs").replace("T", "%54");
            expect(
              await ask(method, `${path.toUpperCase().replace(provider.toUpperCase(), provider)}/${escaped}`),
            ).toMatchObject(MISSING);
          }
          if (kind.isPublic !== true) {
            expect(await ask(methods[0] as string, `${path}/${idOf(kind, "Nobodys")}`)).toMatchObject(
              MISSING,
            );
          }
          gateway.sharing = "all";
          for (const letters of ["Theirs", "Nobodys"]) {
            expect(await ask(methods[0] as string, `${path}/${idOf(kind, letters)}`)).toMatchObject(PASSED);
          }
        });

        if (kind.list !== undefined && kind.isElsewhere !== true) {
          const shape = kind.list;
          test(`the list at ${at} has the caller's alone`, async () => {
            own(kind, "Mine");
            own(kind, "Theirs", "usr_other");
            for (const other of kinds) own(other, "seg");
            const element = (letters: string) =>
              JSON.stringify(jsonAt(shape.id ?? kind.id ?? "id", written(kind, letters))).replace("{", "{ ");
            const [mine, theirs, nobodys] = ["Mine", "Theirs", "Nobodys"].map(element);
            const text = (list: string) =>
              shape.items === "" ? ` ${list}\n` : `{"z": 1 , "${shape.items}" :${list}, "y": [ ]}\n`;
            answer = () =>
              new Response(text(`[ ${theirs} , ${mine},\n${nobodys}, ${mine}]`), {
                headers: { "content-type": "application/json; charset=utf-8" },
              });
            const kept = kind.isPublic === true ? `[ ${mine},\n${nobodys}, ${mine}]` : `[ ${mine}, ${mine}]`;
            expect((await ask("GET", path)).text).toBe(text(kept));
            gateway.sharing = "all";
            expect((await ask("GET", path)).text).toBe(text(`[ ${theirs} , ${mine},\n${nobodys}, ${mine}]`));
          });
        }

        if (kind.isElsewhere !== true) {
          test(`what is made at ${at} is the caller's`, async () => {
            for (const other of kinds) own(other, "seg");
            const made = jsonAt(kind.madeId ?? kind.id ?? "id", written(kind, "New"));
            const { idHeader } = kind;
            const onward = { location: "https://storage.example/fake", [idHeader ?? ""]: idOf(kind, "New") };
            answer = () =>
              idHeader === undefined
                ? Response.json(made)
                : new Response(null, { status: 302, headers: onward });
            const find = () => known(provider, kind.kind, idOf(kind, "New"));
            if (kind.stored !== undefined) {
              await ask("POST", path, '{"store":false}');
              expect(find()).toBeUndefined();
            }
            await ask("POST", path, kind.stored === "if" ? '{"store": true}' : "{}");
            expect(find()).toMatchObject({ ...gateway.caller, deletedAt: null });
            answer = () => Response.json({});
            await ask("DELETE", `${path}/${idOf(kind, "New")}`);
            expect(find()?.deletedAt).toBeNumber();
          });
        }

        for (const [member, name] of Object.entries(kind.gives ?? {})) {
          test(`${member} of ${at} is the owner's`, async () => {
            const given = byName(name);
            own(kind, "Mine");
            for (const other of kinds) own(other, "seg");
            answer = () => Response.json(jsonAt(member, written(given, "Given")));
            await ask("GET", `${path}/${idOf(kind, "Mine")}`);
            expect(known(provider, name, idOf(given, "Given"))).toMatchObject({
              userId: gateway.caller.userId,
            });
            // What is somebody's stays theirs.
            own(given, "Given", "usr_other");
            await ask("GET", `${path}/${idOf(kind, "Mine")}`);
            expect(known(provider, name, idOf(given, "Given"))).toMatchObject({ userId: "usr_other" });
          });
        }
      }

      for (const { method, path, ids, streamed = [], when } of kind.made ?? []) {
        test(`what ${path} makes is the caller's`, async () => {
          const endpoint = endpointOf(path);
          expect(endpoint, "an endpoint for this rule").toBeDefined();
          for (const other of kinds) for (const letters of ["mine", "seg"]) own(other, letters);
          const body = JSON.stringify({ asks: when ?? "" });
          for (const [i, member] of ids.entries()) {
            answer = () => Response.json(jsonAt(member, written(kind, `New${i}`)));
            await ask(method, `/${provider}${endpoint}`, body);
            expect(known(provider, kind.kind, idOf(kind, `New${i}`)), member).toMatchObject(gateway.caller);
          }
          for (const [i, member] of streamed.entries()) {
            answer = () => streamOf(jsonAt(member, written(kind, `Streamed${i}`)));
            await ask(method, `/${provider}${endpoint}`, body);
            expect(known(provider, kind.kind, idOf(kind, `Streamed${i}`)), member).toMatchObject(
              gateway.caller,
            );
          }
        });
      }

      const [at] = kind.at;
      for (const [member, name] of Object.entries(kind.streamed ?? {})) {
        test(`${member} of a stream of ${kind.kind} is the caller's`, async () => {
          const given = byName(name);
          const made = kind.made?.map(({ path }) => endpointOf(path))[0];
          answer = () => streamOf(jsonAt(member, written(given, "Streamed")));
          await ask("POST", `/${provider}${made ?? placeOf(at ?? "")}`, '{"store":true,"stream":true}');
          expect(known(provider, name, idOf(given, "Streamed"))).toMatchObject(gateway.caller);
        });
      }
    }

    for (const [i, use] of uses.entries()) {
      const endpoint = ENDPOINTS.concat(kinds.flatMap(({ at }) => at.map(placeOf))).find(
        (one) => uses.findIndex(({ path }) => path.test(one.toLowerCase())) === i,
      );
      const path = `/${provider}${endpoint}`;
      test(`has an endpoint for what ${use.path} refers to`, () => {
        expect(endpoint).toBeDefined();
      });
      for (const [member, name] of Object.entries(use.members)) {
        test(`${member} at ${endpoint} must be the caller's`, async () => {
          const kind = byName(name);
          await mustBeOwn(kind, (value) => {
            const bodies: unknown[] = [
              { [member]: value },
              { [member]: [written(kind, "Mine"), value] },
              { [member]: { x: 1, id: value } },
              { a: [{ b: { [member]: [{ id: value }] } }] },
            ];
            const texts = bodies.map((body) => JSON.stringify(body));
            const escaped = `\\u00${member.charCodeAt(0).toString(16)}${member.slice(1)}`;
            texts.push(`{"${escaped}":${JSON.stringify(value)}}`);
            texts.push(`{"a":{"${member}":null,"${member}":${JSON.stringify(value)}}}`);
            return texts.map((text) => () => ask("POST", path, text));
          });
        });
        if (use.forms === true) {
          test(`${member} in a form at ${endpoint} must be the caller's`, async () => {
            await mustBeOwn(byName(name), (value) => {
              return [member, `x[${member}]`, `${member}[id]`].map((field) => () => {
                const form = new FormData();
                form.set(field, value);
                return ask("POST", path, form);
              });
            });
          });
        }
      }
      for (const [parameter, name] of Object.entries(use.query ?? {})) {
        test(`${parameter} in the query at ${endpoint} must be the caller's`, async () => {
          await mustBeOwn(byName(name), (value) => [
            () => ask("GET", `${path}?a=1&${parameter}=${encodeURIComponent(value)}`),
          ]);
        });
      }
      for (const opaque of use.opaque ?? []) {
        test(`what stands in ${opaque} at ${endpoint} is the client's own`, async () => {
          const [member] = Object.keys(use.members);
          const body = JSON.stringify({ [opaque]: { deeper: [{ [member as string]: "Theirs" }] } });
          expect((await ask("POST", path, body)).refusal).not.toBe("object_not_found");
        });
      }
    }
  });
}

describe("an id passes only once it is on the disk", () => {
  const json = () => Response.json({ id: "resp_New" });
  const stream = () => streamOf({ response: { id: "resp_New" } });
  const post = () =>
    fetch(`${gateway.url}/openai/responses`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" },
      body: "{}",
    }).then((response) => response.text());

  for (const [name, made] of [
    ["of JSON", json],
    ["of a stream", stream],
  ] as const) {
    test(name, async () => {
      answer = made;
      const { promise, resolve } = Promise.withResolvers<void>();
      gateway.writing = promise;
      const text = post();
      expect(await Promise.race([text, Bun.sleep(200)])).toBeUndefined();
      resolve();
      expect(await text).toContain("resp_New");
      expect(gateway.objects.size).toBe(1);
    });

    test(`${name}, and not at all where it cannot be written`, async () => {
      answer = made;
      const failure = Promise.reject(new StorageFailure("disk full"));
      failure.catch(() => {});
      gateway.writing = failure;
      const text = await post().catch(() => "broken off");
      expect(text).not.toContain("resp_New");
      gateway.writing = Promise.resolve();
    });
  }
});

type Asked = Awaited<ReturnType<typeof ask>>;

async function mustBeOwn(
  kind: OwnedKind,
  calls: (value: string) => readonly (() => Promise<Asked>)[],
): Promise<void> {
  own(kind, "Mine");
  own(kind, "Theirs", "usr_other");
  for (const { owned } of providers) for (const other of owned?.kinds ?? []) own(other, "seg");
  for (const call of calls(written(kind, "Theirs"))) expect(await call()).toMatchObject(MISSING);
  if (kind.isPublic !== true) {
    for (const call of calls(written(kind, "Nobodys"))) expect(await call()).toMatchObject(MISSING);
  }
  for (const call of calls(written(kind, "Mine")))
    expect((await call()).refusal).not.toBe("object_not_found");
  gateway.sharing = "all";
  for (const call of calls(written(kind, "Theirs")))
    expect((await call()).refusal).not.toBe("object_not_found");
}

function streamOf(event: unknown): Response {
  return new Response(`data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`, {
    headers: { "content-type": "text/event-stream" },
  });
}
