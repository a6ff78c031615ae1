import type { Setting } from "../edit/setting.ts";

/** A tool that people work with, and how it is told to use the gateway: data. */
export interface Agent {
  /** What `lmk configure` calls it. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Providers whose formats it speaks; the key must be let to at least one. */
  readonly providers: readonly string[];
  /** Where it keeps its settings; none where that is no file that others may write. */
  readonly files: readonly AgentFile[];
  /** What is left to do by hand, one sentence or command a line. The key stands in none of them: `gateway.shownKey` does. */
  readonly steps: (gateway: GatewayFacts) => readonly string[];
}

export interface AgentFile {
  /** Absolute, from the rules of that tool. */
  readonly path: (machine: Machine) => string;
  readonly format: "jsonc" | "toml" | "yaml" | "dotenv";
  /** In the order in which a new file lists them; none where this file is not needed. */
  readonly settings: (gateway: GatewayFacts) => readonly Setting[];
}

/** The machine that the tool runs on. */
export interface Machine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** Where the command was started. */
  readonly folder: string;
  readonly exists: (path: string) => boolean;
}

export interface GatewayFacts {
  /** The master key; secret. */
  readonly key: string;
  /** How the key is shown to people. */
  readonly shownKey: string;
  /** Without a trailing slash. */
  readonly url: string;
  /** The address of this provider there, without a version; undefined where the key is not let to it. */
  readonly base: (provider: string) => string | undefined;
  /** The model that was asked for. */
  readonly model: string | undefined;
}

/** Settings of one provider, where the key is let to it. */
export function ifOpen(
  gateway: GatewayFacts,
  provider: string,
  settings: (base: string) => readonly Setting[],
): readonly Setting[] {
  const base = gateway.base(provider);
  return base === undefined ? [] : settings(base);
}

/** What tools take as their first model where nobody asked for one, by provider. */
export const usualModels: Readonly<Record<string, string>> = {
  openai: "gpt-5.1",
  anthropic: "claude-sonnet-4-5",
};
