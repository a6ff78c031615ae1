import {
  Anchor,
  Button,
  Card,
  Center,
  Group,
  SegmentedControl,
  SimpleGrid,
  Skeleton,
  Tabs,
  Text,
} from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { all, type Budget, type Credential } from "../api.ts";
import { ago, count, dollars, duration, percent, short } from "../format.ts";
import { type Overview, RANGES, readOverview, type Share, sharesOf } from "../overview.ts";
import { OpenAsks } from "../parts/asks.tsx";
import { Chart } from "../parts/chart.tsx";
import { Empty, Failure, Lines } from "../parts/feedback.tsx";
import { LeakedKeys } from "../parts/leaks.tsx";
import { BudgetMeter, Meter, usedPart } from "../parts/meters.tsx";
import { Page } from "../parts/page.tsx";
import { useSearchState } from "../parts/search-state.ts";
import { useMay } from "../parts/session.tsx";
import { SERIES } from "../theme.ts";

/** What an administrator looks at first: what it costs, whether it works, and who is about to run out. */
export function Home() {
  const [get, set] = useSearchState();
  const range = RANGES.find(({ value }) => value === get("range")) ?? RANGES[0];
  const overview = useQuery({
    queryKey: ["overview", range.value],
    queryFn: () => readOverview(range),
    refetchInterval: 15_000,
    placeholderData: (before) => before,
  });
  const credentials = useQuery({ queryKey: ["credentials"], queryFn: () => all<Credential>("/credentials") });
  const isNew = overview.data?.total.requests === 0 && range.value === "24h";
  return (
    <Page
      title="Home"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Time shown"
          value={range.value}
          onChange={(value) => set({ range: value })}
          data={RANGES.map(({ value, label }) => ({ value, label }))}
        />
      }
    >
      <LeakedKeys />
      <OpenAsks />
      {isNew && <Start hasCredential={(credentials.data?.length ?? 0) > 0} />}
      {overview.isError ? (
        <Failure error={overview.error} retry={() => void overview.refetch()} />
      ) : (
        <>
          <Tiles overview={overview.data} />
          <Trend overview={overview.data} daily={range.bucket === "day"} label={range.label} />
        </>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" mt="md" style={{ alignItems: "start" }}>
        <div>
          {!overview.isError && <Shares overview={overview.data} />}
          <Health credentials={credentials.data} />
        </div>
        <Budgets />
      </SimpleGrid>
    </Page>
  );
}

function Start({ hasCredential }: { hasCredential: boolean }) {
  if (!useMay()("credentials.write")) return null;
  return (
    <Card mb="md" bg="var(--mantine-color-spruce-light)">
      <Group justify="space-between">
        <div>
          <Text fw={650}>{hasCredential ? "No calls in the last day" : "Three steps to the first call"}</Text>
          <Text size="sm">
            {hasCredential
              ? "Hand out a key, and the first call appears here by itself."
              : "A provider's key, a user, and a line to copy. It takes two minutes."}
          </Text>
        </div>
        <Button component={Link} href="/welcome">
          Set up the first call
        </Button>
      </Group>
    </Card>
  );
}

function Tiles({ overview }: { overview: Overview | undefined }) {
  const total = overview?.total;
  /** Where there is none, there is nothing to be said of them. */
  const some = total?.requests === 0 ? undefined : total;
  const failed = total === undefined || total.requests === 0 ? 0 : total.errors / total.requests;
  const tiles = [
    {
      name: "Spend",
      value: total && dollars(total.cost),
      note: some && `${dollars(Number(some.cost) / some.requests)} a request`,
    },
    {
      name: "Requests",
      value: total && short(total.requests),
      note: some && `${count(some.refusals)} refused`,
    },
    {
      name: "Errors",
      value: total && (some ? percent(failed) : "–"),
      note: some && `${count(some.errors)} of ${short(some.requests)}`,
    },
    {
      name: "First byte, median",
      value: total && duration(total.firstByte.p50),
      note: some && `95% within ${duration(some.firstByte.p95)}`,
    },
    {
      name: "Tokens",
      value: total && short(total.inputTokens + total.outputTokens),
      note: some && `${short(some.inputTokens)} in, ${short(some.outputTokens)} out`,
    },
  ];
  return (
    <dl className="tiles" style={{ margin: 0 }}>
      {tiles.map(({ name, value, note }) => (
        <div className="tile" key={name}>
          <Text component="dt" size="xs" c="dimmed" fw={550}>
            {name}
          </Text>
          <dd style={{ margin: "6px 0 0" }}>
            {value === undefined ? (
              <Skeleton height={28} width={90} />
            ) : (
              <div className="tile-value">{value}</div>
            )}
            <Text size="xs" c="dimmed" mt={4} className="number" mih={18}>
              {note}
            </Text>
          </dd>
        </div>
      ))}
    </dl>
  );
}

const METRICS = [
  { value: "cost", label: "Spend" },
  { value: "requests", label: "Requests" },
  { value: "tokens", label: "Tokens" },
  { value: "latency", label: "Latency" },
] as const;
type Metric = (typeof METRICS)[number]["value"];

function Trend({
  overview,
  daily,
  label,
}: {
  overview: Overview | undefined;
  daily: boolean;
  label: string;
}) {
  const [metric, setMetric] = useState<Metric>("cost");
  const name = METRICS.find(({ value }) => value === metric)?.label ?? "";
  const [green, amber, blue, red] = SERIES;
  const drawn = {
    cost: {
      kind: "bar",
      series: [{ name: "cost", label: "Spend", color: green }],
      format: (v: number) => dollars(v),
    },
    requests: {
      kind: "bar",
      series: [
        { name: "answered", label: "Answered", color: green },
        { name: "refusals", label: "Refused", color: amber },
        { name: "errors", label: "Errors", color: red },
      ],
      format: short,
    },
    tokens: {
      kind: "area",
      series: [
        { name: "inputTokens", label: "Input", color: blue },
        { name: "outputTokens", label: "Output", color: green },
      ],
      format: short,
    },
    latency: {
      kind: "line",
      series: [
        { name: "p50", label: "Median", color: green },
        { name: "p95", label: "95%", color: amber },
      ],
      format: (v: number) => duration(v),
    },
  } as const;
  const { kind, series, format } = drawn[metric];
  const data = (overview?.series ?? []).map((one) => ({
    label: new Date(one.at).toLocaleString(
      "en-GB",
      daily ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" },
    ),
    cost: Number(one.cost),
    inputTokens: one.inputTokens,
    outputTokens: one.outputTokens,
    errors: one.errors,
    refusals: one.refusals,
    answered: one.requests - one.errors - one.refusals,
    p50: one.firstByte.p50,
    p95: one.firstByte.p95,
  }));
  const best = data.reduce(
    (peak, one) => (one.cost > peak.cost ? one : peak),
    data[0] ?? { label: "", cost: 0 },
  );
  return (
    <Card mt="md">
      <Group justify="space-between" mb="md">
        <Text component="h2" fw={650} m={0}>
          {name} over {label}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label="What the chart shows"
          value={metric}
          onChange={(value) => setMetric(value as Metric)}
          data={METRICS.map((one) => ({ ...one }))}
        />
      </Group>
      {overview === undefined ? (
        <Skeleton height={260} />
      ) : overview.total.requests === 0 ? (
        <Center h={260}>
          <Empty icon="pulse" title="No calls in this time">
            They are drawn here as they come.
          </Empty>
        </Center>
      ) : (
        <Chart
          kind={kind}
          series={series}
          data={data}
          format={format}
          summary={`${name} over ${label}: ${dollars(overview.total.cost)} and ${count(overview.total.requests)} requests in all; most was spent at ${best.label}, ${dollars(best.cost)}.`}
        />
      )}
    </Card>
  );
}

const KINDS = [
  { value: "provider", label: "Provider" },
  { value: "model", label: "Model" },
  { value: "group", label: "Group" },
  { value: "user", label: "User" },
] as const;

/** Who and what the money went to. */
function Shares({ overview }: { overview: Overview | undefined }) {
  return (
    <Card>
      <Text component="h2" fw={650} mb="sm" mt={0}>
        Where it goes
      </Text>
      <Tabs defaultValue="provider" keepMounted={false}>
        <Tabs.List mb="xs">
          {KINDS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {KINDS.map(({ value }) => (
          <Tabs.Panel key={value} value={value}>
            {overview === undefined ? (
              <Lines count={5} />
            ) : (
              <Bars shares={sharesOf(overview, value)} kind={value} />
            )}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Card>
  );
}

function Bars({ shares, kind }: { shares: readonly Share[]; kind: string }) {
  if (shares.length === 0) {
    return (
      <Text size="sm" c="dimmed" py="xs">
        Each {kind} that calls are made with gets a line here.
      </Text>
    );
  }
  const most = Math.max(...shares.map(({ cost }) => cost), 1e-12);
  return (
    <div>
      {shares.slice(0, 8).map(({ name, filter, cost, requests }) => (
        <div className="bar-row" key={name}>
          {filter === undefined ? (
            <Text size="sm" truncate>
              {name}
            </Text>
          ) : (
            <Anchor
              component={Link}
              href={`/requests?${kind}=${encodeURIComponent(filter)}`}
              c="inherit"
              size="sm"
              truncate
            >
              {name}
            </Anchor>
          )}
          <span className="number">
            {dollars(cost)}{" "}
            <span className="soft">
              · {short(requests)} {requests === 1 ? "call" : "calls"}
            </span>
          </span>
          <Meter
            part={cost / most}
            label={`${name}: ${dollars(cost)} for ${count(requests)} requests`}
            tone="good"
          />
        </div>
      ))}
    </div>
  );
}

function Budgets() {
  const budgets = useQuery({
    queryKey: ["budgets"],
    queryFn: () => all<Budget>("/budgets"),
    refetchInterval: 15_000,
  });
  const sorted = [...(budgets.data ?? [])].sort((a, b) => usedPart(b) - usedPart(a)).slice(0, 5);
  return (
    <Card>
      <Group justify="space-between">
        <Text component="h2" fw={650} m={0}>
          Budgets nearly used
        </Text>
        <Anchor component={Link} href="/policies" size="sm">
          All
        </Anchor>
      </Group>
      {budgets.isPending ? (
        <Lines count={3} />
      ) : sorted.length === 0 ? (
        <Text size="sm" c="dimmed" mt="xs">
          There are no budgets. One on the whole organisation is a good first:{" "}
          <Anchor component={Link} href="/policies/organisation" underline="always">
            set it
          </Anchor>
          . It is never exceeded.
        </Text>
      ) : (
        sorted.map((budget) => <BudgetMeter key={budget.id} budget={{ ...budget, ends: budget.periodEnd }} />)
      )}
    </Card>
  );
}

const TONES: Readonly<Record<string, string>> = {
  ready: "good",
  limited: "warn",
  failing: "warn",
  rejected: "bad",
  unusable: "bad",
};

function Health({ credentials }: { credentials: readonly Credential[] | undefined }) {
  return (
    <Card mt="md">
      <Group justify="space-between" mb={6}>
        <Text component="h2" fw={650} m={0}>
          Provider health
        </Text>
        <Anchor component={Link} href="/providers" size="sm">
          All
        </Anchor>
      </Group>
      {credentials === undefined ? (
        <Lines count={2} />
      ) : credentials.length === 0 ? (
        <Text size="sm" c="dimmed">
          No provider has a credential yet.
        </Text>
      ) : (
        <ul style={{ margin: 0, padding: 0, listStyle: "none" }}>
          {credentials.map(({ id, provider, name, state, coolingUntil, inFlight }) => (
            <li key={id}>
              <Group justify="space-between" py={6} gap="xs" wrap="nowrap">
                <Group gap={10} wrap="nowrap" style={{ minWidth: 0 }}>
                  <span className="dot" data-tone={TONES[state]} />
                  <Text size="sm" fw={550} truncate>
                    {provider} <span className="soft">· {name}</span>
                  </Text>
                </Group>
                <Text size="xs" c="dimmed" className="nowrap">
                  {coolingUntil !== null
                    ? `${state}, back ${ago(coolingUntil)}`
                    : inFlight > 0
                      ? `${inFlight} under way`
                      : state}
                </Text>
              </Group>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
