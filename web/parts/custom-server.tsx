import { Alert, Button, Checkbox, Group, Select, Text, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { type CredentialTest, call, type Provider } from "../api.ts";
import { duration } from "../format.ts";
import { Ask } from "./ask.tsx";
import { tell, tellProblem } from "./feedback.tsx";
import { Icon } from "./icons.tsx";
import { useMay } from "./session.tsx";

const KINDS = [
  { value: "server", label: "A server that speaks as OpenAI does" },
  { value: "huggingface_endpoint", label: "A dedicated endpoint of Hugging Face" },
];

const EMPTY = { kind: "server", id: "", name: "", upstream: "", allowPrivate: false };

/** Names a server or an endpoint, and tries it. */
export function CustomServer({ opened, close }: { opened: boolean; close: () => void }) {
  const queries = useQueryClient();
  const [given, setGiven] = useState(EMPTY);
  const [added, setAdded] = useState<Provider>();
  const [result, setResult] = useState<CredentialTest>();
  const set = (change: Partial<typeof EMPTY>) => setGiven((before) => ({ ...before, ...change }));
  const isEndpoint = given.kind !== "server";
  const leave = () => {
    setGiven(EMPTY);
    setAdded(undefined);
    setResult(undefined);
    close();
  };
  const run = async () => {
    if (added !== undefined) return leave();
    const { name, ...body } = given;
    const made = await call<Provider>("POST", "/providers", { body: { ...body, name: name || given.id } });
    setAdded(made);
    await queries.invalidateQueries({ queryKey: ["providers"] });
    setResult(await call<CredentialTest>("POST", `/providers/${made.id}/test`, { body: {} }));
    return "stay";
  };
  return (
    <Ask
      title="Add a custom server"
      opened={opened}
      close={leave}
      confirm={added === undefined ? "Add and test" : "Done"}
      run={run}
      isReady={/^[a-z0-9]+(-[a-z0-9]+)*$/.test(given.id) && given.upstream !== ""}
    >
      {added === undefined ? (
        <>
          <Select
            label="What it is"
            data={KINDS}
            value={given.kind}
            onChange={(kind) => set({ kind: kind ?? "server" })}
            allowDeselect={false}
          />
          <TextInput
            label="Id"
            description={`It begins the paths of its calls: ${isEndpoint ? "/hf-mine/…" : "/my-vllm/v1/…"}`}
            value={given.id}
            onChange={(event) => set({ id: event.currentTarget.value })}
            required
            data-autofocus
          />
          <TextInput
            label="Name"
            value={given.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
          />
          <TextInput
            label="Address"
            placeholder={
              isEndpoint ? "https://….endpoints.huggingface.cloud" : "https://models.example.com/v1"
            }
            value={given.upstream}
            onChange={(event) => set({ upstream: event.currentTarget.value.trim() })}
            required
          />
          <Checkbox
            label="It is in a network of our own"
            description="Private addresses and plain HTTP are taken, too."
            checked={given.allowPrivate}
            onChange={(event) => set({ allowPrivate: event.currentTarget.checked })}
          />
        </>
      ) : (
        <div role="status">
          <Text size="sm" mb="sm">
            {added.name} can be called at <span className="mono">/{added.id}</span> from now on.
          </Text>
          {result && <Outcome result={result} />}
        </div>
      )}
    </Ask>
  );
}

function Outcome({ result }: { result: CredentialTest }) {
  return (
    <Alert
      color={result.ok ? "spruce" : "saffron"}
      icon={<Icon name={result.ok ? "check" : "warning"} />}
      title={result.ok ? "It answers" : "The test failed"}
    >
      {result.ok ? `In ${duration(result.durationMs)}.` : result.message}
    </Alert>
  );
}

/** Of a provider that is called without a credential: whether it answers. */
export function TestServer({ provider }: { provider: Provider }) {
  const may = useMay()("providers.write");
  const [result, setResult] = useState<CredentialTest | "running">();
  const test = async () => {
    setResult("running");
    try {
      setResult(await call<CredentialTest>("POST", `/providers/${provider.id}/test`, { body: {} }));
    } catch (error) {
      setResult(undefined);
      tellProblem(error);
    }
  };
  return (
    <Group mb="md" gap="sm">
      <Button
        size="compact-sm"
        variant="light"
        onClick={() => void test()}
        loading={result === "running"}
        disabled={!may}
      >
        Test {provider.name}
      </Button>
      <span role="status">
        {typeof result === "object" && (
          <Text size="xs" component="span" className={result.ok ? "tone-good" : "tone-bad"}>
            {result.ok ? `answered in ${duration(result.durationMs)}` : result.message}
          </Text>
        )}
      </span>
    </Group>
  );
}

/** Only of what was added here. */
export function RemoveServer({ provider }: { provider: Provider }) {
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [asked, setAsked] = useState(false);
  return (
    <>
      <Button variant="default" onClick={() => setAsked(true)}>
        Remove
      </Button>
      <Ask
        title={`Remove ${provider.name}?`}
        opened={asked}
        close={() => setAsked(false)}
        confirm="Remove"
        isDangerous
        run={async () => {
          await call("DELETE", `/providers/${provider.id}`);
          navigate("/providers");
          await queries.invalidateQueries({ queryKey: ["providers"] });
          tell(`${provider.name} is gone`);
        }}
      >
        Calls to <span className="mono">/{provider.id}</span> are refused from then on; those under way go on.
      </Ask>
    </>
  );
}
