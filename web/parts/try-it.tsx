import { Button, Group, PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { duration } from "../format.ts";
import { Icon } from "./icons.tsx";

interface Trial {
  readonly label: string;
  readonly model: string;
  readonly path: string;
  readonly body: (model: string, text: string) => object;
  readonly headers?: Readonly<Record<string, string>>;
}

const chat = (model: string, content: string) => ({ model, messages: [{ role: "user", content }] });
const like = (label: string, id: string, model: string): [string, Trial] => [
  id,
  { label, model, path: `/${id}/v1/chat/completions`, body: chat },
];

/** A small call of each; whatever else the provider has, curl tries. */
const TRIALS: Readonly<Record<string, Trial>> = Object.fromEntries([
  like("OpenAI", "openai", "gpt-4o-mini"),
  [
    "anthropic",
    {
      label: "Anthropic",
      model: "claude-haiku-4-5",
      path: "/anthropic/v1/messages",
      body: (model: string, text: string) => ({ ...chat(model, text), max_tokens: 200 }),
      headers: { "anthropic-version": "2023-06-01" },
    },
  ],
  like("Mistral", "mistral", "mistral-small-latest"),
  like("Groq", "groq", "llama-3.1-8b-instant"),
  like("DeepSeek", "deepseek", "deepseek-chat"),
  like("OpenRouter", "openrouter", "openai/gpt-4o-mini"),
  ["cohere", { label: "Cohere", model: "command-r7b-12-2024", path: "/cohere/v2/chat", body: chat }],
]) as Record<string, Trial>;

interface Outcome {
  readonly ok: boolean;
  readonly text: string;
  readonly ms: number;
  readonly id: string | null;
}

/** One call from this page with a master key, as a program would make it. @param secret Asked for where it is not known. */
export function TryIt({ secret, called }: { secret?: string; called?: () => void }) {
  const queries = useQueryClient();
  const [given, setGiven] = useState("");
  const [provider, setProvider] = useState("openai");
  const trial = TRIALS[provider] as Trial;
  const [model, setModel] = useState(trial.model);
  const [text, setText] = useState("Say hello in one sentence.");
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const run = async (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    setBusy(true);
    setOutcome(await tryCall(trial, model, text, secret ?? given.trim()));
    setBusy(false);
    called?.();
    await queries.invalidateQueries({ queryKey: ["me"] });
  };
  return (
    <form onSubmit={(event) => void run(event)}>
      <Stack gap="sm">
        {secret === undefined && (
          <PasswordInput
            label="Your master key"
            description="It stays in this page, and is forgotten with it."
            value={given}
            onChange={(event) => setGiven(event.currentTarget.value)}
            autoComplete="off"
            required
          />
        )}
        <Group grow align="flex-start">
          <Select
            label="Provider"
            data={Object.entries(TRIALS).map(([value, { label }]) => ({ value, label }))}
            value={provider}
            onChange={(value) => {
              setProvider(value ?? provider);
              setModel(TRIALS[value ?? provider]?.model ?? "");
            }}
          />
          <TextInput
            label="Model"
            value={model}
            onChange={(event) => setModel(event.currentTarget.value)}
            required
          />
        </Group>
        <TextInput
          label="What to say"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          required
        />
        <Group>
          <Button type="submit" loading={busy} leftSection={<Icon name="play" size={15} />}>
            Make the call
          </Button>
        </Group>
        <div aria-live="polite">
          {outcome && (
            <div className="code">
              <pre data-wrap="">{outcome.text}</pre>
              <Text size="xs" c="dimmed" px={14} pb={10} className="number">
                <span className={outcome.ok ? "tone-good" : "tone-bad"}>
                  {outcome.ok ? "It works" : "It did not work"}
                </span>{" "}
                · {duration(outcome.ms)} {outcome.id && <span className="mono">· {outcome.id}</span>}
              </Text>
            </div>
          )}
        </div>
      </Stack>
    </form>
  );
}

async function tryCall(
  { path, body, headers }: Trial,
  model: string,
  text: string,
  key: string,
): Promise<Outcome> {
  const startedAt = performance.now();
  try {
    const answer = await fetch(path, {
      method: "POST",
      // It is a key that is tried, not whoever is signed in.
      credentials: "omit",
      headers: { ...headers, authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body(model, text)),
    });
    const said = await answer.text();
    const ms = performance.now() - startedAt;
    return { ok: answer.ok, text: wordsOf(said), ms, id: answer.headers.get("x-llamakey-request-id") };
  } catch {
    return { ok: false, text: "The gateway does not answer.", ms: performance.now() - startedAt, id: null };
  }
}

/** What a chat's answer or an error says; all of it where it is neither. */
function wordsOf(text: string): string {
  try {
    const { choices, content, message, error } = JSON.parse(text);
    const said =
      choices?.[0]?.message?.content ??
      content?.[0]?.text ??
      message?.content?.[0]?.text ??
      error?.message ??
      error;
    return typeof said === "string" ? said : text;
  } catch {
    return text;
  }
}
