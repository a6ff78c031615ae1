/** No redirect and no link carries a key past the gateway. */
import { beforeAll, beforeEach, expect, test } from "bun:test";
import { type Behind, behindGateway } from "../support/behind-gateway.ts";
import { type HeaderList, header } from "../support/http1.ts";
import { poll } from "../support/poll.ts";
import type { RawResponse } from "../support/raw-client.ts";
import { type RecordingUpstream, recordingUpstream, reply } from "../support/recording-upstream.ts";

let behind: Behind;
/** Another host, as a provider's storage is one. */
let storage: RecordingUpstream;

beforeAll(async () => {
  behind = await behindGateway();
  // Whose things are is not asked here.
  await behind.gateway.api("PUT", "/policies/organisation", { sharing: "all" });
  storage = await recordingUpstream();
});
beforeEach(() => {
  behind.upstream.clear();
  storage.clear();
  storage.answer = reply({ headers: [["Content-Type", "application/x-jsonl"]], body: "line\n" });
});

function redirect(location: string, status = 302): void {
  behind.upstream.answer = reply({ status, headers: [["Location", location]], body: "moved" });
}

const secrets: HeaderList = [
  ["Cookie", "session=PLANTED"],
  ["x-api-key", "sk-foreign-PLANTED"],
  ["x-custom", "PLANTED"],
  ["User-Agent", "sdk PLANTED"],
  ["Referer", "https://intranet.example/PLANTED"],
];

function refusal(response: RawResponse): [number, string | undefined, string | undefined] {
  return [response.status, header(response, "x-llamakey-refusal"), header(response, "location")];
}

test("a GET that is redirected to another host is followed there, without anything that says who asks", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    storage.clear();
    redirect(`${storage.url}/bucket/file?signature=abc%2F`, status);
    const response = await behind.ask({
      target: "/openai/v1/files/f/content",
      headers: [...secrets, ["Range", "bytes=0-9"]],
    });
    expect([response.status, response.body.toString()]).toEqual([200, "line\n"]);
    expect(header(response, "location")).toBeUndefined();
    expect(storage.last.target).toBe("/bucket/file?signature=abc%2F");
    expect(header(storage.last, "range")).toBe("bytes=0-9");
    expect(header(storage.last, "authorization")).toBeUndefined();
    expect(storage.raw).not.toContain("PLANTED");
    expect(storage.raw).not.toContain("lmk_");
  }
});

test("any other method that is redirected to another host is refused", async () => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    for (const status of [301, 302, 303, 307, 308]) {
      redirect(`${storage.url}/x`, status);
      const response = await behind.ask({ method, target: "/openai/v1/x", body: "{}" });
      expect(refusal(response)).toEqual([502, "upstream_unreachable", undefined]);
    }
  }
  expect(storage.requests).toHaveLength(0);
});

test("a redirect within the provider leads through the gateway", async () => {
  for (const [location, ours] of [
    [`${behind.upstream.url}/v1/y?a=b`, "/openai/y?a=b"],
    ["/v1/y", "/openai/y"],
    ["y", "/openai/y"],
  ] as const) {
    redirect(location, 307);
    const response = await behind.ask({ method: "POST", target: "/openai/v1/x", body: "{}" });
    expect([response.status, header(response, "location"), response.body.toString()]).toEqual([
      307,
      ours,
      "moved",
    ]);
  }
});

test("a redirect within the provider's host but out of its base does not carry the key there", async () => {
  redirect(`${behind.upstream.url}/admin`);
  const { answer } = behind.upstream;
  behind.upstream.answer = async (request, socket, reader) => {
    if (request.target === "/admin") await reply({ body: "admin" })(request, socket, reader);
    else await answer(request, socket, reader);
  };
  await behind.ask({ target: "/openai/v1/x" });
  for (const { target, headers } of behind.upstream.requests) {
    if (target === "/admin") expect(header({ headers }, "authorization")).toBeUndefined();
  }
});

