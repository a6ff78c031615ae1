import { Button, Card, Group, Stack, Text } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { Failure } from "./feedback.tsx";

/** A group of settings with a button that puts them in force; without one for those who may only look. */
export function SettingsCard({
  title,
  about,
  save,
  children,
}: {
  title: string;
  about: string;
  save?: () => Promise<void>;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await save?.();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card component="form" onSubmit={(event) => void submit(event)}>
      <Text component="h2" fw={650} m={0}>
        {title}
      </Text>
      <Text size="sm" c="dimmed" mt={2} mb="md">
        {about}
      </Text>
      <Stack gap="sm">
        {children}
        {error !== undefined && <Failure error={error} />}
        {save && (
          <Group>
            <Button type="submit" loading={busy}>
              Save
            </Button>
          </Group>
        )}
      </Stack>
    </Card>
  );
}
