import { Button, Card, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { all, call } from "../api.ts";
import { ago, day } from "../format.ts";
import { Ask } from "./ask.tsx";
import { QueryTable } from "./data-table.tsx";
import { Empty, Failure, tell } from "./feedback.tsx";
import { Icon } from "./icons.tsx";
import { Section } from "./page.tsx";
import { makePasskey } from "./passkey.ts";
import { useSession } from "./session.tsx";
import { Tokens } from "./tokens.tsx";
import { oidcStart, useWays } from "./ways.ts";

interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}
interface OpenSession {
  readonly id: string;
  readonly current: boolean;
  readonly method: string;
  readonly lastSeenAt: string;
  readonly address: string | null;
  readonly agent: string;
}

/** What is asked before something ends. */
interface Ending {
  readonly path: string;
  readonly title: string;
  readonly confirm: string;
  readonly about: string;
  readonly said: string;
}

/** How whoever is signed in comes in: passkeys, a password; and where they are signed in. */
export function SignInWays() {
  const queries = useQueryClient();
  const { hasPassword } = useSession();
  const oidc = useWays().data?.methods.oidc;
  const passkeys = useQuery({ queryKey: ["me", "passkeys"], queryFn: () => all<Passkey>("/me/passkeys") });
  const sessions = useQuery({ queryKey: ["me", "sessions"], queryFn: () => all<OpenSession>("/sessions") });
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState("this device");
  const refresh = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["me"] }),
      queries.invalidateQueries({ queryKey: ["session"] }),
    ]);
  // Asked for: a second press, meant for the same row, would meet the one that has taken its place.
  const [ending, setEnding] = useState<Ending>();
  return (
    <>
      <Section
        title="Passkeys"
        about="Your device shows who you are: nothing to remember, and nothing that a false page could steal."
        mt="0"
        actions={
          <Button leftSection={<Icon name="fingerprint" size={16} />} onClick={() => setAdding(true)}>
            Add a passkey
          </Button>
        }
      >
        <QueryTable
          caption="Passkeys"
          query={passkeys}
          rowKey={({ id }) => id}
          columns={[
            {
              title: "Passkey",
              cell: (one) => (
                <Text size="sm" fw={600}>
                  {one.name}
                </Text>
              ),
            },
            {
              title: "Used",
              phone: "pair",
              cell: ({ lastUsedAt }) => (lastUsedAt === null ? "never yet" : ago(lastUsedAt)),
            },
            {
              title: "Added",
              phone: "pair",
              align: "right",
              tight: true,
              cell: ({ createdAt }) => day(createdAt),
            },
            {
              title: "",
              actions: true,
              tight: true,
              cell: (one) => (
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color="madder"
                  aria-label={`Remove the passkey ${one.name}`}
                  onClick={() =>
                    setEnding({
                      path: `/me/passkeys/${encodeURIComponent(one.id)}`,
                      title: `Remove the passkey ${one.name}?`,
                      confirm: "Remove",
                      about: "Whoever has it does not come in with it any more.",
                      said: "The passkey is removed",
                    })
                  }
                >
                  Remove
                </Button>
              ),
            },
          ]}
          empty={
            <Empty icon="fingerprint" title="No passkey yet">
              With one, the next sign-in is a touch.
            </Empty>
          }
        />
      </Section>
      <Section
        title={hasPassword ? "Change the password" : "Set a password"}
        about="Where a passkey is not at hand. Your other sessions end with the change."
      >
        <Password done={refresh} />
      </Section>
      {oidc && (
        <Section
          title="Single sign-on"
          about="Connected once, the company's account signs you in as who you are here."
          actions={
            <Button component="a" href={oidcStart("connect")} variant="default">
              Connect: {oidc.name}
            </Button>
          }
        >
          {null}
        </Section>
      )}
      <Tokens />
      <Section title="Where you are signed in">
        <QueryTable
          caption="Open sessions"
          query={sessions}
          rowKey={({ id }) => id}
          columns={[
            {
              title: "Browser",
              cell: ({ agent, current }) => (
                <Text size="sm" fw={current ? 600 : 400}>
                  {browserOf(agent)}
                  {current && <span className="soft"> · this one</span>}
                </Text>
              ),
            },
            { title: "By", tight: true, phone: "inline", cell: ({ method }) => method },
            {
              title: "From",
              tight: true,
              phone: "inline",
              cell: ({ address }) => <span className="mono">{address ?? "–"}</span>,
            },
            {
              title: "Seen",
              tight: true,
              phone: "inline",
              align: "right",
              cell: ({ lastSeenAt }) => ago(lastSeenAt),
            },
            {
              title: "",
              actions: true,
              tight: true,
              cell: ({ id, current, agent }) =>
                current ? null : (
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="madder"
                    aria-label={`End the session in ${browserOf(agent)}`}
                    onClick={() =>
                      setEnding({
                        path: `/sessions/${id}`,
                        title: `End the session in ${browserOf(agent)}?`,
                        confirm: "End it",
                        about: "Whoever is signed in there has to sign in again.",
                        said: "The session has ended",
                      })
                    }
                  >
                    End
                  </Button>
                ),
            },
          ]}
          empty={<Empty icon="me" title="Nowhere" />}
        />
      </Section>
      <Ask
        title={ending?.title ?? ""}
        opened={ending !== undefined}
        close={() => setEnding(undefined)}
        confirm={ending?.confirm ?? ""}
        isDangerous
        run={async () => {
          await call("DELETE", ending?.path ?? "");
          await refresh();
          tell(ending?.said ?? "");
        }}
      >
        {ending?.about}
      </Ask>
      <Ask
        title="Add a passkey"
        opened={adding}
        close={() => setAdding(false)}
        confirm="Go on"
        run={async () => {
          await makePasskey(name);
          await refresh();
          tell("The passkey is added");
        }}
      >
        <TextInput
          label="Name"
          description="To tell it from others"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
          required
        />
      </Ask>
    </>
  );
}

function Password({ done }: { done: () => Promise<unknown> }) {
  const { hasPassword, user } = useSession();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await call("PUT", "/me/password", { body: { password } });
      setPassword("");
      await done();
      tell("The password is set");
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card maw={460}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="sm">
          <input type="text" autoComplete="username" value={user.name} readOnly hidden />
          <PasswordInput
            label="New password"
            description="A sentence is easier to keep than a riddle."
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="new-password"
            required
          />
          {error !== undefined && <Failure error={error} />}
          <Group>
            <Button type="submit" variant="default" loading={busy}>
              {hasPassword ? "Change it" : "Set it"}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

/** "Firefox on Linux". */
function browserOf(agent: string): string {
  const browser = /Edg|Firefox|Chrome|Safari/.exec(agent)?.[0] ?? "A browser";
  const system = /Windows|Android|iPhone|iPad|Mac OS|Linux/.exec(agent)?.[0];
  return system === undefined ? browser : `${browser.replace("Edg", "Edge")} on ${system}`;
}
