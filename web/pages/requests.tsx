import {
  Anchor,
  Button,
  Drawer,
  Group,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { all, call, type Page as ListPage, type LoggedRequest, type Provider } from "../api.ts";
import {
  bytes,
  clock,
  count,
  dateTime,
  dollars,
  duration,
  exactDollars,
  nanosToDollars,
  short,
  words,
} from "../format.ts";
import { Code } from "../parts/copy.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Fact } from "../parts/fact.tsx";
import { Empty, Failure, Lines } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { Page } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { useSearchState } from "../parts/search-state.ts";
import { Outcome } from "../parts/state.tsx";

const FILTERS = ["user", "group", "key", "provider", "model", "refusal", "status", "since"] as const;
/** Rows that the live tail keeps. */
const TAIL = 200;
const TAIL_PAUSE_MS = 1500;

const SPANS = [
  { value: "", label: "Any time" },
  { value: "1", label: "Last hour" },
  { value: "24", label: "Last day" },
  { value: "168", label: "Last week" },
];

/** Every call: who made it, what became of it, what it cost. */
export function Requests({ id }: { id: string | undefined }) {
  const [get, set] = useSearchState();
  const [, navigate] = useLocation();
  const search = useSearch();
  const isLive = get("live") === "1";
  const values = Object.fromEntries(FILTERS.map((name) => [name, get(name)]));
  const [typed] = useDebouncedValue(values, 250);
  const hours = Number(typed["since"]);
  // To the minute, so that the address of a page is the same query when it is shown again.
  const since =
    hours > 0
      ? new Date(Math.floor(Date.now() / 60_000) * 60_000 - hours * 3_600_000).toISOString()
      : undefined;
  const filter = { ...typed, since };
  const hasFilter = FILTERS.some((name) => get(name) !== "");
  const open = (row: LoggedRequest) => navigate(`/requests/${row.id}${search === "" ? "" : `?${search}`}`);
  const close = () => navigate(`/requests${search === "" ? "" : `?${search}`}`);
  return (
    <Page
      title="Requests"
      about="One row a call, written with its cost. No prompts and no answers are kept."
      actions={
        <Switch
          label={
            <Group gap={8} wrap="nowrap">
              Live <span className="dot" data-tone={isLive ? "good" : undefined} data-live={isLive} />
            </Group>
          }
          labelPosition="left"
          checked={isLive}
          onChange={(event) => set({ live: event.currentTarget.checked ? "1" : null })}
        />
      }
    >
      <Filters get={get} set={set} hasFilter={hasFilter} />
      {isLive ? (
        <Tail filter={filter} open={open} />
      ) : (
        <Found filter={filter} open={open} hasFilter={hasFilter} />
      )}
      <Drawer
        opened={id !== undefined}
        onClose={close}
        position="right"
        size="lg"
        title={<Text fw={650}>A call</Text>}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {id !== undefined && <Detail id={id} />}
      </Drawer>
    </Page>
  );
}

function Filters(props: {
  get: (name: string) => string;
  set: (values: Record<string, string | null>) => void;
  hasFilter: boolean;
}) {
  const { get, set, hasFilter } = props;
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => all<Provider>("/providers") });
  const text = (name: string, label: string, width: number) => (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={get(name)}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
      w={{ base: "calc(50% - 5px)", xs: width }}
    />
  );
  return (
    <Group gap={10} mb="sm" role="search" aria-label="Filters of requests">
      {text("user", "User", 120)}
      {text("group", "Group", 110)}
      <Select
        aria-label="Provider"
        placeholder="Provider"
        clearable
        allowDeselect
        searchable
        data={providers.data?.map((one) => ({ value: one.id, label: one.name })) ?? []}
        value={get("provider") || null}
        onChange={(value) => set({ provider: value })}
        w={{ base: "calc(50% - 5px)", xs: 140 }}
      />
      {text("model", "Model", 140)}
      {text("status", "Status", 80)}
      {text("refusal", "Refusal", 120)}
      <Select
        aria-label="Time"
        data={SPANS}
        value={get("since")}
        onChange={(value) => set({ since: value })}
        w={{ base: "calc(50% - 5px)", xs: 130 }}
      />
      {get("key") !== "" && (
        <Button
          variant="light"
          size="sm"
          rightSection={<Icon name="close" size={14} />}
          onClick={() => set({ key: null })}
        >
          Key {get("key")}
        </Button>
      )}
      {hasFilter && (
        <Button
          variant="subtle"
          color="gray"
          onClick={() => set(Object.fromEntries(FILTERS.map((name) => [name, null])))}
        >
          Clear
        </Button>
      )}
    </Group>
  );
}

