import type { Provider } from "../providers/provider.ts";
import type { ExportSettings } from "./exports.ts";
import { shells } from "./shells.ts";

/** How to set one shell or tool up, for somebody who sees it for the first time. */
export interface Setup {
  readonly id: string;
  readonly title: string;
  readonly steps: readonly { readonly say: string; readonly code: string }[];
}

export interface Setups {
  readonly shells: readonly Setup[];
  readonly tools: readonly Setup[];
}

/** What to type or paste; the master key stands in it. Only tools whose provider is there. */
export function setups({ publicUrl, key, providers }: Omit<ExportSettings, "userName">): Setups {
  const has = (id: string) => providers.some((provider: Provider) => provider.id === id);
  return {
    shells: [posix(publicUrl, key), fish(publicUrl, key), powershell(publicUrl, key)],
    tools: [
      ...(has("anthropic") ? [claudeCode(publicUrl, key)] : []),
      ...(has("openai") ? [codex(publicUrl, key), python(publicUrl, key)] : []),
      curl(publicUrl, key),
    ],
  };
}

function posix(url: string, key: string): Setup {
  const fetch = `curl -fsS ${quoted(`${url}/lmk/env`)} -H ${quoted(`authorization: Bearer ${key}`)}`;
  return {
    id: "sh",
    title: "bash, zsh, sh",
    steps: [
      { say: "For this terminal:", code: `eval "$(${fetch})"` },
      {
        say: "For every terminal from now on:",
        code: [
          `(umask 077; ${fetch} > ~/.llamakey.env)`,
          `echo '. ~/.llamakey.env' >> ~/.profile`,
          ". ~/.llamakey.env",
        ].join("\n"),
      },
    ],
  };
}

function fish(url: string, key: string): Setup {
  const fetch = `curl -fsS ${quoted(`${url}/lmk/env?format=fish`)} -H ${quoted(`authorization: Bearer ${key}`)}`;
  return {
    id: "fish",
    title: "fish",
    steps: [
      { say: "For this terminal:", code: `${fetch} | source` },
      {
        say: "For every terminal from now on:",
        code: [
          "mkdir -p ~/.config/fish/conf.d",
          `begin; umask 077; ${fetch} > ~/.config/fish/conf.d/llamakey.fish; end`,
          "source ~/.config/fish/conf.d/llamakey.fish",
        ].join("\n"),
      },
    ],
  };
}

function powershell(url: string, key: string): Setup {
  const fetch = `Invoke-RestMethod '${url}/lmk/env?format=powershell' -Headers @{ authorization = 'Bearer ${key}' }`;
  return {
    id: "powershell",
    title: "PowerShell",
    steps: [
      { say: "For this window:", code: `${fetch} | Invoke-Expression` },
      {
        say: "For every window from now on:",
        code: [
          "New-Item -Force -ItemType Directory (Split-Path $PROFILE) | Out-Null",
          `${fetch} | Add-Content $PROFILE`,
          ". $PROFILE",
        ].join("\n"),
      },
    ],
  };
}

function claudeCode(url: string, key: string): Setup {
  const env = { ANTHROPIC_BASE_URL: `${url}/anthropic`, ANTHROPIC_AUTH_TOKEN: key };
  return {
    id: "claude-code",
    title: "Claude Code",
    steps: [
      { say: "In ~/.claude/settings.json:", code: JSON.stringify({ env }, null, 2) },
      { say: "Then start it anew:", code: "claude" },
    ],
  };
}

function codex(url: string, key: string): Setup {
  return {
    id: "codex",
    title: "Codex",
    steps: [
      {
        say: "In ~/.codex/config.toml, the first line above all tables:",
        code: [
          'model_provider = "llamakey"',
          "",
          "[model_providers.llamakey]",
          'name = "LlaMaKey"',
          `base_url = ${JSON.stringify(`${url}/openai/v1`)}`,
          'wire_api = "responses"',
          `experimental_bearer_token = ${JSON.stringify(key)}`,
        ].join("\n"),
      },
      { say: "Then start it anew:", code: "codex" },
    ],
  };
}

function python(url: string, key: string): Setup {
  return {
    id: "python",
    title: "Python",
    steps: [
      {
        say: "In a terminal that is set up as above, nothing is to be changed in your code:",
        code: "import openai\n\nprint(openai.OpenAI().models.list().data[0].id)",
      },
      {
        say: "Without that, name both yourself:",
        code: [
          "import openai",
          "",
          "client = openai.OpenAI(",
          `    base_url=${JSON.stringify(`${url}/openai/v1`)},`,
          `    api_key=${JSON.stringify(key)},`,
          ")",
        ].join("\n"),
      },
    ],
  };
}

function curl(url: string, key: string): Setup {
  return {
    id: "curl",
    title: "curl",
    steps: [
      {
        say: "What this key opens, and what is left of your budgets:",
        code: `curl -fsS ${quoted(`${url}/lmk/me`)} -H ${quoted(`authorization: Bearer ${key}`)}`,
      },
    ],
  };
}

/** For any POSIX shell and fish alike: addresses and keys hold no backslash. */
function quoted(text: string): string {
  return shells.sh.assign("x", text).slice("export x=".length);
}
