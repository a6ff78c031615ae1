import { looksLikeKey, parseKey } from "../../domain/key.ts";
import type { Provider } from "../../providers/provider.ts";
import { proxyFor } from "../ask.ts";
import { type Environment, type Finding, note, RENEW, wrong } from "./finding.ts";
import { hostOf } from "./gateway.ts";
import type { Attempt } from "./send.ts";

/** What the gateway is, and says of itself. */
export interface GatewayFacts {
  /** Without a trailing slash. */
  readonly address: string;
  /** The caller's own. */
  readonly key: string;
  /** The address at which it is a proxy; undefined where it is none. */
  readonly proxy: string | undefined;
}

/** A call that may be made: its key goes to the gateway and nowhere else. */
export interface Planned {
  readonly attempt: Attempt;
  /** The variable that holds the key. */
  readonly keyVariable: string;
  /** That variable's value. */
  readonly key: string;
  /** The variable that leads here, and what it should be. */
  readonly baseVariable: string;
  readonly expected: string;
}

/**
 * The one small call that this environment's SDKs would make to a provider, or why none is made: it is never made where
 * a master key would leave for anybody but the gateway.
 */
export function planFor(
  provider: Provider,
  environment: Environment,
  gateway: GatewayFacts,
): Planned | Finding {
  const { name, client } = provider;
  const keyVariables = client.keys.flatMap((one) =>
    typeof one === "string" ? [one] : one.unguided === true && one.value === undefined ? [one.name] : [],
  );
  const keyVariable = keyVariables.find((one) => environment[one]) ?? keyVariables[0];
  const base = client.bases.find(([one]) => environment[one]) ?? client.bases[0];
  if (keyVariable === undefined) {
    const where = `${gateway.address}/${provider.id}`;
    return note(
      name,
      "by_address",
      `No variable leads its SDKs here; name the address in your code: ${where}.`,
    );
  }
  return base === undefined
    ? throughProxy(provider, keyVariable, environment, gateway)
    : byBase(provider, keyVariable, base, environment, gateway);
}

function byBase(
  provider: Provider,
  keyVariable: string,
  [baseVariable, suffix]: readonly [string, string],
  environment: Environment,
  gateway: GatewayFacts,
): Planned | Finding {
  const { id, name } = provider;
  const expected = `${gateway.address}/${id}${suffix}`;
  const [base, key] = [environment[baseVariable], environment[keyVariable]];
  const isOurs = key !== undefined && looksLikeKey(key);
  if (!base && !key)
    return wrong(name, "variable_missing", `${baseVariable} and ${keyVariable} are not set. ${RENEW}`);
  if (!base) {
    return isOurs
      ? wrong(
          name,
          "leaks",
          `${keyVariable} holds your master key, but ${baseVariable} is not set: SDKs would send the key to ${name} itself. Nothing was sent. ${RENEW}`,
        )
      : wrong(
          name,
          "variable_missing",
          `${baseVariable} is not set, and ${keyVariable} is no master key: calls go to ${name} itself, past the gateway. ${RENEW}`,
        );
  }
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol))
    return wrong(name, "wrong_path", `${baseVariable} is no address. It should be ${expected}. ${RENEW}`);
  const host = isOfGateway(new URL(base), id, gateway);
  if (host === undefined) {
    const away = isOurs ? "SDKs would send your master key there" : "calls go past the gateway";
    return wrong(
      name,
      isOurs ? "leaks" : "past_gateway",
      `${baseVariable} points at ${hostOf(base)} and not at the gateway: ${away}. Nothing was sent. It should be ${expected}.`,
    );
  }
  const [first = ""] = new URL(base).pathname.split("/").filter(Boolean);
  if (host === "gateway" && first !== id) {
    return wrong(
      name,
      "wrong_path",
      `${baseVariable} is ${base}, whose path does not begin with /${id}. It should be ${expected}. ${RENEW}`,
    );
  }
  const problem = keyProblem(name, keyVariable, key);
  if (problem !== undefined || !key)
    return problem ?? wrong(name, "variable_missing", `${keyVariable} is not set.`);
  const path = callOf(provider);
  const rest = suffix !== "" && path.startsWith(`${suffix}/`) ? path.slice(suffix.length) : path;
  const url = base.replace(/\/+$/, "") + rest;
  const attempt = { url, headers: headersOf(provider, key, path), proxy: proxyFor(url, environment)?.url };
  return { attempt, keyVariable, key, baseVariable, expected };
}

/** SDKs that read no base address: only a proxy leads them here. */
function throughProxy(
  provider: Provider,
  keyVariable: string,
  environment: Environment,
  gateway: GatewayFacts,
): Planned | Finding {
  const { name, id, upstream } = provider;
  const key = environment[keyVariable];
  const isOurs = key !== undefined && looksLikeKey(key);
  const where = `${gateway.address}/${id}`;
  const way =
    gateway.proxy === undefined
      ? `Name the address in your code: ${where}`
      : 'Use lmk run, or set this shell up with: eval "$(lmk env --proxy)"';
  if (!isOurs || upstream === undefined)
    return note(
      name,
      "by_address",
      `Its SDKs read no base address, and this shell leads them nowhere else. ${way}.`,
    );
  const problem = keyProblem(name, keyVariable, key);
  if (problem !== undefined) return problem;
  const leaving = `${keyVariable} holds your master key, and its SDKs read no base address`;
  const used = proxyFor(upstream, environment);
  if (gateway.proxy === undefined || used === undefined) {
    return wrong(
      name,
      "leaks",
      `${leaving}: they would send the key to ${name} itself. Nothing was sent. Unset it. ${way}.`,
    );
  }
  if (hostOf(used.url) !== hostOf(gateway.proxy)) {
    return wrong(
      name,
      "proxy_wrong",
      `${leaving}: ${used.variable} leads them through ${hostOf(used.url)}, which is not the gateway's proxy (${hostOf(gateway.proxy)}). Nothing was sent. ${way}.`,
    );
  }
  const path = callOf(provider);
  const attempt = {
    url: upstream + path,
    headers: headersOf(provider, key, path),
    proxy: used.url,
  };
  return { attempt, keyVariable, key, baseVariable: used.variable, expected: gateway.proxy };
}

/** By its path, or by a name below the gateway's own: `openai.llm.example.com`. */
function isOfGateway(base: URL, id: string, { address }: GatewayFacts): "gateway" | "host" | undefined {
  const own = new URL(address);
  if (base.origin === own.origin) return "gateway";
  return base.hostname === `${id}.${own.hostname}` && base.protocol === own.protocol ? "host" : undefined;
}

function keyProblem(name: string, variable: string, key: string | undefined): Finding | undefined {
  if (!key) return wrong(name, "variable_missing", `${variable} is not set. ${RENEW}`);
  const parsed = parseKey(key);
  if (parsed === "foreign") {
    return wrong(
      name,
      "foreign_key",
      `${variable} is no master key (those begin with lmk_): is it the provider's own? Nothing was sent. ${RENEW}`,
    );
  }
  if (parsed === "damaged")
    return wrong(name, "damaged_key", `The key in ${variable} is mistyped or cut short. ${RENEW}`);
  return undefined;
}

function callOf({ credential }: Provider): string {
  return credential.firstCall ?? credential.probe;
}

/** Where this provider's SDKs put their key. */
function headersOf({ credential }: Provider, key: string, path: string): Record<string, string> {
  const [header, value] = credential.place(key, new Headers(), path);
  return { ...credential.probeHeaders, [header]: value };
}