type Filter = Readonly<Record<string, string | undefined>>;

function Found({
  filter,
  open,
  hasFilter,
}: {
  filter: Filter;
  open: (row: LoggedRequest) => void;
  hasFilter: boolean;
}) {
  const { query, footer } = usePages<LoggedRequest>("requests", "/requests", filter);
  return (
    <Rows
      query={query}
      footer={footer}
      open={open}
      empty={
        hasFilter ? (
          <Empty icon="search" title="No call fits">
            Fewer filters, or a longer time, may find some.
          </Empty>
        ) : (
          <Empty
            icon="requests"
            title="No calls yet"
            action={
              <Button component={Link} href="/welcome">
                Set up the first call
              </Button>
            }
          >
            Each call that a key makes gets a row here, also those that are refused.
          </Empty>
        )
      }
    />
  );
}

/** What comes in, newest first, as it comes. */
function Tail({ filter, open }: { filter: Filter; open: (row: LoggedRequest) => void }) {
  const [rows, setRows] = useState<LoggedRequest[]>();
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [error, setError] = useState<unknown>();
  const asked = JSON.stringify(filter);
  useEffect(() => {
    const stopping = new AbortController();
    const query = JSON.parse(asked) as Filter;
    let last: number | undefined;
    const look = async () => {
      const page: ListPage<LoggedRequest> = await call("GET", "/requests", {
        query: {
          ...query,
          limit: last === undefined ? 30 : TAIL,
          ...(last === undefined ? {} : { after: last }),
        },
        signal: stopping.signal,
      });
      // Without `after` the newest come first, with it the oldest.
      const newest = page.items.toSorted((a, b) => b.seq - a.seq);
      if (last !== undefined) setFresh(new Set(newest.map(({ id }) => id)));
      setRows((before) => [...newest, ...(last === undefined ? [] : (before ?? []))].slice(0, TAIL));
      last = newest[0]?.seq ?? last ?? 0;
    };
    const follow = async () => {
      while (!stopping.signal.aborted) {
        try {
          await look();
          setError(undefined);
        } catch (failure) {
          if (stopping.signal.aborted) return;
          setError(failure);
        }
        await new Promise((resolve) => setTimeout(resolve, TAIL_PAUSE_MS));
      }
    };
    void follow();
    return () => stopping.abort();
  }, [asked]);
  if (error !== undefined) return <Failure error={error} />;
  return (
    <Rows
      query={{ data: rows, isPending: rows === undefined, isError: false } as never}
      open={open}
      rowClass={({ id }) => (fresh.has(id) ? "arrived" : undefined)}
      empty={
        <Empty icon="pulse" title="Waiting for a call">
          The next call that fits appears here by itself.
        </Empty>
      }
    />
  );
}

function Rows(props: {
  query: ReturnType<typeof usePages<LoggedRequest>>["query"];
  footer?: React.ReactNode;
  open: (row: LoggedRequest) => void;
  empty: React.ReactNode;
  rowClass?: (row: LoggedRequest) => string | undefined;
}) {
  const { open } = props;
  return (
    <QueryTable
      caption="Requests, newest first"
      query={props.query}
      footer={props.footer}
      rowKey={({ id }) => id}
      open={open}
      {...(props.rowClass && { rowClass: props.rowClass })}
      columns={[
        {
          title: "Time",
          tight: true,
          cell: (row) => (
            <Anchor
              component="button"
              type="button"
              c="inherit"
              size="sm"
              className="number"
              onClick={() => open(row)}
              aria-label={`The call of ${dateTime(row.at)}`}
              title={dateTime(row.at)}
            >
              {isToday(row.at) ? clock(row.at) : dateTime(row.at).replace(/:\d\d$/, "")}
            </Anchor>
          ),
        },
        {
          title: "User",
          phone: "inline",
          cell: ({ userName }) => userName ?? <span className="soft">no valid key</span>,
        },
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
        { title: "Answer", tight: true, phone: "corner", cell: (row) => <Outcome {...row} /> },
        {
          title: "First byte",
          minor: true,
          align: "right",
          tight: true,
          cell: ({ firstByteMs }) => duration(firstByteMs),
        },
        {
          title: "Took",
          align: "right",
          tight: true,
          phone: "inline",
          cell: ({ durationMs }) => duration(durationMs),
        },
        {
          title: "Tokens",
          minor: true,
          align: "right",
          tight: true,
          cell: ({ usage }) =>
            usage === null ? "–" : `${count(tokens(usage, IN))} → ${count(tokens(usage, OUT))}`,
        },
        {
          title: "Cost",
          align: "right",
          tight: true,
          phone: "inline",
          cell: ({ costNanos }) => dollars(nanosToDollars(costNanos)),
        },
      ]}
      empty={props.empty}
    />
  );
}

