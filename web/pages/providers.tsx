import {
  ActionIcon,
  Alert,
  Button,
  Card,
  Group,
  Menu,
  NumberInput,
  PasswordInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { all, type Credential, type CredentialTest, call, type Provider } from "../api.ts";
import { ago, day, duration, percent } from "../format.ts";
import { Ask } from "../parts/ask.tsx";
import { CustomServer, RemoveServer, TestServer } from "../parts/custom-server.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Empty, Failure, Lines, tell, tellProblem } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { Page, Section } from "../parts/page.tsx";
import { useMay } from "../parts/session.tsx";
import { State } from "../parts/state.tsx";

/** Where calls go, and the real keys that they go with. */
export function Providers({ id }: { id: string | undefined }) {
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => all<Provider>("/providers") });
  const credentials = useQuery({
    queryKey: ["credentials"],
    queryFn: () => all<Credential>("/credentials"),
    refetchInterval: 10_000,
  });
  if (providers.isPending || credentials.isPending) {
    return (
      <Page title="Providers">
        <Lines />
      </Page>
    );
  }
  if (providers.isError || credentials.isError) {
    return (
      <Page title="Providers">
        <Failure error={providers.error ?? credentials.error} retry={() => void providers.refetch()} />
      </Page>
    );
  }
  const found = providers.data.find((one) => one.id === id);
  if (id !== undefined && found !== undefined) return <OneProvider provider={found} />;
  return <AllProviders providers={providers.data} credentials={credentials.data} />;
}

function AllProviders({
  providers,
  credentials,
}: {
  providers: readonly Provider[];
  credentials: readonly Credential[];
}) {
  const may = useMay();
  const [adding, setAdding] = useState<string>();
  const [server, setServer] = useState(false);
  const [asked, setAsked] = useState("");
  const fits = ({ id, name }: Provider) => `${id} ${name}`.toLowerCase().includes(asked.toLowerCase());
  const inUse = providers.filter((one) => one.credentials > 0 || one.ready);
  const others = providers.filter((one) => !inUse.includes(one) && fits(one));
  const known = new Set(credentials.map(({ provider }) => provider));
  return (
    <Page
      title="Providers"
      about="The real keys live here, sealed. A user's call leaves with one of them, and no user ever sees any."
      actions={
        <>
          {may("providers.write") && (
            <Button variant="default" onClick={() => setServer(true)}>
              Custom server
            </Button>
          )}
          {may("credentials.write") && (
            <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding("")}>
              Add a credential
            </Button>
          )}
        </>
      }
    >
      {inUse.length === 0 ? (
        <Card>
          <Empty
            icon="cloud"
            title="No provider has a key yet"
            action={
              may("credentials.write") && (
                <Button onClick={() => setAdding("")}>Add the first credential</Button>
              )
            }
          >
            Paste a real key of OpenAI, Anthropic or any other, and test it with a call that costs nothing.
          </Empty>
        </Card>
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
          {inUse.map((one) => (
            <Tile
              key={one.id}
              provider={one}
              credentials={credentials.filter(({ provider }) => provider === one.id)}
            />
          ))}
        </SimpleGrid>
      )}
      <Section
        title="Others that are supported"
        about="Each needs a credential to be used."
        actions={
          <TextInput
            aria-label="Search providers"
            placeholder="Search"
            size="xs"
            leftSection={<Icon name="search" size={14} />}
            value={asked}
            onChange={(event) => setAsked(event.currentTarget.value)}
          />
        }
      >
        <Group gap="xs">
          {others
            .filter(({ id }) => !known.has(id))
            .map(({ id, name }) => (
              <Button
                key={id}
                variant="default"
                size="xs"
                fw={500}
                onClick={() => setAdding(id)}
                disabled={!may("credentials.write")}
              >
                {name}
              </Button>
            ))}
          {others.length === 0 && (
            <Text size="sm" c="dimmed">
              None of that name. A server that speaks as OpenAI does can be added as a custom server.
            </Text>
          )}
        </Group>
      </Section>
      <AddCredential key={adding} providers={providers} chosen={adding} close={() => setAdding(undefined)} />
      <CustomServer opened={server} close={() => setServer(false)} />
    </Page>
  );
}

