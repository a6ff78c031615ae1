import {
  ActionIcon,
  Alert,
  Anchor,
  Button,
  Card,
  Checkbox,
  Group,
  JsonInput,
  MultiSelect,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import {
  all,
  type Budget,
  call,
  type Explanation,
  type PolicyDocument,
  type Provider,
  type ScopePolicy,
  type User,
  type Group as UserGroup,
} from "../api.ts";
import { count, dollars, period, scopeName, words } from "../format.ts";
import { Ask } from "../parts/ask.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Empty, Failure, Lines, tell, tellProblem } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { BudgetMeter } from "../parts/meters.tsx";
import { Page, Section } from "../parts/page.tsx";
import { useMay } from "../parts/session.tsx";

/** What is allowed, how fast, and for how much. */
export function Policies({ scope }: { scope: string | undefined }) {
  if (scope !== undefined) return <OneScope key={scope} scope={decodeURIComponent(scope)} />;
  return <AllPolicies />;
}

function AllPolicies() {
  const [, navigate] = useLocation();
  const policies = useQuery({ queryKey: ["policies"], queryFn: () => all<ScopePolicy>("/policies") });
  const budgets = useQuery({ queryKey: ["budgets"], queryFn: () => all<Budget>("/budgets") });
  return (
    <Page
      title="Policies"
      about="Organisation, group, user and key: all that apply to a call apply together, and the strictest wins. What is empty restricts nothing."
      actions={<ScopePicker go={(scope) => navigate(`/policies/${encodeURIComponent(scope)}`)} />}
    >
      <QueryTable
        caption="Scopes with a policy"
        query={policies}
        rowKey={({ scope }) => scope}
        open={({ scope }) => navigate(`/policies/${encodeURIComponent(scope)}`)}
        columns={[
          {
            title: "Scope",
            cell: ({ scope }) => (
              <Link
                href={`/policies/${encodeURIComponent(scope)}`}
                style={{ color: "inherit", fontWeight: 600, textDecoration: "none" }}
              >
                {scopeName(scope)}
              </Link>
            ),
          },
          { title: "Allows only", cell: ({ policy }) => allowed(policy) },
          { title: "Limits", cell: ({ policy }) => limitsText(policy) },
          {
            title: "Budgets",
            align: "right",
            cell: ({ scope }) => {
              const own = budgets.data?.filter((one) => one.scope === scope) ?? [];
              return own.length === 0
                ? "–"
                : own.map(({ id, left, amount, per }) => (
                    <div key={id} className="nowrap">
                      {dollars(left)}{" "}
                      <span className="soft">
                        of {dollars(amount)} {period(per)}
                      </span>
                    </div>
                  ));
            },
          },
        ]}
        empty={
          <Empty
            icon="shield"
            title="Nothing is restricted"
            action={
              <Button component={Link} href="/policies/organisation">
                Set a budget for everybody
              </Button>
            }
          >
            Every key may call every provider, without limit. A monthly budget on the whole organisation is a
            good first rule.
          </Empty>
        }
      />
      <Section
        title="What would happen to this call?"
        about="The answer takes the very steps that a real call takes, and sends nothing."
      >
        <ExplainCall />
      </Section>
    </Page>
  );
}

function allowed({ providers, models, endpoints, networks }: PolicyDocument): string {
  const lists = [providers, models, endpoints, networks].flatMap((list) => list ?? []);
  if (lists.length === 0) return "–";
  return lists.slice(0, 4).join(", ") + (lists.length > 4 ? ` and ${lists.length - 4} more` : "");
}

function limitsText({ limits }: PolicyDocument): string {
  if (limits === undefined) return "–";
  const { requestsPerMinute, tokensPerMinute, concurrentRequests } = limits;
  return [
    requestsPerMinute !== undefined && `${count(requestsPerMinute)} requests/min`,
    tokensPerMinute !== undefined && `${count(tokensPerMinute)} tokens/min`,
    concurrentRequests !== undefined && `${concurrentRequests} at once`,
  ]
    .filter(Boolean)
    .join(", ");
}

/** Chooses whose policy to look at. */
function ScopePicker({ go }: { go: (scope: string) => void }) {
  const groups = useQuery({ queryKey: ["groups"], queryFn: () => all<UserGroup>("/groups") });
  const users = useQuery({ queryKey: ["users"], queryFn: () => all<User>("/users") });
  const named = (kind: string, things: readonly { name: string }[] | undefined) =>
    things?.map(({ name }) => ({ value: `${kind}:${name}`, label: name })) ?? [];
  return (
    <Select
      aria-label="Open the policy of"
      placeholder="Open the policy of…"
      searchable
      limit={60}
      value={null}
      w={240}
      onChange={(scope) => scope !== null && go(scope)}
      data={[
        { group: "All", items: [{ value: "organisation", label: "Whole organisation" }] },
        { group: "Groups", items: named("group", groups.data) },
        { group: "Users", items: named("user", users.data) },
      ]}
    />
  );
}

function OneScope({ scope }: { scope: string }) {
  const policy = useQuery({
    queryKey: ["policies", scope],
    queryFn: () => call<ScopePolicy>("GET", `/policies/${encodeURIComponent(scope)}`),
  });
  return (
    <Page
      title={scopeName(scope)}
      about={
        <>
          <Anchor component={Link} href="/policies" underline="always">
            Policies
          </Anchor>{" "}
          · what holds for {scope === "organisation" ? "everybody" : `this ${scope.split(":")[0]}`}, on top of
          what holds above it
        </>
      }
    >
      {policy.isError ? (
        <Failure error={policy.error} retry={() => void policy.refetch()} />
      ) : policy.isPending ? (
        <Lines />
      ) : (
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg" style={{ alignItems: "start" }}>
          <PolicyForm key={policy.data.version} scope={scope} stored={policy.data} />
          <BudgetsOf scope={scope} />
        </SimpleGrid>
      )}
    </Page>
  );
}

const SHARING = [
  { value: "", label: "as above it (own, if nothing says otherwise)" },
  { value: "own", label: "own only" },
  { value: "group", label: "those of the group" },
  { value: "all", label: "everybody's" },
];

function PolicyForm({ scope, stored }: { scope: string; stored: ScopePolicy }) {
  const queries = useQueryClient();
  const readOnly = !useMay()("policies.write");
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => all<Provider>("/providers") });
  const { limits = {}, ownKeys, ...policy } = stored.policy;
  const [draft, setDraft] = useState<PolicyDocument>(policy);
  const [numbers, setNumbers] = useState<Record<string, number | string>>({
    ...limits,
    ...(ownKeys !== undefined && { ownKeys }),
  });
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const set = (change: Partial<PolicyDocument>) => setDraft((before) => ({ ...before, ...change }));
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const list = (values: readonly string[] | undefined) =>
      values === undefined || values.length === 0 ? null : values;
    const limit = (name: string) =>
      numbers[name] === undefined || numbers[name] === "" ? null : Number(numbers[name]);
    const body = {
      providers: list(draft.providers),
      models: list(draft.models),
      endpoints: list(draft.endpoints),
      networks: list(draft.networks),
      limits: {
        requestsPerMinute: limit("requestsPerMinute"),
        tokensPerMinute: limit("tokensPerMinute"),
        concurrentRequests: limit("concurrentRequests"),
      },
      sharing: draft.sharing || null,
      capOutput: draft.capOutput ?? null,
      leakedKeys: draft.leakedKeys ?? null,
      shadow: draft.shadow || null,
      // Sent where it is or was said: how many keys users may make themselves.
      ...((stored.policy.ownKeys !== undefined || limit("ownKeys") !== null) && {
        ownKeys: limit("ownKeys"),
      }),
    };
    try {
      const changed = await call<ScopePolicy & { warnings: string[]; changes: unknown[] }>(
        "PATCH",
        `/policies/${encodeURIComponent(scope)}`,
        {
          query: { version: stored.version },
          body,
        },
      );
      tell(changed.changes.length === 0 ? "Nothing is different" : "The policy is in force");
      for (const warning of changed.warnings) tellProblem(new Error(warning));
      await queries.invalidateQueries({ queryKey: ["policies"] });
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const numeric = (name: string, label: string) => (
    <NumberInput
      label={label}
      value={numbers[name] ?? ""}
      min={0}
      thousandSeparator=","
      placeholder="no limit"
      readOnly={readOnly}
      onChange={(value) => setNumbers((before) => ({ ...before, [name]: value }))}
    />
  );
  const tags = (
    name: "models" | "endpoints" | "networks",
    label: string,
    placeholder: string,
    description: string,
  ) => (
    <TagsInput
      label={label}
      description={description}
      placeholder={draft[name]?.length ? "" : placeholder}
      value={draft[name] ?? []}
      onChange={(value) => set({ [name]: value })}
      readOnly={readOnly}
    />
  );
  return (
    <Card component="form" onSubmit={(event) => void save(event)}>
      <Stack gap="md">
        <Text component="h2" fw={650} m={0}>
          Rules
        </Text>
        <MultiSelect
          label="Providers"
          description="Only these"
          placeholder={draft.providers?.length ? "" : "all"}
          searchable
          clearable
          data={[...new Set([...(providers.data ?? []).map(({ id }) => id), ...(draft.providers ?? [])])]}
          value={draft.providers ?? []}
          onChange={(value) => set({ providers: value })}
          readOnly={readOnly}
        />
        {tags("models", "Models", "gpt-5*, claude-*", "Only these names; * stands for anything")}
        {tags("endpoints", "Endpoints", "POST /openai/v1/chat/**", "Only these methods and paths")}
        {tags("networks", "Networks", "10.0.0.0/8", "Only from these addresses")}
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          {numeric("requestsPerMinute", "Requests a minute")}
          {numeric("tokensPerMinute", "Tokens a minute")}
          {numeric("concurrentRequests", "At once")}
          {numeric("ownKeys", "Keys of one's own")}
        </SimpleGrid>
        <Select
          label="Files, batches and threads that may be read"
          data={SHARING}
          value={draft.sharing ?? ""}
          onChange={(value) => set({ sharing: (value || undefined) as never })}
          readOnly={readOnly}
        />
        <Checkbox
          label="A call may be given a cap on its output, so that it fits a small budget"
          checked={draft.capOutput ?? true}
          onChange={(event) => set({ capOutput: event.currentTarget.checked })}
          disabled={readOnly}
        />
        <Checkbox
          label="Keys that are seen in a prompt or a URL are frozen, and not only reported"
          checked={draft.leakedKeys === "freeze"}
          onChange={(event) => set({ leakedKeys: event.currentTarget.checked ? "freeze" : "report" })}
          disabled={readOnly}
        />
        <Switch
          label="Shadow mode: refuse nothing, note what would be refused"
          checked={draft.shadow ?? false}
          onChange={(event) => set({ shadow: event.currentTarget.checked })}
          disabled={readOnly}
        />
        {error !== undefined && <Failure error={error} />}
        {!readOnly && (
          <Group>
            <Button type="submit" loading={busy}>
              Put in force
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}

function BudgetsOf({ scope }: { scope: string }) {
  const queries = useQueryClient();
  const may = useMay()("policies.write");
  const [editing, setEditing] = useState<Partial<Budget>>();
  const [removing, setRemoving] = useState<Budget>();
  const budgets = useQuery({
    queryKey: ["budgets", scope],
    queryFn: () => all<Budget>("/budgets", { scope }),
    refetchInterval: 10_000,
  });
  const changed = () => queries.invalidateQueries({ queryKey: ["budgets"] });
  return (
    <div>
      <Card>
        <Group justify="space-between" mb="xs">
          <Text component="h2" fw={650} m={0}>
            Budgets
          </Text>
          {may && (
            <Button size="compact-sm" variant="light" onClick={() => setEditing({})}>
              New budget
            </Button>
          )}
        </Group>
        {budgets.isError ? (
          <Failure error={budgets.error} />
        ) : budgets.isPending ? (
          <Lines count={2} />
        ) : budgets.data.length === 0 ? (
          <Text size="sm" c="dimmed">
            None here. A budget is held before a call is sent, so it is never exceeded: not by many calls at
            once, and not after a crash.
          </Text>
        ) : (
          budgets.data.map((budget) => (
            <Group key={budget.id} gap="xs" wrap="nowrap" align="flex-start">
              <div style={{ flex: 1, minWidth: 0 }}>
                <BudgetMeter budget={{ ...budget, ends: budget.periodEnd }} own />
              </div>
              {may && (
                <Group gap={2} wrap="nowrap" mt={6}>
                  <ActionIcon
                    aria-label={`Change the budget ${budget.name}`}
                    onClick={() => setEditing(budget)}
                  >
                    <Icon name="pencil" size={16} />
                  </ActionIcon>
                  <ActionIcon
                    aria-label={`Remove the budget ${budget.name}`}
                    onClick={() => setRemoving(budget)}
                  >
                    <Icon name="trash" size={16} />
                  </ActionIcon>
                </Group>
              )}
            </Group>
          ))
        )}
      </Card>
      {editing && <BudgetDialog scope={scope} budget={editing} close={() => setEditing(undefined)} />}
      <Ask
        title={`Remove the budget ${removing?.name}?`}
        opened={removing !== undefined}
        close={() => setRemoving(undefined)}
        confirm="Remove"
        isDangerous
        run={async () => {
          await call("DELETE", `/budgets/${removing?.id}`);
          await changed();
        }}
      >
        It restricts nothing any more. What was spent stays in the ledger.
      </Ask>
    </div>
  );
}

const PERIODS = [
  { value: "day", label: "a day" },
  { value: "week", label: "a week" },
  { value: "month", label: "a month" },
  { value: "quarter", label: "a quarter" },
  { value: "total", label: "in total" },
];

/** A budget of a scope: made, or changed by its name. */
function BudgetDialog({
  scope,
  budget,
  close,
}: {
  scope: string;
  budget: Partial<Budget>;
  close: () => void;
}) {
  const queries = useQueryClient();
  const [name, setName] = useState(budget.name ?? "budget");
  const [amount, setAmount] = useState<number | string>(budget.amount ?? "");
  const [per, setPer] = useState(budget.per ?? "month");
  const [provider, setProvider] = useState(budget.provider ?? "");
  const [model, setModel] = useState(budget.model ?? "");
  const run = async () => {
    const thresholds = budget.thresholds ?? [50, 80, 100];
    await call("PUT", "/budgets", {
      body: {
        scope,
        name,
        amount: String(amount),
        per,
        provider: provider || null,
        model: model || null,
        thresholds,
        shadow: budget.shadow ?? false,
      },
    });
    await queries.invalidateQueries({ queryKey: ["budgets"] });
    tell("The budget is in force");
  };
  const isKnown = PERIODS.some(({ value }) => value === per);
  return (
    <Ask
      title={budget.id === undefined ? "New budget" : `Budget ${budget.name}`}
      opened
      close={close}
      confirm="Put in force"
      run={run}
      isReady={amount !== ""}
    >
      <Text size="sm">For {scopeName(scope)}</Text>
      <Group grow align="flex-start">
        <NumberInput
          label="Amount"
          prefix="$"
          min={0}
          decimalScale={9}
          thousandSeparator=","
          value={amount}
          onChange={setAmount}
          required
          data-autofocus
        />
        <Select
          label="Period"
          data={isKnown ? PERIODS : [...PERIODS, { value: per, label: period(per) }]}
          value={per}
          onChange={(value) => setPer(value ?? per)}
        />
      </Group>
      <TextInput
        label="Name"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        readOnly={budget.id !== undefined}
      />
      <Group grow align="flex-start">
        <TextInput
          label="Provider"
          placeholder="all"
          value={provider}
          onChange={(event) => setProvider(event.currentTarget.value)}
        />
        <TextInput
          label="Model"
          placeholder="all"
          value={model}
          onChange={(event) => setModel(event.currentTarget.value)}
        />
      </Group>
    </Ask>
  );
}

const EXAMPLES: Readonly<Record<string, { path: string; body: object }>> = {
  openai: {
    path: "/v1/chat/completions",
    body: { model: "gpt-5", messages: [{ role: "user", content: "Hello" }] },
  },
  anthropic: {
    path: "/v1/messages",
    body: { model: "claude-sonnet-5", max_tokens: 1000, messages: [{ role: "user", content: "Hello" }] },
  },
};
const OTHER = {
  path: "/v1/chat/completions",
  body: { model: "", messages: [{ role: "user", content: "Hello" }] },
};

/** Describes a call and shows who decides about it. */
function ExplainCall() {
  const users = useQuery({ queryKey: ["users"], queryFn: () => all<User>("/users") });
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => all<Provider>("/providers") });
  const [user, setUser] = useState<string | null>(null);
  const [provider, setProvider] = useState("openai");
  const [path, setPath] = useState("/v1/chat/completions");
  const [body, setBody] = useState(JSON.stringify(EXAMPLES["openai"]?.body, null, 2));
  const [found, setFound] = useState<Explanation>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const choose = (id: string | null) => {
    if (id === null) return;
    const example = EXAMPLES[id] ?? OTHER;
    setProvider(id);
    setPath(example.path);
    setBody(JSON.stringify(example.body, null, 2));
  };
  const ask = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      setFound(
        await call<Explanation>("POST", "/policies/explain", {
          body: { user, provider, path, method: "POST", body },
        }),
      );
    } catch (failure) {
      setFound(undefined);
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card>
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
        <form onSubmit={(event) => void ask(event)}>
          <Stack gap="sm">
            <Group grow align="flex-start">
              <Select
                label="User"
                searchable
                limit={60}
                data={users.data?.map(({ name }) => name) ?? []}
                value={user}
                onChange={setUser}
                placeholder="Who calls"
                required
              />
              <Select
                label="Provider"
                searchable
                data={providers.data?.map(({ id }) => id) ?? []}
                value={provider}
                onChange={choose}
              />
            </Group>
            <TextInput
              label="Path"
              value={path}
              onChange={(event) => setPath(event.currentTarget.value)}
              classNames={{ input: "mono" }}
            />
            <JsonInput
              label="Body"
              rows={7}
              value={body}
              onChange={setBody}
              classNames={{ input: "mono" }}
              size="sm"
            />
            <Group>
              <Button type="submit" loading={busy} disabled={user === null}>
                Ask
              </Button>
            </Group>
          </Stack>
        </form>
        <div aria-live="polite">
          {error !== undefined && <Failure error={error} />}
          {found && <Verdict found={found} />}
          {found === undefined && error === undefined && (
            <Text size="sm" c="dimmed" mt={26}>
              Who decides, what it can cost at most, and what is left of each budget will stand here.
            </Text>
          )}
        </div>
      </SimpleGrid>
    </Card>
  );
}