function isToday(time: string): boolean {
  return new Date(time).toDateString() === new Date().toDateString();
}

const IN = /^(input|cache).*tokens$/;
const OUT = /^(output|reasoning).*tokens$/;

function tokens(usage: Readonly<Record<string, number>>, which: RegExp): number {
  return Object.entries(usage).reduce((sum, [unit, amount]) => (which.test(unit) ? sum + amount : sum), 0);
}

/** How a call's cost was worked out, and what was held for it. */
interface Details extends LoggedRequest {
  readonly attempts?: readonly {
    readonly attempt: number;
    readonly ceiling: string | null;
    readonly budgets: readonly { readonly id: string; readonly name: string; readonly scope: string }[];
    readonly end: { readonly kind: string; readonly amount: string | null } | null;
  }[];
  readonly workings?: {
    readonly serviceTier: string | null;
    readonly region: string | null;
    readonly reportedCost: string | null;
    readonly lines: readonly {
      readonly unit: string;
      readonly quantity: number;
      readonly rate: string;
      readonly per: number;
      readonly amount: string;
      readonly source: string;
    }[];
    readonly corrected: string | null;
  } | null;
  readonly curl?: string | null;
}

function Detail({ id }: { id: string }) {
  const request = useQuery({
    queryKey: ["requests", "one", id],
    queryFn: () => call<Details>("GET", `/requests/${encodeURIComponent(id)}`),
  });
  if (request.isPending) return <Lines count={8} />;
  if (request.isError) return <Failure error={request.error} retry={() => void request.refetch()} />;
  const row = request.data;
  return (
    <Stack gap="lg">
      <Group justify="space-between">
        <Text className="mono" size="sm">
          {row.id}
        </Text>
        <Outcome {...row} />
      </Group>
      <Timing row={row} />
      <SimpleGrid cols={2} className="tiles" spacing={1} verticalSpacing={1} component="dl" m={0}>
        <Fact name="User">{row.userName ?? "no valid key"}</Fact>
        <Fact name="Group">{row.groupName ?? "–"}</Fact>
        <Fact name="Key">{row.keyName === null ? "–" : `${row.keyName} · ${row.keyId}`}</Fact>
        <Fact name="From">{row.address ?? "–"}</Fact>
        <Fact name="Provider">{row.provider ?? "–"}</Fact>
        <Fact name="Model">{row.model ?? "–"}</Fact>
        <Fact name="When">{dateTime(row.at)}</Fact>
        <Fact name="Bytes">
          {bytes(row.bytesIn)} up, {bytes(row.bytesOut)} down
        </Fact>
        <Fact name="Ending">{words(row.ending)}</Fact>
        {row.upstreamRequestId !== null && <Fact name="At the provider">{row.upstreamRequestId}</Fact>}
      </SimpleGrid>
      {row.refusal !== null && (
        <Text size="sm">
          The gateway refused it: <span className="mono">{row.refusal}</span>. Nothing was sent to the
          provider.
        </Text>
      )}
      {row.shadowRefusal !== null && (
        <Text size="sm" className="tone-warn">
          Shadow mode would have refused it: {row.shadowRefusal}
        </Text>
      )}
      <Cost row={row} />
      <Holds row={row} />
      <section aria-label="Replay">
        <Text component="h3" fw={650} size="sm" m={0} mb={6}>
          Replay as curl
        </Text>
        <Text size="xs" c="dimmed" mb={8}>
          Neither body nor key is kept: put yours in.
        </Text>
        <Code what="curl line" text={row.curl ?? curl(row)} wrap />
      </section>
    </Stack>
  );
}

