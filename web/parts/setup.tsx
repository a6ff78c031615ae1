import { Select, Stack, Tabs, Text } from "@mantine/core";
import { useState } from "react";
import { Code } from "./copy.tsx";
import { TryIt } from "./try-it.tsx";

/** A way to use a key, as text to paste. `url` is where the gateway is, `key` the master key or what stands for it. */
interface Recipe {
  readonly name: string;
  readonly about: string;
  readonly text: (url: string, key: string) => string;
}

const SHELLS: readonly Recipe[] = [
  {
    name: "bash, zsh",
    about: "Sets the variables that all SDKs read, for this shell. Put it into ~/.profile to keep it.",
    text: (url, key) => `eval "$(curl -fsS ${url}/lmk/env -H 'authorization: Bearer ${key}')"`,
  },
  {
    name: "fish",
    about: "The same for fish.",
    text: (url, key) => `curl -fsS '${url}/lmk/env?format=fish' -H 'authorization: Bearer ${key}' | source`,
  },
  {
    name: "PowerShell",
    about: "The same for PowerShell.",
    text: (url, key) =>
      `(Invoke-WebRequest '${url}/lmk/env?format=powershell' -Headers @{ authorization = 'Bearer ${key}' }).Content | Invoke-Expression`,
  },
  {
    name: ".env file",
    about: "For docker compose, dotenv libraries and editors.",
    text: (url, key) =>
      `curl -fsS '${url}/lmk/env?format=dotenv' -H 'authorization: Bearer ${key}' > .env && chmod 600 .env`,
  },
];

const SDKS: readonly Recipe[] = [
  {
    name: "OpenAI, Python",
    about: "With the variables of your shell set, no argument is needed at all: OpenAI().",
    text: (url, key) => `from openai import OpenAI

client = OpenAI(base_url="${url}/openai/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="gpt-4o-mini",
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.choices[0].message.content)`,
  },
  {
    name: "OpenAI, TypeScript",
    about: "With the variables of your shell set, no argument is needed at all: new OpenAI().",
    text: (url, key) => `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${url}/openai/v1", apiKey: "${key}" });
const answer = await client.chat.completions.create({
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "Say hello." }],
});
console.log(answer.choices[0].message.content);`,
  },
  {
    name: "Anthropic, Python",
    about: "With the variables of your shell set, no argument is needed at all: Anthropic().",
    text: (url, key) => `from anthropic import Anthropic

client = Anthropic(base_url="${url}/anthropic", api_key="${key}")
answer = client.messages.create(
    model="claude-haiku-4-5",
    max_tokens=200,
    messages=[{"role": "user", "content": "Say hello."}],
)
print(answer.content[0].text)`,
  },
  {
    name: "Anthropic, TypeScript",
    about: "With the variables of your shell set, no argument is needed at all: new Anthropic().",
    text: (url, key) => `import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "${url}/anthropic", apiKey: "${key}" });
const answer = await client.messages.create({
  model: "claude-haiku-4-5",
  max_tokens: 200,
  messages: [{ role: "user", content: "Say hello." }],
});`,
  },
  {
    name: "Google Gemini, Python",
    about: "google-genai.",
    text: (url, key) => `from google import genai

client = genai.Client(api_key="${key}", http_options={"base_url": "${url}/gemini"})
print(client.models.generate_content(model="gemini-2.5-flash", contents="Say hello.").text)`,
  },
  {
    name: "Cohere, Python",
    about: "cohere.",
    text: (url, key) => `import cohere

client = cohere.ClientV2(api_key="${key}", base_url="${url}/cohere")
print(client.chat(model="command-a-03-2025", messages=[{"role": "user", "content": "Say hello."}]))`,
  },
  {
    name: "Mistral, Python",
    about: "mistralai.",
    text: (url, key) => `from mistralai import Mistral

client = Mistral(api_key="${key}", server_url="${url}/mistral")`,
  },
  {
    name: "Hugging Face, Python",
    about: "huggingface_hub. Keep the prefix hf_: without it the client sends the key elsewhere.",
    text: (url, key) => `from huggingface_hub import InferenceClient

client = InferenceClient(base_url="${url}/huggingface/v1", api_key="hf_${key}")`,
  },
  {
    name: "LangChain",
    about: "langchain-openai.",
    text: (url, key) => `from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="gpt-4o-mini", base_url="${url}/openai/v1", api_key="${key}")`,
  },
  {
    name: "curl",
    about: "Anything that speaks HTTP: the provider's own path behind its name.",
    text: (url, key) => `curl ${url}/openai/v1/chat/completions \\
  -H 'authorization: Bearer ${key}' -H 'content-type: application/json' \\
  -d '{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Say hello."}]}'`,
  },
];