function Verdict({
  found: { allowed: isAllowed, refusal, answers, budgets, admission, limits },
}: {
  found: Explanation;
}) {
  return (
    <Stack gap="md">
      <Alert
        color={isAllowed ? "spruce" : "saffron"}
        icon={<Icon name={isAllowed ? "check" : "hand"} />}
        title={isAllowed ? "It would be sent" : `Refused by ${refusal?.by}`}
      >
        {refusal !== null && (
          <>
            {refusal.message} <span className="mono soft">{refusal.code}</span>
          </>
        )}
        {isAllowed &&
          admission?.ceiling != null &&
          `It can cost ${dollars(admission.ceiling)} at most, which is held until it ends.`}
        {isAllowed &&
          admission?.verdict === "capped" &&
          ` Its answer would be capped at ${count(admission.outputCap ?? 0)} tokens, so that it fits.`}
        {isAllowed && admission?.verdict === "waits" && " It would wait for calls that are under way to end."}
      </Alert>
      {answers.length > 0 && (
        <table className="data plain">
          <caption>What each scope says</caption>
          <tbody>
            {answers.map(({ question, scope, verdict, message }) => (
              <tr key={`${question}${scope}`}>
                <td>{scopeName(scope.replace(" ", ":"))}</td>
                <td>{words(question).replace(" not allowed", "")}</td>
                <td className={verdict === "allows" ? "tone-good" : "tone-warn"}>
                  {verdict}
                  {message && <div className="soft">{message}</div>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {budgets.map((budget) => (
        <BudgetMeter key={budget.id} budget={{ ...budget, provider: null, model: null }} own />
      ))}
      {limits.map(({ scope, limits: of }) => (
        <Text key={scope} size="sm" c="dimmed">
          {scopeName(scope.replace(" ", ":"))}: {limitsText({ limits: of })}
        </Text>
      ))}
    </Stack>
  );
}
