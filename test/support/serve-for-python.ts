/**
 * The stand-in providers and the real product, for tests that are not written in TypeScript.
 *
 * Prints one line of JSON saying where everything is, then answers each line of its input with one line of JSON, and
 * ends with its input. The commands: `stop openai`, `start openai`, `calls openai`, the same for every other provider,
 * `calls storage`, and `trapped`, the number of connections to the trap.
 * `key <master key>` tells it of one that was made, for the record.
 */
import { createInterface } from "node:readline";
import { startFurtherProviders } from "./further-providers.ts";
import { type GatewayOptions, startGateway } from "./gateway.ts";
import { startProviders } from "./providers.ts";
import { noteKeys } from "./record-gateway.ts";
import { startVertex } from "./vertex.ts";

const providers = await startProviders();
const further = await startFurtherProviders();
const vertex = await startVertex();
const mocks = new Map([
  ["openai", providers.openai],
  ["anthropic", providers.anthropic],
  ["vertex", vertex.mock],
  ...further.byId,
]);
const options: GatewayOptions = { env: { ...providers.env, ...further.env, ...vertex.env } };
const gateway = await startGateway(options);
const elsewhere = await startGateway(options);
say({
  url: gateway.url,
  exports: gateway.exports,
  adminToken: gateway.adminToken,
  /** A key that another installation made. */
  foreignKey: elsewhere.key,
  /** The providers' real keys. */
  realKeys: { ...further.keys, vertex: vertex.token },
  providers: [...mocks.keys()],
});
await elsewhere.end();

for await (const line of createInterface({ input: process.stdin })) say(await obey(line.trim()));
await gateway.end();
await Promise.all([providers.stop(), further.stop(), vertex.mock.stop()]);
process.exit(0);

async function obey(command: string): Promise<unknown> {
  const [verb, name = ""] = command.split(" ");
  if (verb === "key") {
    noteKeys(name);
    return "done";
  }
  if (verb === "trapped") return providers.trap.connections;
  if (verb === "calls" && name === "storage") return further.store.calls;
  const mock = mocks.get(name);
  if (mock === undefined) throw new Error(`There is no provider "${name}".`);
  if (verb === "calls") return mock.calls;
  if (verb === "stop") await mock.stop();
  else if (verb === "start") await mock.start();
  else throw new Error(`There is no command "${command}".`);
  return "done";
}

function say(value: unknown): void {
  console.log(JSON.stringify(value));
}
