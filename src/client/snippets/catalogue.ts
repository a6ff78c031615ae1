import { usualModels } from "../agents/agent.ts";
import { pythonSnippets } from "./python.ts";
import type { Snippet } from "./snippet.ts";
import { typescriptSnippets } from "./typescript.ts";

const curl: Snippet = {
  id: "curl",
  name: "curl",
  language: "sh",
  provider: "openai",
  code: `curl -fsS "$LMK_URL/openai/v1/chat/completions" \\
  -H "authorization: Bearer $LMK_KEY" -H "content-type: application/json" \\
  -d '{"model":"${usualModels["openai"]}","messages":[{"role":"user","content":"Say hello"}]}'
`,
};

/** All that `lmk snippet` knows. */
export const snippets: readonly Snippet[] = [curl, ...pythonSnippets, ...typescriptSnippets];
