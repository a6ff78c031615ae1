import { ActionIcon, Alert, Badge, Button, Group, Select, SimpleGrid, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import {
  all,
  call,
  type Price,
  type PriceSnapshot,
  type PricingDefault,
  type Provider,
  type Unpriced,
} from "../api.ts";
import { ago, count, day, dollars, words } from "../format.ts";
import { Ask } from "../parts/ask.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Empty, tell } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { Page, Section } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { useSearchState } from "../parts/search-state.ts";
import { useMay } from "../parts/session.tsx";

/** What calls cost: list prices, and what was decided on top of them. */
export function Prices() {
  const may = useMay()("prices.write");
  const queries = useQueryClient();
  const [get, set] = useSearchState();
  const [search] = useDebouncedValue(get("search"), 250);
  const [editing, setEditing] = useState<Partial<Price>>();
  const [removing, setRemoving] = useState<Price>();
  const { query, footer } = usePages<Price>("prices", "/prices", { provider: get("provider"), search });
  const snapshot = useQuery({
    queryKey: ["prices", "snapshot"],
    queryFn: () => call<PriceSnapshot>("GET", "/prices/snapshot"),
  });
  const unpriced = useQuery({
    queryKey: ["prices", "unpriced"],
    queryFn: () => all<Unpriced>("/prices/unpriced"),
  });
  const providers = useQuery({ queryKey: ["providers"], queryFn: () => all<Provider>("/providers") });
  return (
    <Page
      title="Prices"
      about={
        snapshot.data && (
          <>
            Dollars for a million. List prices{" "}
            {snapshot.data.pinnedAt === null
              ? "came with this version"
              : `pinned ${day(snapshot.data.pinnedAt)}`}
            ; the book in force is <span className="mono">{snapshot.data.priceBook.slice(0, 12)}</span>, which
            every row of the log names.
          </>
        )
      }
      actions={
        may && (
          <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setEditing({})}>
            Set a price
          </Button>
        )
      }
    >
      {(unpriced.data?.length ?? 0) > 0 && (
        <Alert color="saffron" icon={<Icon name="warning" />} title="Calls whose price is not known" mb="md">
          {unpriced.data?.slice(0, 5).map((one) => (
            <Group key={`${one.provider}${one.model}`} justify="space-between" py={4}>
              <Text size="sm">
                {one.provider} <b>{one.model ?? "without a model"}</b>: {count(one.requests)} calls, the last{" "}
                {ago(one.lastAt)}; without a price: {one.units.map(words).join(", ")}
              </Text>
              {may && (
                <Button
                  size="compact-xs"
                  variant="light"
                  color="saffron"
                  onClick={() =>
                    setEditing({
                      provider: one.provider,
                      model: one.model ?? "",
                      prices: Object.fromEntries(one.units.map((unit) => [unit, ""])),
                    })
                  }
                >
                  Set it
                </Button>
              )}
            </Group>
          ))}
        </Alert>
      )}
      <Group mb="sm">
        <TextInput
          aria-label="Search models"
          placeholder="Model"
          leftSection={<Icon name="search" size={16} />}
          value={get("search")}
          onChange={(event) => set({ search: event.currentTarget.value })}
          w={{ base: "100%", xs: 260 }}
        />
        <Select
          aria-label="Provider"
          placeholder="All providers"
          clearable
          allowDeselect
          searchable
          data={providers.data?.map(({ id, name }) => ({ value: id, label: name })) ?? []}
          value={get("provider") || null}
          onChange={(value) => set({ provider: value })}
          w={{ base: "100%", xs: 200 }}
        />
      </Group>
      <QueryTable
        caption="Prices"
        query={query}
        footer={footer}
        rowKey={({ provider, model, serviceTier }) => `${provider} ${model} ${serviceTier}`}
        columns={[
          {
            title: "Model",
            cell: ({ model, provider, serviceTier }) => (
              <span>
                <Text component="span" size="sm" fw={600}>
                  {model}
                </Text>
                {serviceTier !== null && <span className="soft"> {serviceTier}</span>}
                <Text size="xs" c="dimmed">
                  {provider}
                </Text>
              </span>
            ),
          },
          {
            title: "Input",
            phone: "pair",
            align: "right",
            tight: true,
            cell: ({ prices, perCall }) =>
              perCall !== null ? `${dollars(perCall)} a call` : price(prices["input_tokens"]),
          },
          {
            title: "Cached",
            phone: "pair",
            align: "right",
            tight: true,
            cell: ({ prices }) => price(prices["cache_read_tokens"]),
          },
          {
            title: "Output",
            phone: "pair",
            align: "right",
            tight: true,
            cell: ({ prices }) => price(prices["output_tokens"]),
          },
          {
            title: "Also",
            minor: true,
            cell: ({ prices, tiers }) => (
              <Text size="xs" c="dimmed">
                {[
                  ...Object.entries(prices)
                    .filter(
                      ([unit]) => !["input_tokens", "cache_read_tokens", "output_tokens"].includes(unit),
                    )
                    .slice(0, 3)
                    .map(([unit, amount]) => `${words(unit)} ${price(amount)}`),
                  ...tiers.map(({ over }) => `dearer over ${count(over)} tokens`),
                ].join(", ")}
              </Text>
            ),
          },
          {
            title: "Source",
            phone: "inline",
            tight: true,
            cell: ({ source }) => (
              <Badge
                color={source === "override" ? "spruce" : "gray"}
                {...(source === "snapshot" && { className: "nothing" })}
              >
                {source === "snapshot" ? "list" : source}
              </Badge>
            ),
          },
          {
            title: "",
            actions: true,
            tight: true,
            cell: (row) =>
              may ? (
                <Group gap={2} wrap="nowrap">
                  <ActionIcon aria-label={`Set the price of ${row.model}`} onClick={() => setEditing(row)}>
                    <Icon name="pencil" size={16} />
                  </ActionIcon>
                  {row.source === "override" && (
                    <ActionIcon
                      aria-label={`Take back the price of ${row.model}`}
                      onClick={() => setRemoving(row)}
                    >
                      <Icon name="trash" size={16} />
                    </ActionIcon>
                  )}
                </Group>
              ) : null,
          },
        ]}
        empty={
          <Empty icon="price" title="No such price">
            A model that no list has can be given a price of its own.
          </Empty>
        }
      />
      <Section
        title="Where nothing else says"
        about="What calls of a provider cost whose model has no price."
      >
        <Defaults may={may} />
      </Section>
      {editing && (
        <PriceDialog price={editing} providers={providers.data ?? []} close={() => setEditing(undefined)} />
      )}
      <Ask
        title={`Take back the price of ${removing?.model}?`}
        opened={removing !== undefined}
        close={() => setRemoving(undefined)}
        confirm="Take it back"
        isDangerous
        run={async () => {
          await call("DELETE", "/prices", {
            query: {
              provider: removing?.provider,
              model: removing?.model,
              serviceTier: removing?.serviceTier,
            },
          });
          await queries.invalidateQueries({ queryKey: ["prices"] });
        }}
      >
        The list price counts again, for calls from now on.
      </Ask>
    </Page>
  );
}

