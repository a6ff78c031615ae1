import { Alert, Button, Skeleton, Stack, Text, Title } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { Problem } from "../api.ts";
import { Icon, type IconName } from "./icons.tsx";

const CLOSE = { closeButtonProps: { "aria-label": "Close" }, withBorder: true };

/** A short word at the edge of the page on something that went well. */
export function tell(message: string): void {
  notifications.show({ message, color: "spruce", autoClose: 3500, ...CLOSE });
}

/** The same for what did not: it stays longer. */
export function tellProblem(error: unknown): void {
  const { title, message } = wordsOf(error);
  notifications.show({ title, message, color: "madder", autoClose: 9000, ...CLOSE });
}

/** What could not be shown, why, and a way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const { title, message } = wordsOf(error);
  return (
    <Alert color="madder" icon={<Icon name="warning" />} title={title} role="alert">
      <Text size="sm">{message}</Text>
      {retry && (
        <Button mt="sm" size="compact-sm" variant="light" color="madder" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

function wordsOf(error: unknown): { title: string; message: string } {
  if (error instanceof Problem) return { title: error.title, message: error.message };
  return { title: "The console failed", message: error instanceof Error ? error.message : String(error) };
}

/** Where there is nothing yet: what would be here, and what to do so that it will. */
export function Empty(props: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      <div className="empty-icon">
        <Icon name={props.icon} size={34} />
      </div>
      <Title order={2} mt="sm">
        {props.title}
      </Title>
      <Text size="sm" c="dimmed" maw={440} mx="auto" mt={6}>
        {props.children}
      </Text>
      {props.action && <div style={{ marginTop: 18 }}>{props.action}</div>}
    </div>
  );
}

const WIDTHS = ["92%", "75%", "58%", "81%", "64%", "87%", "70%", "53%"];

/** Lines as tall as those that will come. */
export function Lines({ count = 6, height = 18 }: { count?: number; height?: number }) {
  return (
    <Stack gap={20} p="lg" role="status" aria-label="Loading">
      {WIDTHS.slice(0, count).map((width) => (
        <Skeleton key={width} height={height} width={width} />
      ))}
    </Stack>
  );
}
