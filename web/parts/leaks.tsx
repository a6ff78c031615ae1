import { Alert, Anchor, Button, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { all, type Key } from "../api.ts";
import { ago } from "../format.ts";
import { Icon } from "./icons.tsx";
import { useMay } from "./session.tsx";

/** Where a key was seen, for people: "seen in a prompt 5 minutes ago". */
export function leakText({ at, place }: NonNullable<Key["leak"]>): string {
  return `seen ${place === "url" ? "in a URL" : "in a prompt"} ${ago(at)}`;
}

/** Keys that somebody has seen and that still open something, for administrators. */
export function LeakedKeys() {
  const may = useMay()("keys.read");
  const keys = useQuery({
    queryKey: ["keys", "leaked"],
    queryFn: () => all<Key>("/keys", { leaked: "true" }),
    refetchInterval: 15_000,
    enabled: may,
  });
  if (keys.data === undefined || keys.data.length === 0) return null;
  const count = keys.data.length;
  return (
    <Alert
      color="saffron"
      icon={<Icon name="warning" />}
      title={
        count === 1
          ? "A key was seen where it does not belong"
          : `${count} keys were seen where they do not belong`
      }
      mb="md"
    >
      {keys.data.slice(0, 5).map((key) => (
        <Group key={key.id} justify="space-between" gap="xs" py={3}>
          <Text size="sm">
            <Anchor component={Link} href={`/users/${key.user.id}`} c="inherit" fw={600}>
              {key.user.name}
            </Anchor>
            's {key.name} was {key.leak && leakText(key.leak)}
            {key.state === "frozen" ? " and is frozen" : ""}
          </Text>
          <Group gap={10}>
            <Anchor component={Link} href={`/requests/${key.leak?.requestId}`} size="sm">
              The call
            </Anchor>
            <Anchor component={Link} href={`/keys?search=${key.id}`} size="sm">
              The key
            </Anchor>
          </Group>
        </Group>
      ))}
    </Alert>
  );
}

/** The same for whoever they belong to. */
export function MyLeaks({ keys }: { keys: readonly Key[] }) {
  const leaked = keys.filter(({ leak, state }) => leak != null && (state === "active" || state === "frozen"));
  if (leaked.length === 0) return null;
  return (
    <Alert color="saffron" icon={<Icon name="warning" />} title="Change this key" mb="md">
      {leaked.map(({ id, name, leak, state }) => (
        <Text size="sm" key={id}>
          {name} (<span className="mono">lmk_{id}…</span>) was {leak && leakText(leak)}: others may have it.{" "}
          {state === "frozen" ? "It is frozen; ask an administrator." : "Rotate it, and use the new secret."}
        </Text>
      ))}
      {leaked.some(({ state }) => state === "active") && (
        <Button component={Link} href="/me/keys" size="compact-sm" variant="default" mt="sm">
          My keys
        </Button>
      )}
    </Alert>
  );
}
