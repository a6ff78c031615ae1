import { Group, Text, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";

/** A page: its name, a line on what it is for, what can be done on it, and the rest. */
export function Page(props: { title: string; about?: ReactNode; actions?: ReactNode; children: ReactNode }) {
  const { title } = props;
  useEffect(() => {
    document.title = `${title} · LlaMaKey`;
  }, [title]);
  return (
    <div className="page">
      <Group justify="space-between" align="flex-start" mb="lg" gap="sm">
        <div>
          <Title order={1}>{title}</Title>
          {props.about && (
            <Text size="sm" c="dimmed" mt={4} maw={640}>
              {props.about}
            </Text>
          )}
        </div>
        {props.actions && <Group gap="xs">{props.actions}</Group>}
      </Group>
      {props.children}
    </div>
  );
}

/** A part of a page with a name of its own. */
export function Section(props: {
  title: string;
  about?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  mt?: string;
}) {
  return (
    <section aria-label={props.title} style={{ marginTop: props.mt ?? "var(--mantine-spacing-xl)" }}>
      <Group justify="space-between" align="flex-end" mb="sm" gap="xs">
        <div>
          <Title order={2}>{props.title}</Title>
          {props.about && (
            <Text size="sm" c="dimmed" mt={2}>
              {props.about}
            </Text>
          )}
        </div>
        {props.actions}
      </Group>
      {props.children}
    </section>
  );
}
