import {
  Button,
  Card,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Tabs,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import {
  type AskForMore,
  all,
  call,
  type Key,
  type LoggedRequest,
  type Me as Mine,
  type NewKey,
} from "../api.ts";
import { ago, count, dateTime, day, dollars, duration, nanosToDollars, scopeName, short } from "../format.ts";
import { Ask } from "../parts/ask.tsx";
import { askText, LIMITS } from "../parts/ask-text.ts";
import { QueryTable } from "../parts/data-table.tsx";
import { Empty, Failure, Lines, tell } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { MyLeaks } from "../parts/leaks.tsx";
import { BudgetMeter } from "../parts/meters.tsx";
import { SecretDialog } from "../parts/new-key.tsx";
import { Page } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { Setup } from "../parts/setup.tsx";
import { SignInWays } from "../parts/sign-in-ways.tsx";
import { SpendCard } from "../parts/spend.tsx";
import { Outcome, State } from "../parts/state.tsx";

const TABS = [
  { value: "overview", label: "What I have left" },
  { value: "keys", label: "My keys" },
  { value: "calls", label: "My calls" },
  { value: "setup", label: "Set-up" },
  { value: "asks", label: "What I asked for" },
  { value: "sign-in", label: "Signing in" },
] as const;

/** One's own page: nothing of anybody else is on it. */
export function Me({ tab = "overview" }: { tab?: string | undefined }) {
  const [, navigate] = useLocation();
  const me = useQuery({ queryKey: ["me"], queryFn: () => call<Mine>("GET", "/me"), refetchInterval: 15_000 });
  const [asking, setAsking] = useState(false);
  return (
    <Page
      title="My LlaMaKey"
      about="Your keys, what you have left, and how to use it."
      actions={
        <Button
          variant="default"
          leftSection={<Icon name="hand" size={16} />}
          onClick={() => setAsking(true)}
        >
          Ask for more
        </Button>
      }
    >
      <Tabs
        value={tab}
        onChange={(value) => navigate(value === "overview" ? "/me" : `/me/${value}`)}
        keepMounted={false}
      >
        <Tabs.List mb="lg" style={{ overflowX: "auto", flexWrap: "nowrap" }}>
          {TABS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value} className="nowrap">
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview">
          {me.isError ? (
            <Failure error={me.error} retry={() => void me.refetch()} />
          ) : me.isPending ? (
            <Lines />
          ) : (
            <Left me={me.data} />
          )}
        </Tabs.Panel>
        <Tabs.Panel value="keys">
          <MyKeys />
        </Tabs.Panel>
        <Tabs.Panel value="calls">
          <MyCalls />
        </Tabs.Panel>
        <Tabs.Panel value="setup">
          <Card>
            <Setup />
          </Card>
        </Tabs.Panel>
        <Tabs.Panel value="asks">
          <MyAsks ask={() => setAsking(true)} />
        </Tabs.Panel>
        <Tabs.Panel value="sign-in">
          <SignInWays />
        </Tabs.Panel>
      </Tabs>
      {me.data && <AskDialog me={me.data} opened={asking} close={() => setAsking(false)} />}
    </Page>
  );
}

function Left({ me }: { me: Mine }) {
  return (
    <>
      <MyLeaks keys={me.keys} />
      <dl className="tiles" style={{ margin: 0 }}>
        {[
          ["Spent today", dollars(me.today.cost)],
          ["Calls today", short(me.today.requests)],
          ["Tokens today", short(me.today.inputTokens + me.today.outputTokens)],
        ].map(([name, value]) => (
          <div className="tile" key={name}>
            <Text component="dt" size="xs" c="dimmed" fw={550}>
              {name}
            </Text>
            <dd className="tile-value" style={{ margin: "6px 0 0" }}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <SpendCard path="/me/usage" />
      <SimpleGrid cols={{ base: 1, md: 2 }} mt="md" spacing="md">
        <Card>
          <Text component="h2" fw={650} m={0} mb={4}>
            Budgets
          </Text>
          {me.budgets.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nothing limits what you spend. Be kind.
            </Text>
          ) : (
            me.budgets.map((budget) => (
              <BudgetMeter
                key={`${budget.scope}${budget.name}`}
                budget={{ ...budget, ends: budget.periodEnd }}
                own
              />
            ))
          )}
        </Card>
        <Card>
          <Text component="h2" fw={650} m={0} mb="xs">
            What you may use
          </Text>
          <Group gap={6}>
            {me.providers.map(({ id, name }) => (
              <State key={id} state="active" label={name} />
            ))}
          </Group>
          {me.providers.length === 0 && (
            <Text size="sm" c="dimmed">
              No provider yet. Ask for one.
            </Text>
          )}
          {me.models.map(({ scope, patterns }) => (
            <Text size="sm" mt="sm" key={scope}>
              Models: <span className="mono">{patterns.join(", ")}</span>
            </Text>
          ))}
          {me.limits.map(({ scope, ...limits }) => (
            <Text size="sm" mt="sm" key={scope}>
              {scopeName(scope)}: at most{" "}
              {Object.entries(limits)
                .filter(([name]) => name in LIMITS)
                .map(([name, most]) => `${count(Number(most))} ${LIMITS[name]}`)
                .join(", ")}
            </Text>
          ))}
        </Card>
      </SimpleGrid>
    </>
  );
}

function MyKeys() {
  const queries = useQueryClient();
  const keys = useQuery({ queryKey: ["me", "keys"], queryFn: () => all<Key>("/me/keys") });
  const [adding, setAdding] = useState(false);
  const [name, setName] = useState("key");
  const [acting, setActing] = useState<{ key: Key; deed: "rotate" | "revoke" }>();
  const [made, setMade] = useState<NewKey>();
  const changed = () => queries.invalidateQueries({ queryKey: ["me"] });
  const add = async () => {
    setMade(await call<NewKey>("POST", "/me/keys", { body: { name } }));
    await changed();
  };
  const key = acting?.key;
  return (
    <>
      <Group justify="flex-end" mb="sm">
        <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding(true)}>
          New key
        </Button>
      </Group>
      <QueryTable
        caption="My keys"
        query={keys}
        rowKey={({ id }) => id}
        columns={[
          {
            title: "Key",
            cell: ({ id, name: called }) => (
              <span>
                <Text component="span" size="sm" fw={600}>
                  {called}
                </Text>{" "}
                <span className="mono soft">lmk_{id}…</span>
              </span>
            ),
          },
          { title: "State", phone: "corner", tight: true, cell: ({ state }) => <State state={state} /> },
          {
            title: "Ends",
            phone: "pair",
            tight: true,
            cell: ({ expiresAt }) => (expiresAt === null ? "–" : ago(expiresAt)),
          },
          {
            title: "Made",
            phone: "pair",
            tight: true,
            align: "right",
            cell: ({ createdAt }) => day(createdAt),
          },
          {
            title: "",
            phone: "whole",
            tight: true,
            cell: (row) =>
              row.state === "active" ? (
                <Group gap={4} wrap="nowrap">
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    onClick={() => setActing({ key: row, deed: "rotate" })}
                    aria-label={`Rotate ${row.name}`}
                  >
                    Rotate
                  </Button>
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    color="madder"
                    onClick={() => setActing({ key: row, deed: "revoke" })}
                    aria-label={`Revoke ${row.name}`}
                  >
                    Revoke
                  </Button>
                </Group>
              ) : null,
          },
        ]}
        empty={
          <Empty
            icon="key"
            title="You have no key yet"
            action={<Button onClick={() => setAdding(true)}>Make one</Button>}
          >
            One key opens every provider that you may use.
          </Empty>
        }
      />
      <Ask
        title="New key"
        opened={adding}
        close={() => setAdding(false)}
        confirm="Make the key"
        run={add}
        isReady={name.trim() !== ""}
      >
        <TextInput
          label="Name"
          description="What it is for: laptop, ci, a project"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      </Ask>
      <Ask
        title={`Rotate ${key?.name}`}
        opened={acting?.deed === "rotate"}
        close={() => setActing(undefined)}
        confirm="Rotate"
        run={async () => {
          setMade(
            await call<NewKey>("POST", `/me/keys/${key?.id}/rotate`, { body: { overlapSeconds: 86_400 } }),
          );
          await changed();
        }}
      >
        It gets a new secret. The old one goes on for a day, so that you can change it everywhere.
      </Ask>
      <Ask
        title={`Revoke ${key?.name}?`}
        opened={acting?.deed === "revoke"}
        close={() => setActing(undefined)}
        confirm="Revoke"
        isDangerous
        run={async () => {
          await call("POST", `/me/keys/${key?.id}/revoke`, { body: { now: true } });
          await changed();
          tell("The key is revoked");
        }}
      >
        It stops working at once. Your other keys go on.
      </Ask>
      <SecretDialog made={made} close={() => setMade(undefined)} />
    </>
  );
}

function MyCalls() {
  const { query, footer } = usePages<LoggedRequest>("me", "/me/requests");
  return (
    <QueryTable
      caption="My calls, newest first"
      query={query}
      footer={footer}
      rowKey={({ id }) => id}
      columns={[
        { title: "Time", tight: true, cell: ({ at }) => <span title={dateTime(at)}>{ago(at)}</span> },
        {
          title: "Call",
          phone: "whole",
          cell: ({ provider, endpoint, model }) => (
            <span>
              <Text component="span" size="sm" fw={550}>
                {model ?? provider ?? "–"}
              </Text>
              <Text size="xs" c="dimmed" className="mono">
                {provider}
                {endpoint}
              </Text>
            </span>
          ),
        },
        { title: "Answer", phone: "corner", tight: true, cell: (row) => <Outcome {...row} /> },
        {
          title: "Took",
          phone: "inline",
          tight: true,
          align: "right",
          cell: ({ durationMs }) => duration(durationMs),
        },
        {
          title: "Cost",
          phone: "inline",
          tight: true,
          align: "right",
          cell: ({ costNanos }) => dollars(nanosToDollars(costNanos)),
        },
      ]}
      empty={
        <Empty icon="requests" title="You have made no call yet">
          Copy a line from the set-up and run it: the call appears here.
        </Empty>
      }
    />
  );
}

function MyAsks({ ask }: { ask: () => void }) {
  const asks = useQuery({
    queryKey: ["me", "asks"],
    queryFn: () => all<AskForMore>("/me/asks"),
    refetchInterval: 15_000,
  });
  return (
    <QueryTable
      caption="What I asked for"
      query={asks}
      rowKey={({ id }) => id}
      columns={[
        { title: "What", cell: (one) => askText(one) },
        { title: "Why", cell: ({ reason }) => reason },
        {
          title: "State",
          cell: ({ state, answer }) => (
            <>
              <State state={ASK_STATES[state] ?? ""} label={state} />
              {answer !== null && answer !== "" && (
                <Text size="xs" c="dimmed">
                  {answer}
                </Text>
              )}
            </>
          ),
        },
        { title: "When", tight: true, align: "right", cell: ({ createdAt }) => ago(createdAt) },
      ]}
      empty={
        <Empty
          icon="hand"
          title="You have asked for nothing"
          action={<Button onClick={ask}>Ask for more</Button>}
        >
          A larger budget, a higher limit, another model: an administrator grants it with one click.
        </Empty>
      }
    />
  );
}

const ASK_STATES: Readonly<Record<string, string>> = {
  open: "limited",
  granted: "active",
  denied: "revoked",
};

function AskDialog({ me, opened, close }: { me: Mine; opened: boolean; close: () => void }) {
  const queries = useQueryClient();
  const [kind, setKind] = useState(me.budgets.length > 0 ? "budget" : "model");
  const [budget, setBudget] = useState<string | null>(me.budgets[0]?.id ?? null);
  const [limit, setLimit] = useState("requestsPerMinute");
  const [name, setName] = useState("");
  const [amount, setAmount] = useState<number | string>("");
  const [reason, setReason] = useState("");
  const run = async () => {
    const what =
      kind === "budget"
        ? { budget, amount: String(amount) }
        : kind === "limit"
          ? { name: limit, amount: String(amount) }
          : kind === "other"
            ? {}
            : { name };
    await call("POST", "/me/asks", { body: { kind, ...what, reason } });
    await queries.invalidateQueries({ queryKey: ["me"] });
    tell("An administrator sees it now");
  };
  const isReady =
    reason.trim() !== "" &&
    (kind === "other" ||
      (kind === "budget"
        ? budget !== null && amount !== ""
        : kind === "limit"
          ? amount !== ""
          : name !== ""));
  return (
    <Ask title="Ask for more" opened={opened} close={close} confirm="Ask" run={run} isReady={isReady}>
      <Stack gap="sm">
        <Select
          label="What"
          data={[
            ...(me.budgets.length > 0 ? [{ value: "budget", label: "A larger budget" }] : []),
            ...(me.limits.length > 0 ? [{ value: "limit", label: "A higher limit" }] : []),
            { value: "model", label: "Another model" },
            { value: "provider", label: "Another provider" },
            { value: "other", label: "Something else" },
          ]}
          value={kind}
          onChange={(value) => setKind(value ?? kind)}
        />
        {kind === "budget" && (
          <Group grow align="flex-start">
            <Select
              label="Budget"
              data={me.budgets.map(({ id, name: called, scope, amount: has }) => ({
                value: id,
                label: `${called} (${scope}, ${dollars(has)})`,
              }))}
              value={budget}
              onChange={setBudget}
            />
            <NumberInput label="It should have" prefix="$" min={0} value={amount} onChange={setAmount} />
          </Group>
        )}
        {kind === "limit" && (
          <Group grow align="flex-start">
            <Select
              label="Limit"
              data={Object.entries(LIMITS).map(([value, label]) => ({ value, label }))}
              value={limit}
              onChange={(value) => setLimit(value ?? limit)}
            />
            <NumberInput
              label="It should be"
              min={0}
              allowDecimal={false}
              value={amount}
              onChange={setAmount}
            />
          </Group>
        )}
        {(kind === "model" || kind === "provider") && (
          <TextInput
            label={kind === "model" ? "Model" : "Provider"}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <Textarea
          label="Why"
          placeholder="What you need it for"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          rows={3}
          required
        />
      </Stack>
    </Ask>
  );
}
