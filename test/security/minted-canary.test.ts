/** A service account's key, an app client's secret and the tokens made of them appear nowhere else. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Gateway, startGateway } from "../support/gateway.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";
import { serviceAccount, serviceAccountFile, startTokenServer } from "../support/token-server.ts";

const CLIENT_SECRET = "vectara-PLANTEDsecret0123456789abcdefghij";
const tokens = await startTokenServer();
tokens.prefix = "ya29.c.PLANTEDtoken0123456789abcdefghijklmnop";
const upstream = await recordingUpstream();
const fromFile = serviceAccountFile(`${tokens.url}/token`);
const stored = serviceAccount(`${tokens.url}/token`);

/** Pieces of each secret that are longer than what a mask shows, and as they stand in JSON. */
const secrets = [fromFile, stored]
  .flatMap(({ privateKey }) =>
    privateKey.split("\n").filter((line) => line.length > 40 && !line.startsWith("-")),
  )
  .concat(CLIENT_SECRET.slice(8, 30), tokens.prefix.slice(7, 30));

const leaks = (text: string) => secrets.filter((secret) => text.includes(secret));

test("the private key, the client secret and the tokens are in no log, answer or database", async () => {
  await using gateway = await startGateway({
    env: {
      GOOGLE_APPLICATION_CREDENTIALS: fromFile.file,
      LMK_VERTEX_UPSTREAM: upstream.url,
      VECTARA_CLIENT_ID: "app-client",
      VECTARA_CLIENT_SECRET: CLIENT_SECRET,
      LMK_VECTARA_UPSTREAM: upstream.url,
      LMK_VECTARA_AUTH: tokens.url,
    },
  });
  let seen = await everyCall(gateway, []);
  const added = await admin(gateway, "POST", "/credentials", { provider: "vertex", secret: stored.json });
  seen += added;
  seen += await admin(gateway, "POST", "/credentials", { provider: "vertex", secret: stored.json.slice(1) });
  seen += await admin(gateway, "POST", "/credentials", {
    provider: "vertex",
    secret: stored.json.replace("service_account", "user"),
  });
  seen += await everyCall(gateway, refusals);
  const { items } = JSON.parse(await admin(gateway, "GET", "/credentials")) as { items: { id: string }[] };
  for (const { id } of items) seen += await admin(gateway, "POST", `/credentials/${id}/test`);
  for (const path of ["credentials", "requests?limit=100", "providers", "audit?limit=1000"])
    seen += await admin(gateway, "GET", `/${path}`);
  seen += await (await fetch(`${gateway.url}/lmk/env`, { headers: gateway.bearer })).text();

  // They did go where they belong.
  expect(upstream.raw).toContain(tokens.prefix);
  expect(tokens.asked.some(({ body }) => body.includes(CLIENT_SECRET))).toBe(true);
  expect(upstream.raw).not.toContain(CLIENT_SECRET);
  for (const { body } of tokens.asked) expect(body).not.toContain("PRIVATE");

  const onDisk = () =>
    readdirSync(gateway.dataDir)
      .map((name) => readFileSync(join(gateway.dataDir, name)).toString("latin1"))
      .join("\n");
  expect(leaks(`${fromFile.json}${stored.json}${CLIENT_SECRET}${tokens.prefix}`)).toHaveLength(
    secrets.length,
  );
  expect(seen.length).toBeGreaterThan(5_000);
  expect(leaks(seen)).toEqual([]);
  expect(leaks(onDisk())).toEqual([]);
  expect(await gateway.stop()).toBe(0);
  expect(leaks(onDisk())).toEqual([]);
  const printed = gateway.stdout() + gateway.stderr();
  expect(printed).toContain("gives no token");
  expect(leaks(printed)).toEqual([]);
}, 60_000);

/** Token servers that repeat what they were asked. */
const refusals = [
  () => new Response(tokens.asked.at(-1)?.body, { status: 400 }),
  () => Response.json({ error: tokens.asked.at(-1)?.body }, { status: 401 }),
  () => new Response(tokens.asked.at(-1)?.body, { status: 500 }),
];

/** Calls that end in every way; everything that was answered. */
async function everyCall(gateway: Gateway, refusals: readonly (() => Response)[]): Promise<string> {
  let seen = "";
  const call = async () => {
    for (const path of ["/vertex/v1/projects/p/locations/global/endpoints/e:predict", "/vectara/v2/query"]) {
      const headers = { ...gateway.bearer, "content-type": "application/json" };
      const response = await fetch(gateway.url + path, { method: "POST", headers, body: "{}" });
      seen += `${JSON.stringify([...response.headers])}${await response.text()}`;
    }
  };
  upstream.answer = reply({ body: "{}" });
  await call();
  upstream.answer = reply((request) => ({ status: 401, body: JSON.stringify(request.headers) }));
  await call();
  for (const refusal of refusals) {
    tokens.refuses = refusal;
    await call();
    // Longer than a failure is remembered.
    await Bun.sleep(2_100);
  }
  tokens.refuses = undefined;
  return seen;
}

async function admin(gateway: Gateway, method: string, path: string, body?: unknown): Promise<string> {
  const response = await fetch(`${gateway.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.adminToken}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return response.text();
}