function price(amount: string | undefined): string {
  return amount === undefined ? "–" : `$${amount}`;
}

function Defaults({ may }: { may: boolean }) {
  const queries = useQueryClient();
  const defaults = useQuery({
    queryKey: ["prices", "defaults"],
    queryFn: () => all<PricingDefault>("/prices/defaults"),
  });
  const [editing, setEditing] = useState<PricingDefault>();
  const [kind, setKind] = useState("priced");
  const [amount, setAmount] = useState("");
  return (
    <>
      <QueryTable
        caption="Pricing defaults"
        query={defaults}
        rowKey={({ provider }) => provider}
        columns={[
          {
            title: "Provider",
            cell: ({ provider }) => (
              <Text size="sm" fw={600}>
                {provider}
              </Text>
            ),
          },
          {
            title: "Calls without a price",
            phone: "whole",
            cell: ({ kind: of, price: per }) =>
              of === "flat"
                ? `${dollars(per)} each`
                : of === "free"
                  ? "cost nothing"
                  : of === "refuse"
                    ? "are refused"
                    : "are logged as unpriced; refused under a budget",
          },
          { title: "Lists", tight: true, minor: true, cell: ({ listed }) => (listed ? "listed" : "–") },
          {
            title: "",
            actions: true,
            tight: true,
            cell: (row) =>
              may && (
                <ActionIcon
                  aria-label={`Change the default of ${row.provider}`}
                  onClick={() => {
                    setEditing(row);
                    setKind(row.kind);
                    setAmount(row.price ?? "");
                  }}
                >
                  <Icon name="pencil" size={16} />
                </ActionIcon>
              ),
          },
        ]}
        empty={<Empty icon="price" title="No providers" />}
      />
      <Ask
        title={`Calls of ${editing?.provider} without a price`}
        opened={editing !== undefined}
        close={() => setEditing(undefined)}
        confirm="Put in force"
        run={async () => {
          await call("PUT", `/prices/defaults/${editing?.provider}`, {
            body: { kind, ...(kind === "flat" && { price: amount }) },
          });
          await queries.invalidateQueries({ queryKey: ["prices"] });
        }}
      >
        <Select
          label="They"
          data={[
            { value: "priced", label: "have no price: refused under a budget" },
            { value: "flat", label: "cost the same each" },
            { value: "free", label: "cost nothing (self-hosted, or billed by the hour)" },
          ]}
          value={kind}
          onChange={(value) => setKind(value ?? kind)}
        />
        {kind === "flat" && (
          <TextInput
            label="Dollars a call"
            value={amount}
            onChange={(event) => setAmount(event.currentTarget.value)}
            required
          />
        )}
      </Ask>
    </>
  );
}

