import { Anchor, Button, Card, Group, Text, Textarea } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { type AskForMore, all, call } from "../api.ts";
import { ago } from "../format.ts";
import { Ask } from "./ask.tsx";
import { askText } from "./ask-text.ts";
import { tell, tellProblem } from "./feedback.tsx";
import { useMay } from "./session.tsx";

/** What users ask for and nobody has answered yet; a click grants it. */
export function OpenAsks() {
  const may = useMay()("policies.write");
  const queries = useQueryClient();
  const asks = useQuery({
    queryKey: ["asks", "open"],
    queryFn: () => all<AskForMore>("/asks", { state: "open" }),
    refetchInterval: 15_000,
  });
  /** Ids of those that are being granted. */
  const [busy, setBusy] = useState<readonly string[]>([]);
  const [denying, setDenying] = useState<AskForMore>();
  const [why, setWhy] = useState("");
  if (asks.data === undefined || asks.data.length === 0) return null;
  const decided = async (said: string) => {
    tell(said);
    await Promise.all(
      ["asks", "budgets", "policies"].map((key) => queries.invalidateQueries({ queryKey: [key] })),
    );
  };
  const grant = async (one: AskForMore) => {
    setBusy((before) => [...before, one.id]);
    try {
      await call("POST", `/asks/${one.id}/grant`, { body: {} });
      await decided(`${one.user.name} has it now`);
    } catch (error) {
      tellProblem(error);
    } finally {
      setBusy((before) => before.filter((id) => id !== one.id));
    }
  };
  return (
    <Card mb="md">
      <Text component="h2" fw={650} m={0} mb="xs">
        {asks.data.length === 1 ? "Somebody asks for more" : `${asks.data.length} people ask for more`}
      </Text>
      {asks.data.map((one) => (
        <Group key={one.id} justify="space-between" py={8} gap="sm">
          <div style={{ minWidth: 0, flex: 1 }}>
            <Text size="sm">
              <Anchor component={Link} href={`/users/${one.user.id}`} c="inherit" fw={600}>
                {one.user.name}
              </Anchor>{" "}
              would like {askText(one)}
            </Text>
            <Text size="xs" c="dimmed">
              {ago(one.createdAt)}: {one.reason}
            </Text>
          </div>
          {may && (
            <Group gap={6}>
              <Button
                size="compact-sm"
                loading={busy.includes(one.id)}
                onClick={() => void grant(one)}
                aria-label={`Grant ${one.user.name} ${askText(one)}`}
              >
                Grant
              </Button>
              <Button
                size="compact-sm"
                variant="default"
                onClick={() => setDenying(one)}
                aria-label={`Deny ${one.user.name} ${askText(one)}`}
              >
                Deny
              </Button>
            </Group>
          )}
        </Group>
      ))}
      <Ask
        title={`Deny ${denying?.user.name}`}
        opened={denying !== undefined}
        close={() => setDenying(undefined)}
        confirm="Deny"
        isReady={why.trim() !== ""}
        run={async () => {
          await call("POST", `/asks/${denying?.id}/deny`, { body: { reason: why } });
          setWhy("");
          await decided("It is answered");
        }}
      >
        <Textarea
          label="Why"
          description="Whoever asked reads it."
          value={why}
          onChange={(event) => setWhy(event.currentTarget.value)}
          rows={3}
          required
          data-autofocus
        />
      </Ask>
    </Card>
  );
}
