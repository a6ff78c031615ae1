import { Drawer, Group, Stack, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type AuditRow, call } from "../api.ts";
import { ago, dateTime, words } from "../format.ts";
import { Code } from "../parts/copy.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Empty } from "../parts/feedback.tsx";
import { Page } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { useSearchState } from "../parts/search-state.ts";

/** Who changed what, from where; each row's hash covers the one before it. */
export function Audit() {
  const [get, set] = useSearchState();
  const [opened, setOpened] = useState<AuditRow>();
  const [filter] = useDebouncedValue(
    { actor: get("actor"), action: get("action"), target: get("target") },
    250,
  );
  const { query, footer } = usePages<AuditRow>("audit", "/audit", filter);
  const head = useQuery({
    queryKey: ["audit", "head"],
    queryFn: () => call<{ head: string }>("GET", "/audit/head"),
  });
  const text = (name: string, label: string) => (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={get(name)}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
      w={{ base: "100%", xs: 190 }}
    />
  );
  return (
    <Page
      title="Audit log"
      about="Each change is written in the same transaction as the change itself, and chained: a row that is altered or cut out shows."
    >
      <Group mb="sm" role="search" aria-label="Filters of the audit log">
        {text("actor", "Who")}
        {text("action", "Action: key, key.revoke…")}
        {text("target", "Of what")}
      </Group>
      <QueryTable
        caption="Changes, newest first"
        query={query}
        footer={footer}
        rowKey={({ seq }) => seq}
        open={setOpened}
        columns={[
          {
            title: "Change",
            cell: (row) => (
              <button
                type="button"
                className="mantine-focus-auto"
                onClick={() => setOpened(row)}
                style={{ all: "unset", cursor: "pointer", fontWeight: 600 }}
              >
                {words(row.action.replace(".", " · "))}
              </button>
            ),
          },
          { title: "Of", phone: "inline", cell: ({ target }) => target.name },
          { title: "By", phone: "pair", cell: ({ actor }) => actor.name },
          {
            title: "From",
            minor: true,
            cell: ({ address }) => <span className="mono">{address ?? "–"}</span>,
            tight: true,
          },
          {
            title: "When",
            phone: "corner",
            align: "right",
            tight: true,
            cell: ({ at }) => <span title={dateTime(at)}>{ago(at)}</span>,
          },
        ]}
        empty={
          <Empty icon="audit" title="No change fits">
            Changes of users, keys, credentials, policies and prices are written here.
          </Empty>
        }
      />
      {head.data && (
        <Stack gap={6} mt="xl">
          <Text size="sm" c="dimmed">
            The log's end, signed. Kept elsewhere, it shows rows that are cut off later: lmk verify --head …
          </Text>
          <Code text={head.data.head} what="Head of the audit log" wrap />
        </Stack>
      )}
      <Drawer
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        position="right"
        size="lg"
        title={<Text fw={650}>{opened?.action}</Text>}
        closeButtonProps={{ "aria-label": "Close" }}
      >
        {opened && (
          <Stack gap="md">
            <Text size="sm">
              {opened.actor.name} ({opened.actor.kind}) on {dateTime(opened.at)} from{" "}
              {opened.address ?? "this machine"}, of {opened.target.kind} <b>{opened.target.name}</b>{" "}
              <span className="mono soft">{opened.target.id}</span>
            </Text>
            <Changes row={opened} />
            <Text size="xs" c="dimmed" className="mono" style={{ overflowWrap: "anywhere" }}>
              {opened.seq} · {opened.hash}
            </Text>
          </Stack>
        )}
      </Drawer>
    </Page>
  );
}

function Changes({ row: { before, after } }: { row: AuditRow }) {
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const text = (value: unknown) =>
    value === undefined || value === null ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  const changed = fields.filter((field) => text(before?.[field]) !== text(after?.[field]));
  return (
    <div className="table-card">
      <table className="data plain">
        <caption>What changed</caption>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {(changed.length > 0 ? changed : fields).map((field) => (
            <tr key={field}>
              <td>{field}</td>
              <td className="mono soft" style={{ overflowWrap: "anywhere" }}>
                {text(before?.[field])}
              </td>
              <td className="mono" style={{ overflowWrap: "anywhere" }}>
                {text(after?.[field])}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
