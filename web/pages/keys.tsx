import { ActionIcon, Button, Group, Menu, NumberInput, Select, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { call, type Key, type NewKey } from "../api.ts";
import { ago, day } from "../format.ts";
import { Ask } from "../parts/ask.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Empty, tell, tellProblem } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { leakText } from "../parts/leaks.tsx";
import { NewKeyDialog, SecretDialog } from "../parts/new-key.tsx";
import { Page } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { useSearchState } from "../parts/search-state.ts";
import { useMay } from "../parts/session.tsx";
import { State } from "../parts/state.tsx";

/** All master keys, and what can be done with one. */
export function Keys() {
  const may = useMay();
  const [get, set] = useSearchState();
  const [adding, setAdding] = useState(false);
  const [asked] = useDebouncedValue(get("search"), 250);
  const { query, footer } = usePages<Key>("keys", "/keys", { q: asked, state: get("state") });
  return (
    <Page
      title="Keys"
      about="A master key opens every provider that its holder may use. It is shown once, or claimed by its user with a link, so that nobody else ever sees it."
      actions={
        may("keys.write") && (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding(true)}>
            New key
          </Button>
        )
      }
    >
      <Group mb="sm" gap="sm">
        <TextInput
          aria-label="Search keys"
          placeholder="Name, user or id"
          leftSection={<Icon name="search" size={16} />}
          value={get("search")}
          onChange={(event) => set({ search: event.currentTarget.value })}
          w={{ base: "100%", xs: 260 }}
        />
        <Select
          aria-label="State"
          w={{ base: "100%", xs: 150 }}
          value={get("state")}
          onChange={(state) => set({ state })}
          data={[{ value: "", label: "Any state" }, "active", "frozen", "expired", "revoked"]}
        />
      </Group>
      <KeyTable
        query={query}
        footer={footer}
        add={() => setAdding(true)}
        searched={asked !== "" || get("state") !== ""}
      />
      <NewKeyDialog opened={adding} close={() => setAdding(false)} />
    </Page>
  );
}

type Deed = "rotate" | "revoke" | "rename";

