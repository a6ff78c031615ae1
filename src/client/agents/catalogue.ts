import type { Agent } from "./agent.ts";
import { aider } from "./aider.ts";
import { claudeCode } from "./claude-code.ts";
import { cline } from "./cline.ts";
import { codex } from "./codex.ts";
import { continueDev } from "./continue.ts";
import { cursor } from "./cursor.ts";
import { geminiCli } from "./gemini-cli.ts";
import { librechat } from "./librechat.ts";
import { openWebui } from "./open-webui.ts";
import { opencode } from "./opencode.ts";
import { zed } from "./zed.ts";

/** All that `lmk configure` knows. */
export const agents: readonly Agent[] = [
  claudeCode,
  codex,
  geminiCli,
  opencode,
  aider,
  cline,
  continueDev,
  cursor,
  zed,
  openWebui,
  librechat,
];
