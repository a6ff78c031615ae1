import { Alert, Button, Card, Group, Stack, Text, TextInput, ThemeIcon } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Link } from "wouter";
import {
  all,
  type Credential,
  call,
  type Page as ListPage,
  type LoggedRequest,
  type NewKey,
  type Provider,
  type User,
} from "../api.ts";
import { dollars, duration, nanosToDollars } from "../format.ts";
import { Failure } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { Page } from "../parts/page.tsx";
import { Setup } from "../parts/setup.tsx";
import { Outcome } from "../parts/state.tsx";
import { AddCredential } from "./providers.tsx";

/** From nothing to the first call: a provider's key, a user, a line to copy. */
export function Welcome() {
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => all<Provider>("/providers") });
  const credentials = useQuery({ queryKey: ["credentials"], queryFn: () => all<Credential>("/credentials") });
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<NewKey>();
  const usable = credentials.data?.filter(({ usable, state }) => usable && state !== "rejected") ?? [];
  return (
    <Page
      title="Three steps to the first call"
      about="They can be taken in any order, and again whenever you like."
    >
      <ol className="steps">
        <Step number={1} title="Give it a provider's key, and test it" done={usable.length > 0}>
          {usable.length > 0 && (
            <Text size="sm">
              {usable.map(({ provider, masked }) => `${provider} (${masked})`).join(", ")}{" "}
              {usable.length === 1 ? "is" : "are"} ready.
            </Text>
          )}
          <Group>
            <Button variant={usable.length > 0 ? "default" : "filled"} onClick={() => setAdding(true)}>
              {usable.length > 0 ? "Add another" : "Add a credential"}
            </Button>
          </Group>
        </Step>
        <Step number={2} title="Make a user with a master key" done={made !== undefined}>
          {made === undefined ? (
            <MakeUser done={setMade} />
          ) : (
            <Text size="sm">{made.key.user.name} has a key of their own now.</Text>
          )}
        </Step>
        <Step number={3} title="Copy the exports, and make a call" done={false}>
          {made === undefined ? (
            <Text size="sm" c="dimmed">
              The lines to copy will stand here, with the key in them.
            </Text>
          ) : (
            <>
              <Setup secret={made.secret} />
              <FirstCall keyId={made.key.id} />
            </>
          )}
        </Step>
      </ol>
      <AddCredential
        key={String(adding)}
        providers={providers.data ?? []}
        chosen={adding ? "" : undefined}
        close={() => setAdding(false)}
      />
    </Page>
  );
}

function Step({
  number,
  title,
  done,
  children,
}: {
  number: number;
  title: string;
  done: boolean;
  children: ReactNode;
}) {
  return (
    <Card component="li">
      <Group align="flex-start" wrap="nowrap" gap="md">
        <ThemeIcon
          radius="xl"
          size={30}
          variant={done ? "filled" : "light"}
          aria-label={done ? "Done" : `Step ${number}`}
          role="img"
        >
          {done ? <Icon name="check" size={16} /> : number}
        </ThemeIcon>
        <Stack gap="sm" style={{ flex: 1, minWidth: 0 }}>
          <Text component="h2" fw={650} m={0} mt={3}>
            {title}
          </Text>
          {children}
        </Stack>
      </Group>
    </Card>
  );
}

function MakeUser({ done }: { done: (made: NewKey) => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const user = await call<User>("POST", "/users", { body: { name } });
      done(await call<NewKey>("POST", "/keys", { body: { user: user.id, name: "first" } }));
      await Promise.all([
        queries.invalidateQueries({ queryKey: ["users"] }),
        queries.invalidateQueries({ queryKey: ["keys"] }),
      ]);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={(event) => void run(event)}>
      <Stack gap="sm">
        <Group align="flex-end">
          <TextInput
            label="Name"
            placeholder="A person or a program"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            required
            w={260}
          />
          <Button type="submit" loading={busy} disabled={name.trim() === ""}>
            Make user and key
          </Button>
        </Group>
        {error !== undefined && <Failure error={error} />}
      </Stack>
    </form>
  );
}

/** Waits for the key's first call, and shows it as it comes in. */
function FirstCall({ keyId }: { keyId: string }) {
  const first = useQuery({
    queryKey: ["requests", "first", keyId],
    queryFn: async () => {
      const page = await call<ListPage<LoggedRequest>>("GET", "/requests", {
        query: { key: keyId, limit: 1 },
      });
      return page.items[0] ?? null;
    },
    refetchInterval: ({ state }) => (state.data ? false : 1000),
  });
  const row = first.data;
  return (
    <div aria-live="polite">
      {row ? (
        <Alert color="spruce" icon={<Icon name="check" />} title="The first call is here" className="arrived">
          <Group gap="md">
            <Outcome {...row} />
            <Text size="sm">
              {row.model ?? row.provider} in {duration(row.durationMs)} for{" "}
              {dollars(nanosToDollars(row.costNanos))}
            </Text>
            <Button component={Link} href={`/requests/${row.id}`} size="compact-sm" variant="light">
              Look at it
            </Button>
          </Group>
        </Alert>
      ) : (
        <Group gap={10}>
          <span className="dot" data-tone="good" data-live="true" />
          <Text size="sm" c="dimmed">
            Waiting for the first call: it appears here by itself.
          </Text>
        </Group>
      )}
    </div>
  );
}