/** Keys with a menu each. */
export function KeyTable(props: {
  query: UseQueryResult<Key[]>;
  footer?: ReactNode;
  withUser?: boolean;
  add: () => void;
  searched?: boolean;
}) {
  const { query, footer, withUser = true, add, searched } = props;
  const may = useMay();
  const queries = useQueryClient();
  const [doing, setDoing] = useState<{ key: Key; deed: Deed }>();
  const [renewed, setRenewed] = useState<NewKey>();
  const change = async (key: Key, body: object, said: string) => {
    await call("PATCH", `/keys/${key.id}`, { body });
    await queries.invalidateQueries({ queryKey: ["keys"] });
    tell(said);
  };
  const freeze = (key: Key, frozen: boolean) =>
    call("POST", `/keys/${key.id}/${frozen ? "freeze" : "unfreeze"}`, frozen ? { body: { now: true } } : {})
      .then(() => queries.invalidateQueries({ queryKey: ["keys"] }))
      .then(() => tell(frozen ? "The key is frozen" : "The key works again"))
      .catch(tellProblem);
  const close = () => setDoing(undefined);
  const key = doing?.key;
  return (
    <>
      <QueryTable
        caption="Master keys"
        query={query}
        footer={footer}
        rowKey={(row) => row.id}
        columns={[
          {
            title: "Key",
            cell: ({ id, name }) => (
              <span>
                <Text component="span" fw={600} size="sm">
                  {name}
                </Text>{" "}
                <span className="mono soft">lmk_{id}…</span>
              </span>
            ),
          },
          ...(withUser
            ? [
                {
                  title: "User",
                  phone: "inline" as const,
                  cell: ({ user }: Key) => (
                    <Link href={`/users/${user.id}`} className="plain-link">
                      {user.name}
                    </Link>
                  ),
                },
                { title: "Group", minor: true, cell: ({ group }: Key) => group.name },
              ]
            : []),
          {
            title: "State",
            phone: "inline" as const,
            cell: ({ state, frozenWhy, previousSecretExpiresAt, leak }) => (
              <>
                <State state={state} />
                {leak != null && (
                  <Text size="xs" c="saffron.9" fw={600} maw={220}>
                    {leakText(leak)}
                  </Text>
                )}
                {frozenWhy != null && (
                  <Text size="xs" c="dimmed" maw={220}>
                    {frozenWhy}
                  </Text>
                )}
                {previousSecretExpiresAt !== null && (
                  <Text size="xs" c="dimmed">
                    old secret until {ago(previousSecretExpiresAt)}
                  </Text>
                )}
              </>
            ),
            tight: true,
          },
          {
            title: "Ends",
            phone: "pair",
            cell: ({ expiresAt }) =>
              expiresAt === null ? <span className="nothing">–</span> : ago(expiresAt),
            tight: true,
          },
          {
            title: "Made",
            minor: true,
            cell: ({ createdAt }) => day(createdAt),
            align: "right",
            tight: true,
          },
          {
            title: "",
            actions: true,
            tight: true,
            align: "right",
            cell: (row) => (
              <Menu width={190}>
                <Menu.Target>
                  <ActionIcon aria-label={`More for the key ${row.name} of ${row.user.name}`}>
                    <Icon name="dots" />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  <Menu.Item
                    component={Link}
                    href={`/requests?key=${row.id}`}
                    leftSection={<Icon name="requests" size={16} />}
                  >
                    Its calls
                  </Menu.Item>
                  <Menu.Item
                    component={Link}
                    href={`/policies/${encodeURIComponent(`key:${row.id}`)}`}
                    leftSection={<Icon name="shield" size={16} />}
                  >
                    Its policy
                  </Menu.Item>
                  {may("keys.write") && (
                    <>
                      <Menu.Divider />
                      <Menu.Item
                        leftSection={<Icon name="rotate" size={16} />}
                        onClick={() => setDoing({ key: row, deed: "rotate" })}
                      >
                        Rotate
                      </Menu.Item>
                      {row.frozenAt != null ? (
                        <Menu.Item
                          leftSection={<Icon name="snow" size={16} />}
                          onClick={() => void freeze(row, false)}
                        >
                          Unfreeze
                        </Menu.Item>
                      ) : (
                        row.state === "active" && (
                          <Menu.Item
                            leftSection={<Icon name="snow" size={16} />}
                            onClick={() => void freeze(row, true)}
                          >
                            Freeze
                          </Menu.Item>
                        )
                      )}
                      {row.state === "revoked" ? (
                        <Menu.Item
                          leftSection={<Icon name="check" size={16} />}
                          onClick={() =>
                            void change(row, { revoked: false }, "The key works again").catch(tellProblem)
                          }
                        >
                          Let in again
                        </Menu.Item>
                      ) : (
                        <Menu.Item
                          color="madder"
                          leftSection={<Icon name="trash" size={16} />}
                          onClick={() => setDoing({ key: row, deed: "revoke" })}
                        >
                          Revoke
                        </Menu.Item>
                      )}
                    </>
                  )}
                </Menu.Dropdown>
              </Menu>
            ),
          },
        ]}
        empty={
          searched ? (
            <Empty icon="search" title="No key is like that">
              Names, users and whole ids are searched.
            </Empty>
          ) : (
            <Empty
              icon="key"
              title="No keys yet"
              action={may("keys.write") && <Button onClick={add}>Make a key</Button>}
            >
              One key opens every provider, and can be taken back alone.
            </Empty>
          )
        }
      />
      {key && (
        <>
          <Ask
            title={`Revoke ${key.name} of ${key.user.name}?`}
            opened={doing.deed === "revoke"}
            close={close}
            confirm="Revoke"
            isDangerous
            run={() => change(key, { revoked: true, now: true }, "The key is revoked")}
          >
            It stops working at once, and answers that are being streamed to it end. Other keys of{" "}
            {key.user.name} go on.
          </Ask>
          <Rotate
            target={key}
            opened={doing.deed === "rotate"}
            close={close}
            done={(made) => {
              setRenewed(made);
              void queries.invalidateQueries({ queryKey: ["keys"] });
            }}
          />
        </>
      )}
      <SecretDialog made={renewed} close={() => setRenewed(undefined)} />
    </>
  );
}

function Rotate(props: { target: Key; opened: boolean; close: () => void; done: (made: NewKey) => void }) {
  const { target, opened, close, done } = props;
  const [hours, setHours] = useState<number | string>(24);
  const run = async () =>
    done(
      await call<NewKey>("POST", `/keys/${target.id}/rotate`, {
        body: { overlapSeconds: Math.round(Number(hours) * 3600) },
      }),
    );
  return (
    <Ask
      title={`Rotate ${target.name} of ${target.user.name}`}
      opened={opened}
      close={close}
      confirm="Rotate"
      run={run}
    >
      <Text size="sm">The key keeps its policy, budgets and history, and gets a new secret.</Text>
      <NumberInput
        label="The old secret goes on for"
        suffix=" hours"
        value={hours}
        onChange={setHours}
        min={0}
        max={8760}
        description="0 ends it at once"
      />
    </Ask>
  );
}
