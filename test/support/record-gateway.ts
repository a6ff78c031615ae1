/** What the record has to know of a gateway under test: whose its upstreams and its secrets are. */
import { existsSync, readFileSync } from "node:fs";
import { knownProviders } from "../../src/providers/catalogue.ts";
import { note } from "./record.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** From the settings that its administrator made. */
export function noteSettings(env: Environment): void {
  for (const { id, credential } of knownProviders) {
    const prefix = `LMK_${id.toUpperCase()}`;
    noteAddress(id, env[`${prefix}_UPSTREAM`]);
    noteAddress(id, env[`${prefix}_AUTH`], "tokens");
    for (const name of credential.env) noteSecret(id, env[name]);
    for (const [name, member] of credential.mint?.variables ?? [])
      if (member.includes("secret")) noteSecret(id, env[name]);
    for (const name of credential.mint?.files ?? []) {
      const path = env[name];
      if (path !== undefined && existsSync(path)) noteSecret(id, readFileSync(path, "utf8"));
    }
  }
  for (const [name, value] of Object.entries(env)) {
    const [, kind, own = ""] = /^LMK_(SERVER|HF_ENDPOINT)_(\w+?)$/.exec(name) ?? [];
    if (kind === undefined || own.endsWith("_KEY")) continue;
    const id = `${kind === "SERVER" ? "" : "hf-"}${own.toLowerCase().replaceAll("_", "-")}`;
    noteAddress(id, value);
    noteSecret(id, env[`${name}_KEY`] ?? (kind === "SERVER" ? undefined : env["HF_TOKEN"]));
  }
}

/** Where this owner is to be found; `tokens` for its token server. */
export function noteAddress(owner: string, base: string | undefined, gives?: "tokens"): void {
  // What is no address is refused by the gateway itself.
  if (!base || !URL.canParse(base)) return;
  const { origin, pathname } = new URL(base);
  const path = pathname.replace(/\/+$/, "");
  note({ what: "address", owner, origin, path, ...(gives === undefined ? {} : { gives }) });
}

/**
 * A credential as its provider's administrator has it: a key, or JSON with one in it.
 * @param owner A provider's id, or `gateway`.
 */
export function noteSecret(owner: string, text: string | undefined): void {
  if (!text) return;
  if (!text.trimStart().startsWith("{")) {
    note({ what: "secret", owner, text: text.trim() });
    return;
  }
  const members = parsed(text);
  noteSecret(owner, members["client_secret"]);
  for (const line of (members["private_key"] ?? "").split("\n"))
    if (line.length > 40) note({ what: "secret", owner: "gateway", text: line });
  noteAddress(owner, members["token_uri"], "tokens");
}

/** Every master key that the gateway's own answer holds. */
export function noteKeys(answer: string): void {
  for (const [text] of answer.matchAll(/lmk_[A-Za-z0-9]{10}_[A-Za-z0-9]{32}_[A-Za-z0-9]+/g))
    note({ what: "secret", owner: "gateway", text });
}

function parsed(text: string): Record<string, string> {
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    return {};
  }
}