const TONES: Readonly<Record<string, string>> = {
  ready: "good",
  limited: "warn",
  failing: "warn",
  rejected: "bad",
  unusable: "bad",
};

function Tile({ provider, credentials }: { provider: Provider; credentials: readonly Credential[] }) {
  const [, navigate] = useLocation();
  const busy = credentials.reduce((sum, { inFlight }) => sum + inFlight, 0);
  return (
    <Card onClick={() => navigate(`/providers/${provider.id}`)} style={{ cursor: "pointer" }}>
      <Group justify="space-between" wrap="nowrap">
        <Link
          href={`/providers/${provider.id}`}
          style={{ color: "inherit", fontWeight: 650, textDecoration: "none" }}
        >
          {provider.name}
        </Link>
        <State
          state={provider.ready ? "ready" : "unusable"}
          label={provider.ready ? "ready" : "not usable"}
        />
      </Group>
      <Text size="xs" c="dimmed" className="mono" truncate mt={2}>
        {provider.upstream}
      </Text>
      <Stack gap={6} mt="md">
        {credentials.length === 0 && (
          <Text size="sm" c="dimmed">
            Needs no credential
          </Text>
        )}
        {credentials.slice(0, 3).map(({ id, name, masked, state, coolingUntil }) => (
          <Group key={id} gap={8} wrap="nowrap" justify="space-between">
            <Group gap={8} wrap="nowrap" style={{ minWidth: 0 }}>
              <span className="dot" data-tone={TONES[state]} />
              <Text size="sm" truncate>
                {name} <span className="mono soft">{masked}</span>
              </Text>
            </Group>
            <Text size="xs" c="dimmed" className="nowrap">
              {coolingUntil === null ? state : `back ${ago(coolingUntil)}`}
            </Text>
          </Group>
        ))}
        {credentials.length > 3 && (
          <Text size="xs" c="dimmed">
            and {credentials.length - 3} more
          </Text>
        )}
      </Stack>
      {busy > 0 && (
        <Text size="xs" c="dimmed" mt="sm">
          {busy} calls under way
        </Text>
      )}
    </Card>
  );
}

