import { Checkbox, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, type Settings as Stored } from "../api.ts";
import { Code } from "../parts/copy.tsx";
import { Failure, Lines, tell } from "../parts/feedback.tsx";
import { IdentityProvider } from "../parts/identity-provider.tsx";
import { Page } from "../parts/page.tsx";
import { useMay } from "../parts/session.tsx";
import { SettingsCard } from "../parts/settings-card.tsx";

/** What holds for the whole installation. */
export function Settings() {
  const settings = useQuery({ queryKey: ["settings"], queryFn: () => call<Stored>("GET", "/settings") });
  return (
    <Page title="Settings" about="What holds for the whole installation.">
      {settings.isError ? (
        <Failure error={settings.error} retry={() => void settings.refetch()} />
      ) : settings.isPending ? (
        <Lines />
      ) : (
        <Stack gap="lg" maw={720}>
          <TimeZone stored={settings.data} />
          <Webhook stored={settings.data} />
          <IdentityProvider />
        </Stack>
      )}
    </Page>
  );
}

function useSave() {
  const queries = useQueryClient();
  return async (body: object) => {
    const saved = await call<Stored & { webhookSecret: string | null }>("PATCH", "/settings", { body });
    await queries.invalidateQueries({ queryKey: ["settings"] });
    tell("The settings are in force");
    return saved;
  };
}

function TimeZone({ stored }: { stored: Stored }) {
  const may = useMay()("settings.write");
  const save = useSave();
  const [zone, setZone] = useState(stored.timeZone);
  const zones = [...new Set(["UTC", stored.timeZone, ...Intl.supportedValuesOf("timeZone")])];
  return (
    <SettingsCard
      title="Time zone"
      about="Where days, weeks and months of budgets begin."
      {...(may && { save: async () => void (await save({ timeZone: zone })) })}
    >
      <Select
        aria-label="Time zone"
        searchable
        limit={80}
        data={zones}
        value={zone}
        onChange={(value) => setZone(value ?? zone)}
        maw={320}
        readOnly={!may}
      />
    </SettingsCard>
  );
}

function Webhook({ stored }: { stored: Stored }) {
  const may = useMay()("settings.write");
  const save = useSave();
  const [url, setUrl] = useState(stored.webhook?.url ?? "");
  const [allowPrivate, setAllowPrivate] = useState(stored.webhook?.allowPrivate ?? false);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <SettingsCard
      title="Webhook"
      about="Called once when a budget reaches 50, 80 or 100 percent; each call is signed."
      {...(may && {
        save: async () => {
          const saved = await save({ webhook: url.trim() === "" ? null : { url: url.trim(), allowPrivate } });
          setSecret(saved.webhookSecret);
        },
      })}
    >
      <TextInput
        label="Address"
        placeholder="https://example.com/llamakey"
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
        readOnly={!may}
      />
      <Checkbox
        label="It may be in a network of your own, and without TLS"
        checked={allowPrivate}
        onChange={(event) => setAllowPrivate(event.currentTarget.checked)}
        disabled={!may}
      />
      {secret !== null && (
        <>
          <Text size="sm">Calls are signed with this. It is shown only now.</Text>
          <Code text={secret} what="Webhook secret" wrap />
        </>
      )}
    </SettingsCard>
  );
}