test("a redirect that goes round in circles ends", async () => {
  storage.answer = reply({ status: 302, headers: [["Location", "/again"]] });
  redirect(`${storage.url}/start`);
  expect(refusal(await behind.ask({ target: "/openai/v1/x" }))).toEqual([
    502,
    "upstream_unreachable",
    undefined,
  ]);
  expect(storage.requests.length).toBeLessThan(10);
});

test("a redirect to what is no web address is refused", async () => {
  for (const location of [
    "file:///etc/passwd",
    "ftp://127.0.0.1/x",
    "javascript:alert(1)",
    "data:text/plain,x",
    "http://",
    "http://[::1",
    "//",
  ]) {
    redirect(location);
    const response = await behind.ask({ target: "/openai/v1/x" });
    expect([location, ...refusal(response)]).toEqual([location, 502, "upstream_unreachable", undefined]);
  }
});

test("a client that leaves while its redirect is followed ends that too", async () => {
  storage.answer = () => {};
  redirect(`${storage.url}/slow`);
  const controller = new AbortController();
  const asked = fetch(`${behind.gateway.url}/openai/v1/x`, {
    headers: behind.gateway.bearer,
    signal: controller.signal,
  }).catch(() => {});
  while (storage.requests.length === 0) await Bun.sleep(5);
  const [socket] = storage.open;
  controller.abort();
  await asked;
  await poll("end of its connection", () => socket?.destroyed || socket?.readableEnded || undefined);
});

test("a link that an SDK would follow with its key points to the gateway, whatever host it names", async () => {
  for (const link of [
    "https://api.anthropic.com/v1/messages/batches/b/results",
    "https://evil.example/v1/messages/batches/b/results",
    "HTTPS://EVIL.example/v1/messages/batches/b/results",
    "https:\\/\\/evil.example\\/v1\\/messages\\/batches\\/b\\/results",
    "https://user:pass@evil.example:8443/v1/messages/batches/b/results",
    "https:\\u002f\\u002fevil.example\\u002fv1\\u002fmessages\\u002fbatches\\u002fb\\u002fresults",
    "//evil.example/v1/messages/batches/b/results",
  ]) {
    const one = `{"id":"b","results_url":"${link}"}`;
    for (const [target, body] of [
      ["/anthropic/v1/messages/batches/b", one],
      ["/anthropic/messages/batches?limit=1", `{"data":[${one}, ${one}]}`],
      ["/anthropic/v1/messages/batches/b/cancel", one],
    ] as const) {
      behind.upstream.answer = reply({ headers: [["Content-Type", "application/json"]], body });
      const response = await behind.ask({ target });
      const value = JSON.parse(response.body.toString()) as {
        results_url?: string;
        data?: { results_url: string }[];
      };
      for (const { results_url } of value.data ?? [value]) {
        expect([link, results_url]).toEqual([
          link,
          `${behind.gateway.url}/anthropic/v1/messages/batches/b/results`,
        ]);
      }
    }
  }
});

test("what is not a link stays byte for byte, also beside one", async () => {
  const before = Buffer.from(
    '\ufeff{"a":"é\\u20ac","results_url":null,"results_url_x":"https://x/y","n":1.50, "b":"',
  );
  const body = Buffer.concat([before, Buffer.from([0xff, 0xc3]), Buffer.from('"}')]);
  behind.upstream.answer = reply({ headers: [["Content-Type", "application/json"]], body });
  const response = await behind.ask({ target: "/anthropic/v1/messages/batches/b" });
  expect(response.body.equals(body)).toBe(true);
});

test("a compressed answer whose links cannot be read is refused, not passed on", async () => {
  behind.upstream.answer = reply({
    headers: [
      ["Content-Type", "application/json"],
      ["Content-Encoding", "gzip"],
    ],
    body: Bun.gzipSync(Buffer.from('{"results_url":"https://api.anthropic.com/x"}')),
  });
  const response = await behind.ask({ target: "/anthropic/v1/messages/batches/b" });
  expect(refusal(response)).toEqual([502, "upstream_unreachable", undefined]);
});