function PriceDialog({
  price: given,
  providers,
  close,
}: {
  price: Partial<Price>;
  providers: readonly Provider[];
  close: () => void;
}) {
  const queries = useQueryClient();
  const [provider, setProvider] = useState<string | null>(given.provider ?? null);
  const [model, setModel] = useState(given.model ?? "");
  const [prices, setPrices] = useState<Record<string, string>>({
    input_tokens: "",
    output_tokens: "",
    ...given.prices,
  });
  const filled = Object.fromEntries(Object.entries(prices).filter(([, amount]) => amount.trim() !== ""));
  const run = async () => {
    await call("PUT", "/prices", {
      body: { provider, model, serviceTier: given.serviceTier ?? null, prices: filled },
    });
    await queries.invalidateQueries({ queryKey: ["prices"] });
    tell("The price is in force");
  };
  return (
    <Ask
      title="Set a price"
      opened
      close={close}
      confirm="Put in force"
      run={run}
      isReady={provider !== null && model !== "" && Object.keys(filled).length > 0}
    >
      <Text size="sm">It counts for calls from now on; what is in the ledger stays as it is.</Text>
      <Select
        label="Provider"
        searchable
        data={providers.map(({ id, name }) => ({ value: id, label: name }))}
        value={provider}
        onChange={setProvider}
        required
      />
      <TextInput
        label="Model"
        description="A name, or the beginning of names ending in *"
        value={model}
        onChange={(event) => setModel(event.currentTarget.value)}
        required
      />
      <SimpleGrid cols={2}>
        {Object.entries(prices).map(([unit, amount]) => (
          <TextInput
            key={unit}
            label={words(unit)}
            description="dollars for a million"
            value={amount}
            onChange={(event) => {
              const { value } = event.currentTarget;
              setPrices((before) => ({ ...before, [unit]: value }));
            }}
          />
        ))}
      </SimpleGrid>
    </Ask>
  );
}
