import { Button, MultiSelect, Select, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { all, call } from "../api.ts";
import { ago } from "../format.ts";
import { Ask } from "./ask.tsx";
import { Code } from "./copy.tsx";
import { QueryTable } from "./data-table.tsx";
import { Empty, tell } from "./feedback.tsx";
import { Section } from "./page.tsx";
import { useSession } from "./session.tsx";

interface Token {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expiresAt: string;
  readonly lastUsedAt: string | null;
}

/** Personal tokens for the admin API: for scripts, never for calls to providers. */
export function Tokens() {
  const queries = useQueryClient();
  const { permissions } = useSession();
  const tokens = useQuery({ queryKey: ["me", "tokens"], queryFn: () => all<Token>("/tokens") });
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState("script");
  const [scopes, setScopes] = useState<string[]>([]);
  const [days, setDays] = useState("30");
  const [secret, setSecret] = useState<string>();
  const refresh = () => queries.invalidateQueries({ queryKey: ["me", "tokens"] });
  const [removing, setRemoving] = useState<Token>();
  const add = async () => {
    if (secret !== undefined) return;
    const expiresAt = new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    const made = await call<{ secret: string }>("POST", "/tokens", { body: { name, scopes, expiresAt } });
    setSecret(made.secret);
    await refresh();
    return "stay";
  };
  return (
    <Section
      title="API tokens"
      about="For scripts that administer. A token can do at most what you can, and no more than it says."
      actions={
        <Button
          variant="default"
          onClick={() => {
            setSecret(undefined);
            setAdding(true);
          }}
        >
          New token
        </Button>
      }
    >
      <QueryTable
        caption="API tokens"
        query={tokens}
        rowKey={({ id }) => id}
        columns={[
          {
            title: "Token",
            cell: (one) => (
              <Text size="sm" fw={600}>
                {one.name}
              </Text>
            ),
          },
          {
            title: "May",
            cell: (one) => (
              <Text size="xs" className="mono soft">
                {one.scopes.join(", ")}
              </Text>
            ),
          },
          {
            title: "Used",
            tight: true,
            cell: ({ lastUsedAt }) => (lastUsedAt === null ? "never yet" : ago(lastUsedAt)),
          },
          { title: "Ends", tight: true, cell: ({ expiresAt }) => ago(expiresAt) },
          {
            title: "",
            actions: true,
            tight: true,
            cell: (one) => (
              <Button
                size="compact-xs"
                variant="subtle"
                color="madder"
                aria-label={`Remove the token ${one.name}`}
                onClick={() => setRemoving(one)}
              >
                Remove
              </Button>
            ),
          },
        ]}
        empty={
          <Empty icon="key" title="No tokens">
            Programs that use the admin API as you would need one.
          </Empty>
        }
      />
      <Ask
        title={`Remove the token ${removing?.name}?`}
        opened={removing !== undefined}
        close={() => setRemoving(undefined)}
        confirm="Remove"
        isDangerous
        run={async () => {
          await call("DELETE", `/tokens/${removing?.id}`);
          await refresh();
          tell("The token opens nothing any more");
        }}
      >
        Programs that use it are refused from then on.
      </Ask>
      <Ask
        title="New token"
        opened={adding}
        close={() => {
          setSecret(undefined);
          setAdding(false);
        }}
        confirm={secret === undefined ? "Make the token" : "I have it"}
        run={add}
        isReady={secret !== undefined || (name.trim() !== "" && scopes.length > 0)}
      >
        {secret === undefined ? (
          <>
            <TextInput
              label="Name"
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
              required
              data-autofocus
            />
            <MultiSelect
              label="It may"
              searchable
              data={[...permissions]}
              value={scopes}
              onChange={setScopes}
              required
            />
            <Select
              label="It ends"
              data={[
                { value: "1", label: "in a day" },
                { value: "30", label: "in 30 days" },
                { value: "90", label: "in 90 days" },
                { value: "365", label: "in a year" },
              ]}
              value={days}
              onChange={(value) => setDays(value ?? days)}
            />
          </>
        ) : (
          <>
            <Text size="sm">Copy it now: nobody can show it again.</Text>
            <Code text={secret} what="Token" wrap />
          </>
        )}
      </Ask>
    </Section>
  );
}