function OneProvider({ provider }: { provider: Provider }) {
  const may = useMay();
  const queries = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<Credential>();
  const [weighing, setWeighing] = useState<Credential>();
  const [tests, setTests] = useState<Readonly<Record<string, CredentialTest | "running">>>({});
  const pool = useQuery({
    queryKey: ["credentials", provider.id],
    queryFn: async () =>
      (await all<Credential>("/credentials")).filter((one) => one.provider === provider.id),
    refetchInterval: 5_000,
  });
  const changed = () => queries.invalidateQueries({ queryKey: ["credentials"] });
  const test = async (id: string) => {
    setTests((before) => ({ ...before, [id]: "running" }));
    try {
      const result = await call<CredentialTest>("POST", `/credentials/${id}/test`, { body: {} });
      setTests((before) => ({ ...before, [id]: result }));
      await changed();
    } catch (error) {
      setTests(({ [id]: _, ...rest }) => rest);
      tellProblem(error);
    }
  };
  return (
    <Page
      title={provider.name}
      about={
        <>
          Calls to <span className="mono">/{provider.id}/…</span> go to{" "}
          <span className="mono">{provider.upstream}</span>
        </>
      }
      actions={
        <>
          <Button component={Link} variant="default" href={`/requests?provider=${provider.id}`}>
            Calls
          </Button>
          <Button component={Link} variant="default" href={`/prices?provider=${provider.id}`}>
            Prices
          </Button>
          {provider.source === "stored" && may("providers.write") && <RemoveServer provider={provider} />}
          {may("credentials.write") && <Button onClick={() => setAdding(true)}>Add a credential</Button>}
        </>
      }
    >
      {provider.unlisted !== null && (
        <Alert color="saffron" mb="md" icon={<Icon name="price" />} title="Not all of it has a list price">
          {provider.unlisted}
        </Alert>
      )}
      {provider.source !== "built_in" && provider.credentials === 0 && provider.ready && (
        <TestServer provider={provider} />
      )}
      <QueryTable
        caption={`Credentials of ${provider.name}`}
        query={pool}
        rowKey={({ id }) => id}
        columns={[
          {
            title: "Credential",
            cell: ({ name, masked, source }) => (
              <span>
                <Text component="span" fw={600} size="sm">
                  {name}
                </Text>{" "}
                <span className="mono soft">{masked}</span>
                {source === "environment" && (
                  <Text size="xs" c="dimmed">
                    from the environment
                  </Text>
                )}
              </span>
            ),
          },
          {
            title: "Health",
            cell: ({ state, coolingUntil, problem, lastError }) => (
              <div>
                <State state={state} />
                {(problem !== null || coolingUntil !== null || lastError !== null) && (
                  <Text size="xs" c="dimmed" mt={3} maw={360}>
                    {problem ??
                      (coolingUntil !== null
                        ? `cools down, back ${ago(coolingUntil)}`
                        : `last error ${ago(lastError?.at ?? null)}`)}
                    {lastError !== null && `: ${saidIn(lastError.message)}`}
                  </Text>
                )}
              </div>
            ),
          },
          { title: "Under way", cell: ({ inFlight }) => inFlight, align: "right", tight: true },
          {
            title: "Share",
            cell: ({ share, weight }) => `${percent(share)} (weight ${weight})`,
            align: "right",
            tight: true,
          },
          { title: "Added", cell: ({ createdAt }) => day(createdAt), align: "right", tight: true },
          {
            title: "Test",
            tight: true,
            cell: ({ id, name }) => {
              const result = tests[id];
              return (
                <Group gap={8} wrap="nowrap">
                  <Button
                    size="compact-sm"
                    variant="light"
                    aria-label={`Test ${name}`}
                    loading={result === "running"}
                    onClick={() => void test(id)}
                    disabled={!may("credentials.write")}
                  >
                    Test
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
            },
          },
          {
            title: "",
            actions: true,
            tight: true,
            cell: (row) =>
              row.source === "stored" && may("credentials.write") ? (
                <Menu>
                  <Menu.Target>
                    <ActionIcon aria-label={`More for ${row.name}`}>
                      <Icon name="dots" />
                    </ActionIcon>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item onClick={() => setWeighing(row)}>Change the weight</Menu.Item>
                    <Menu.Item color="madder" onClick={() => setRemoving(row)}>
                      Remove
                    </Menu.Item>
                  </Menu.Dropdown>
                </Menu>
              ) : null,
          },
        ]}
        empty={
          <Empty
            icon="cloud"
            title={`No credential for ${provider.name}`}
            action={may("credentials.write") && <Button onClick={() => setAdding(true)}>Add one</Button>}
          >
            {provider.ready ? "Calls go there without one." : "Calls are refused until there is one."}
          </Empty>
        }
      />
      <AddCredential
        providers={[provider]}
        chosen={adding ? provider.id : undefined}
        close={() => setAdding(false)}
      />
      {weighing && <Weight credential={weighing} close={() => setWeighing(undefined)} changed={changed} />}
      <Ask
        title={`Remove ${removing?.name}?`}
        opened={removing !== undefined}
        close={() => setRemoving(undefined)}
        confirm="Remove"
        isDangerous
        run={async () => {
          await call("DELETE", `/credentials/${removing?.id}`);
          await changed();
          tell("The credential is gone");
        }}
      >
        The gateway forgets it; at the provider it stays valid until you revoke it there. Calls under way end
        with it.
      </Ask>
    </Page>
  );
}

function Weight({
  credential,
  close,
  changed,
}: {
  credential: Credential;
  close: () => void;
  changed: () => Promise<void>;
}) {
  const [weight, setWeight] = useState<number | string>(credential.weight);
  const run = async () => {
    await call("PATCH", `/credentials/${credential.id}`, { body: { weight: Number(weight) } });
    await changed();
  };
  return (
    <Ask title={`Weight of ${credential.name}`} opened close={close} confirm="Change" run={run}>
      <NumberInput
        label="Weight"
        description="Of two credentials with 2 and 1, the first gets two calls of three."
        min={1}
        max={1000}
        value={weight}
        onChange={setWeight}
        data-autofocus
      />
    </Ask>
  );
}

/** Takes a real key, seals it, and tries it with a call that costs nothing. */
export function AddCredential(props: {
  providers: readonly Provider[];
  /** Undefined: the dialog is closed; empty: the provider is asked for. */
  chosen: string | undefined;
  close: () => void;
  added?: (credential: Credential) => void;
}) {
  const { providers, chosen, close, added } = props;
  const queries = useQueryClient();
  const [provider, setProvider] = useState<string | null>(chosen || null);
  const [name, setName] = useState("main");
  const [secret, setSecret] = useState("");
  const [result, setResult] = useState<CredentialTest>();
  const [id, setId] = useState<string>();
  const target = chosen || provider;
  const isJson = target !== null && /vertex/.test(target);
  const leave = () => {
    setSecret("");
    setResult(undefined);
    setId(undefined);
    close();
  };
  const run = async () => {
    if (id !== undefined) return leave();
    const made = await call<Credential>("POST", "/credentials", {
      body: { provider: target, name, secret: secret.trim() },
    });
    setSecret("");
    setId(made.id);
    setResult(await call<CredentialTest>("POST", `/credentials/${made.id}/test`, { body: {} }));
    await Promise.all([
      queries.invalidateQueries({ queryKey: ["credentials"] }),
      queries.invalidateQueries({ queryKey: ["providers"] }),
    ]);
    added?.(made);
    return "stay";
  };
  const secretProps = {
    label: isJson ? "Service account (JSON)" : "Secret",
    description: "It is sealed at once and never shown again.",
    value: secret,
    required: true,
    autoComplete: "off",
  };
  return (
    <Ask
      title="Add a credential"
      opened={chosen !== undefined}
      close={leave}
      confirm={id === undefined ? "Add and test" : "Done"}
      run={run}
      isReady={id !== undefined || (target !== null && secret.trim() !== "")}
    >
      {id === undefined ? (
        <>
          {!chosen && (
            <Select
              label="Provider"
              searchable
              data={providers.map((one) => ({ value: one.id, label: one.name }))}
              value={provider}
              onChange={setProvider}
              required
              data-autofocus
            />
          )}
          {chosen && providers.length > 0 && (
            <Text size="sm">For {providers.find((one) => one.id === chosen)?.name}</Text>
          )}
          {isJson ? (
            <Textarea
              {...secretProps}
              rows={6}
              className="mono"
              onChange={(event) => setSecret(event.currentTarget.value)}
            />
          ) : (
            <PasswordInput {...secretProps} onChange={(event) => setSecret(event.currentTarget.value)} />
          )}
          <TextInput
            label="Name"
            description="To tell it from others of the same provider"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        </>
      ) : (
        <div role="status">
          {result && (
            <Alert
              color={result.ok ? "spruce" : "saffron"}
              icon={<Icon name={result.ok ? "check" : "warning"} />}
              title={result.ok ? "It works" : "It is stored, but the test failed"}
            >
              {result.ok
                ? `The provider answered in ${duration(result.durationMs)}. Calls go out with it from now on.`
                : result.message}
            </Alert>
          )}
        </div>
      )}
    </Ask>
  );
}

/** What a provider's error says, without the JSON around it. */
function saidIn(text: string): string {
  try {
    const { error, message } = JSON.parse(text) as {
      error?: { message?: string } | string;
      message?: string;
    };
    return (typeof error === "string" ? error : error?.message) ?? message ?? text;
  } catch {
    return text;
  }
}