const AGENTS: readonly Recipe[] = [
  {
    name: "Claude Code",
    about: "In the shell that it is started from.",
    text: (url, key) => `export ANTHROPIC_BASE_URL=${url}/anthropic ANTHROPIC_AUTH_TOKEN=${key}
claude`,
  },
  {
    name: "Codex",
    about: "It reads no base address from the environment: the option names it.",
    text: (url, key) => `export CODEX_API_KEY=${key}
codex exec -c openai_base_url="${url}/openai/v1" "Say hello."`,
  },
  {
    name: "Gemini CLI",
    about: "With the key chosen as the way to sign in, in ~/.gemini/settings.json.",
    text: (url, key) => `export GOOGLE_GEMINI_BASE_URL=${url}/gemini GEMINI_API_KEY=${key}
gemini`,
  },
  {
    name: "aider",
    about: "In the shell that it is started from.",
    text: (url, key) => `export OPENAI_API_BASE=${url}/openai/v1 OPENAI_API_KEY=${key}
aider --model openai/gpt-4o-mini`,
  },
  {
    name: "opencode",
    about: "In opencode.json; the key comes from the environment.",
    text: (url, key) => `export LMK_KEY=${key}
cat > opencode.json <<'END'
{ "provider": { "openai": { "options": { "baseURL": "${url}/openai/v1", "apiKey": "{env:LMK_KEY}" } } } }
END`,
  },
  {
    name: "Cursor, Cline, Zed, Open WebUI",
    about: "In their settings, as a provider that is compatible with OpenAI.",
    text: (url, key) => `Base URL: ${url}/openai/v1
API key:  ${key}`,
  },
];

/** What stands for a key that the page does not know. */
const UNKNOWN = "$LMK_KEY";

/** Set-up to paste, for shells, SDKs and agents, and a call to try at once. */
export function Setup({ secret }: { secret?: string }) {
  const url = location.origin;
  const key = secret ?? UNKNOWN;
  return (
    <Tabs defaultValue="shell" keepMounted={false}>
      <Tabs.List>
        <Tabs.Tab value="shell">Shell</Tabs.Tab>
        <Tabs.Tab value="sdk">SDK</Tabs.Tab>
        <Tabs.Tab value="agent">Agent</Tabs.Tab>
        <Tabs.Tab value="try">Try it now</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="shell" pt="md">
        <Recipes label="Shell" recipes={SHELLS} url={url} secret={key} />
      </Tabs.Panel>
      <Tabs.Panel value="sdk" pt="md">
        <Recipes label="SDK" recipes={SDKS} url={url} secret={key} />
      </Tabs.Panel>
      <Tabs.Panel value="agent" pt="md">
        <Recipes label="Agent" recipes={AGENTS} url={url} secret={key} />
      </Tabs.Panel>
      <Tabs.Panel value="try" pt="md">
        <TryIt {...(secret !== undefined && { secret })} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Recipes({
  label,
  recipes,
  url,
  secret,
}: {
  label: string;
  recipes: readonly Recipe[];
  url: string;
  secret: string;
}) {
  const [name, setName] = useState(recipes[0]?.name ?? "");
  const recipe = recipes.find((one) => one.name === name);
  if (recipe === undefined) return null;
  return (
    <Stack gap="sm">
      <Select
        aria-label={label}
        data={recipes.map((one) => one.name)}
        value={name}
        onChange={(value) => setName(value ?? name)}
        maw={300}
        searchable={recipes.length > 6}
      />
      <Text size="sm" c="dimmed">
        {recipe.about}
        {secret === UNKNOWN && " $LMK_KEY stands for your master key, which nobody can show again."}
      </Text>
      <Code
        text={recipe.text(url, secret)}
        what={`Set-up for ${recipe.name}`}
        wrap={!recipe.text("", "").includes("\n")}
      />
    </Stack>
  );
}
