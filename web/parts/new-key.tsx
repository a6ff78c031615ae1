import { Button, Group, Modal, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { all, call, type NewKey, type User } from "../api.ts";
import { ago } from "../format.ts";
import { Ask } from "./ask.tsx";
import { Code } from "./copy.tsx";
import { Setup } from "./setup.tsx";

interface NewClaim {
  readonly url: string;
  readonly claim: { readonly expiresAt: string };
}

const LIFETIMES = [
  { value: "", label: "never by itself" },
  { value: "1", label: "in a day" },
  { value: "7", label: "in a week" },
  { value: "30", label: "in 30 days" },
  { value: "90", label: "in 90 days" },
  { value: "365", label: "in a year" },
];

/** Makes a key, or a link with which its user makes it. @param user Whose; asked for where it is not said. */
export function NewKeyDialog({ opened, close, user }: { opened: boolean; close: () => void; user?: string }) {
  const queries = useQueryClient();
  const users = useQuery({
    queryKey: ["users"],
    queryFn: () => all<User>("/users"),
    enabled: opened && user === undefined,
  });
  const [chosen, setChosen] = useState<string | null>(null);
  const [name, setName] = useState("key");
  const [days, setDays] = useState("");
  const [way, setWay] = useState("show");
  const [made, setMade] = useState<NewKey>();
  const [claim, setClaim] = useState<NewClaim>();
  const owner = user ?? chosen;
  const run = async () => {
    const ends = days === "" ? undefined : new Date(Date.now() + Number(days) * 86_400_000).toISOString();
    if (way === "claim") {
      const body = { user: owner, keyName: name, ...(ends !== undefined && { keyExpiresAt: ends }) };
      setClaim(await call<NewClaim>("POST", "/claims", { body }));
    } else {
      const body = { user: owner, name, ...(ends !== undefined && { expiresAt: ends }) };
      setMade(await call<NewKey>("POST", "/keys", { body }));
    }
    await queries.invalidateQueries({ queryKey: ["keys"] });
  };
  return (
    <>
      <Ask
        title={user === undefined ? "New key" : `New key for ${user}`}
        opened={opened}
        close={close}
        confirm={way === "claim" ? "Make the link" : "Make the key"}
        run={run}
        isReady={owner !== null && name.trim() !== ""}
      >
        {user === undefined && (
          <Select
            label="User"
            searchable
            data={users.data?.map((one) => one.name) ?? []}
            value={chosen}
            onChange={setChosen}
            placeholder="Whose key is it?"
            required
            data-autofocus
          />
        )}
        <TextInput
          label="Name"
          description="What it is for: laptop, ci, a project"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select label="It ends" data={LIFETIMES} value={days} onChange={(value) => setDays(value ?? "")} />
        <div>
          <Text size="sm" fw={500} mb={4} id="key-way">
            Hand it over
          </Text>
          <SegmentedControl
            aria-labelledby="key-way"
            fullWidth
            value={way}
            onChange={setWay}
            data={[
              { value: "show", label: "Show it to me once" },
              { value: "claim", label: "By a claim link" },
            ]}
          />
          <Text size="xs" c="dimmed" mt={6}>
            {way === "claim"
              ? "The link works once. Its user presses a button, and only then is the key made: you never see it."
              : "You see the key once and pass it on yourself."}
          </Text>
        </div>
      </Ask>
      <SecretDialog made={made} close={() => setMade(undefined)} />
      <Modal
        opened={claim !== undefined}
        onClose={() => setClaim(undefined)}
        title={<Text fw={650}>A link to claim the key</Text>}
      >
        {claim && (
          <Stack gap="md">
            <Text size="sm">
              Send it to {owner}. It works once and ends {ago(claim.claim.expiresAt)}. It is shown only now.
            </Text>
            <Code text={claim.url} what="Claim link" wrap />
            <Group justify="flex-end">
              <Button onClick={() => setClaim(undefined)}>Done</Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  );
}

/** A new secret, shown this once; closing forgets it. */
export function SecretDialog({ made, close }: { made: NewKey | undefined; close: () => void }) {
  return (
    <Modal
      opened={made !== undefined}
      onClose={close}
      size="lg"
      title={<Text fw={650}>The key of {made?.key.user.name}</Text>}
      closeOnClickOutside={false}
    >
      {made && (
        <Stack gap="md">
          <Text size="sm">
            Copy it now: nobody can show it again. If it is lost, rotate it. Pass it on by a way that only its
            user reads.
          </Text>
          <Code text={made.secret} what="Master key" wrap />
          <Setup secret={made.secret} />
          <Group justify="flex-end">
            <Button onClick={close}>I have it</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
