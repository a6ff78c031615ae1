import { beforeEach, describe, expect, mock, test } from "bun:test";
import { bodilessDemand, defaultBounds } from "../domain/demand.ts";
import { Refusal } from "../domain/refusal.ts";
import { openai } from "../providers/openai.ts";
import { Answer } from "../upstream/answer.ts";
import type { Sender } from "../upstream/sender.ts";
import type { Call } from "./authorise.ts";
import { Exchange } from "./exchange.ts";
import { isRedirect, settleRedirect } from "./redirect.ts";
import { createUpstream } from "./upstreams.ts";

// A public address, not a name: a test must not depend on a resolver.
const ORIGIN = "https://8.8.4.4";
const upstream = createUpstream(openai, `${ORIGIN}/v1`);
const exchange = () => new Exchange("id", "GET", 0, null, 0, 1000);

function call(method: string): Call {
  const route = {
    upstream,
    at: upstream,
    path: "/files/f/content",
    takenOff: "",
    isNamed: false,
    withoutKey: false,
    account: undefined,
    endpoint: "/files/f/content",
    isPlain: true,
    query: "",
    keys: [],
    links: [],
    meter: undefined,
    owned: undefined,
    denied: [],
    isFree: false,
    isDeferred: false,
    isBatch: false,
  };
  return {
    route,
    method,
    headers: new Headers({ authorization: "Bearer lmk_secret", "x-api-key": "lmk_secret", accept: "*/*" }),
    body: null,
    demand: bodilessDemand(defaultBounds),
    scanned: null,
  };
}

function moved(location: string, status = 302): Answer {
  return new Answer(status, new Headers({ location }), null);
}

/** Stands in for the network: what a test does not foresee is rejected, so that no mistake of ours reaches a host. */
const send = mock<Sender["send"]>(closed);
beforeEach(() => {
  send.mockReset();
  send.mockImplementation(closed);
});

async function closed(): Promise<Answer> {
  throw new Error("A test may not reach the network.");
}

const file = () => new Answer(200, new Headers(), null);

const settle = (location: string, method = "GET") =>
  settleRedirect(moved(location), call(method), exchange(), { sender: { send } });

describe("from a provider on the internet", () => {
  for (const location of [
    "http://169.254.1.2/x",
    "https://169.254.1.2/x",
    "https://127.0.0.1/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f.1/x",
    "https://[::1]/x",
    "https://[::ffff:10.0.0.1]/x",
    "https://localhost/x",
    "https://10.1.2.3/x",
    "https://[64:ff9b::a00:1]/x",
    "http://8.8.8.8/x",
    "https://user@8.8.8.8/x",
    "ftp://8.8.8.8/x",
    "file:///etc/passwd",
  ]) {
    test(`a redirect to ${location} is refused and not even tried`, async () => {
      const error = await settle(location).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).code).toBe("upstream_unreachable");
      expect((error as Refusal).message).not.toContain("169.254.1.2");
      expect(send).not.toHaveBeenCalled();
    });
  }

  test("a redirect to a public host is followed for GET and HEAD without any credential", async () => {
    for (const method of ["GET", "HEAD"]) {
      send.mockClear();
      send.mockResolvedValueOnce(file());
      expect((await settle("https://8.8.8.8/bucket/x?sig=1", method)).status).toBe(200);
      const [request] = send.mock.calls[0] ?? [];
      expect([request?.origin, request?.target]).toEqual(["https://8.8.8.8", "/bucket/x?sig=1"]);
      expect(request?.headers).toEqual(["accept", "*/*"]);
      // The name may lead elsewhere when the connection is made.
      expect(["8.8.8.8", "10.1.2.3", "::1"].map((address) => request?.mayLeadTo?.(address))).toEqual([
        true,
        false,
        false,
      ]);
    }
  });

  test("a public host that sends on to a private one is not followed there", async () => {
    send.mockResolvedValueOnce(moved("https://169.254.1.2/x"));
    expect(await settle("https://8.8.8.8/x").catch((error: unknown) => error)).toBeInstanceOf(Refusal);
    expect(send).toHaveBeenCalledTimes(1);
  });

  test("hosts that send each other round are left after a few hops", async () => {
    send.mockImplementation(async () => moved("https://8.8.8.8/again"));
    expect(await settle("https://8.8.8.8/x").catch((error: unknown) => error)).toBeInstanceOf(Refusal);
    expect(send.mock.calls.length).toBeLessThan(10);
  });

  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    test(`a ${method} that is redirected elsewhere is refused`, async () => {
      expect(await settle("https://8.8.8.8/x", method).catch((error: unknown) => error)).toBeInstanceOf(
        Refusal,
      );
      expect(send).not.toHaveBeenCalled();
    });
  }

  test("a redirect within the provider points to the gateway", async () => {
    for (const [location, ours] of [
      [`${ORIGIN}/v1/files/g?x=1`, "/openai/files/g?x=1"],
      ["/v1/files/g", "/openai/files/g"],
      ["g", "/openai/files/f/g"],
    ] as const) {
      const reply = await settle(location, "POST");
      expect([reply.status, reply.headers.get("location")]).toEqual([302, ours]);
    }
    expect(send).not.toHaveBeenCalled();
  });

  test("a path that only begins like the provider's base is elsewhere", async () => {
    expect(await settle(`${ORIGIN}/v10/x`, "POST").catch((error: unknown) => error)).toBeInstanceOf(Refusal);
  });
});

describe("from a server of one's own", () => {
  const follow = (location: string, mayBePrivate: boolean) => {
    const own = createUpstream(openai, "http://10.1.2.3/v1", mayBePrivate);
    const { route, ...rest } = call("GET");
    const ownCall = { ...rest, route: { ...route, upstream: own, at: own } };
    return settleRedirect(moved(location), ownCall, exchange(), { sender: { send } });
  };

  test("a redirect within that network is followed, but to no machine's own secrets", async () => {
    send.mockResolvedValueOnce(file());
    expect((await follow("http://10.1.2.4/x", true)).status).toBe(200);
    send.mockClear();
    for (const location of ["http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/"])
      expect(await follow(location, true).catch((error: unknown) => error)).toBeInstanceOf(Refusal);
    expect(send).not.toHaveBeenCalled();
  });

  test("none is, where its address only says now that it is one", async () => {
    expect(await follow("http://10.1.2.4/x", false).catch((error: unknown) => error)).toBeInstanceOf(Refusal);
    expect(send).not.toHaveBeenCalled();
  });
});

test("a provider whose name does not resolve is not taken for a server of one's own", async () => {
  const lost = createUpstream(openai, "https://does-not-exist.invalid/v1");
  const { route, ...rest } = call("GET");
  const lostCall = { ...rest, route: { ...route, upstream: lost } };
  const settings = { sender: { send } };
  const error = await settleRedirect(moved("http://10.1.2.3/x"), lostCall, exchange(), settings).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Refusal);
  expect(send).not.toHaveBeenCalled();
});

test("only an answer that names a place is a redirect", () => {
  for (const status of [301, 302, 303, 307, 308]) expect(isRedirect(moved("/x", status))).toBe(true);
  expect(isRedirect(new Answer(302, new Headers(), null))).toBe(false);
  for (const status of [200, 201, 300, 304]) expect(isRedirect(moved("/x", status))).toBe(false);
});
