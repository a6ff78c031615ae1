import type { Agent, GatewayFacts, Machine } from "../agents/agent.ts";
import { edit } from "../edit/edit.ts";
import { UnclearFile } from "../edit/setting.ts";
import { readFile, type Stored } from "./stored.ts";

/** What one file of a tool is to become. */
export interface PlannedFile {
  readonly now: Stored;
  readonly after: string;
  /** Whether it holds the key then, so that only its owner may read it. */
  readonly isSecret: boolean;
}

/**
 * The files of this tool that are not yet as the gateway needs them.
 * @throws UnclearFile where one cannot be read or changed; nothing was changed then.
 */
export function plan(agent: Agent, gateway: GatewayFacts, machine: Machine): PlannedFile[] {
  return agent.files.flatMap((file) => {
    const settings = file.settings(gateway);
    if (settings.length === 0) return [];
    const path = file.path(machine);
    try {
      const now = readFile(path);
      const after = edit(file.format, now.text ?? "", settings);
      const isSecret = after.includes(gateway.key);
      const isOpen =
        isSecret && now.mode !== undefined && (now.mode & 0o077) !== 0 && machine.platform !== "win32";
      return after === now.text && !isOpen ? [] : [{ now, after, isSecret }];
    } catch (error) {
      if (!(error instanceof UnclearFile)) throw error;
      throw new UnclearFile(`${path} was left as it is: ${error.message}.`);
    }
  });
}
