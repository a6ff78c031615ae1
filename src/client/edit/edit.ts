import type { AgentFile } from "../agents/agent.ts";
import { setDotenv } from "./dotenv.ts";
import { setJsonc } from "./jsonc.ts";
import type { Setting } from "./setting.ts";
import { setToml } from "./toml.ts";
import { setYaml } from "./yaml.ts";

const editors: Record<AgentFile["format"], (text: string, settings: readonly Setting[]) => string> = {
  jsonc: setJsonc,
  toml: setToml,
  yaml: setYaml,
  dotenv: setDotenv,
};

const BYTE_ORDER_MARK = "\ufeff";

/**
 * The text with these settings, and everything else as it was: comments, order, unknown settings, line ends.
 * @throws UnclearFile
 */
export function edit(format: AgentFile["format"], text: string, settings: readonly Setting[]): string {
  const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : "";
  const plain = text.slice(mark.length);
  const edited = editors[format](plain, settings);
  const hasCrlf = /\r\n/.test(plain) && !/(?<!\r)\n/.test(plain);
  return mark + (hasCrlf ? edited.replace(/\r?\n/g, "\r\n") : edited);
}