/** Until the first byte, and from it to the end. */
function Timing({ row }: { row: LoggedRequest }) {
  const wait = row.firstByteMs ?? row.durationMs;
  const part = row.durationMs === 0 ? 1 : Math.min(1, wait / row.durationMs);
  return (
    <section aria-label="Timing">
      <div className="waterfall" aria-hidden="true">
        <span style={{ width: `${part * 100}%`, background: "#d49a17" }} />
        <span style={{ flex: 1, background: "#1f8a63" }} />
      </div>
      <Group justify="space-between" mt={6}>
        <Text size="xs" c="dimmed">
          <span className="dot" data-tone="warn" /> first byte after {duration(row.firstByteMs)}
        </Text>
        <Text size="xs" c="dimmed">
          <span className="dot" data-tone="good" /> streamed for{" "}
          {duration(Math.max(0, row.durationMs - wait))}
        </Text>
        <Text size="xs" fw={600} className="number">
          {duration(row.durationMs)} in all
        </Text>
      </Group>
    </section>
  );
}

function Cost({ row }: { row: Details }) {
  const {
    lines = [],
    reportedCost = null,
    corrected = null,
    serviceTier = null,
    region = null,
  } = row.workings ?? {};
  const units = Object.entries(row.usage ?? {});
  const shown =
    lines.length > 0
      ? lines.map(({ unit, quantity, rate, per, amount }) => ({
          unit,
          quantity,
          price: per === 1 ? `$${rate} each` : `$${rate} / ${short(per)}`,
          amount: `$${amount}`,
        }))
      : units.map(([unit, quantity]) => ({ unit, quantity, price: "–", amount: "–" }));
  const notes = [
    row.evidence !== null && EVIDENCE[row.evidence],
    reportedCost !== null && `The provider itself says that it cost $${reportedCost}.`,
    serviceTier !== null && `Service tier ${serviceTier}.`,
    region !== null && `Region ${region}.`,
    corrected !== null && `Corrected later by $${corrected}.`,
  ].filter(Boolean);
  return (
    <section aria-label="Cost">
      <Group justify="space-between" mb={6}>
        <Text component="h3" fw={650} size="sm" m={0}>
          Cost
        </Text>
        <Text fw={650} className="number">
          {exactDollars(row.costNanos)}
        </Text>
      </Group>
      {shown.length === 0 ? (
        <Text size="sm" c="dimmed">
          It used nothing that is billed.
        </Text>
      ) : (
        <div className="table-card">
          <table className="data plain">
            <caption>How the cost comes about</caption>
            <thead>
              <tr>
                <th scope="col">Used</th>
                <th scope="col" className="right">
                  Amount
                </th>
                <th scope="col" className="right">
                  Price
                </th>
                <th scope="col" className="right">
                  Cost
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ unit, quantity, price, amount }) => (
                <tr key={unit}>
                  <td>{words(unit)}</td>
                  <td className="right">{count(quantity)}</td>
                  <td className="right">{price}</td>
                  <td className="right">{amount}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Text size="xs" c="dimmed" mt={8}>
        {notes.join(" ")}{" "}
        {row.priceBook !== null && (
          <>
            Price book <span className="mono">{row.priceBook.slice(0, 12)}</span>.
          </>
        )}
      </Text>
    </section>
  );
}

const EVIDENCE: Readonly<Record<string, string>> = {
  reported: "The provider reported these amounts.",
  counted: "The gateway counted these amounts.",
  ceiling: "This is the most that it can have been.",
  decided: "An owner decided these amounts.",
};

/** What was held in the ledger before anything was sent, and how each hold ended. */
function Holds({ row: { attempts = [] } }: { row: Details }) {
  const held = attempts.filter(({ ceiling }) => ceiling !== null);
  if (held.length === 0) return null;
  return (
    <section aria-label="Holds">
      <Text component="h3" fw={650} size="sm" m={0} mb={6}>
        Held before it was sent
      </Text>
      {held.map(({ attempt, ceiling, budgets, end }) => (
        <Text size="sm" key={attempt} className="number">
          {dollars(ceiling)} at most, in {budgets.map(({ name, scope }) => `${name} (${scope})`).join(", ")};{" "}
          <span className="soft">
            {end === null
              ? "not ended yet"
              : `${words(end.kind)}${end.amount === null ? "" : ` at $${end.amount}`}`}
          </span>
        </Text>
      ))}
    </section>
  );
}

function curl({ provider, endpoint, method, model }: LoggedRequest): string {
  const url = `${location.origin}/${provider ?? ""}${endpoint}`;
  const body =
    method === "GET" || method === "DELETE"
      ? ""
      : ` \\\n  -H 'content-type: application/json' \\\n  -d '${JSON.stringify({ ...(model !== null && { model }), "...": "..." })}'`;
  return `curl -X ${method} ${url} \\\n  -H "authorization: Bearer $LMK_KEY"${body}`;
}
