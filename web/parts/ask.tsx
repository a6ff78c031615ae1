import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type FormEvent, type ReactNode, useState } from "react";
import { Failure } from "./feedback.tsx";

interface Props {
  readonly title: string;
  readonly opened: boolean;
  readonly close: () => void;
  readonly children?: ReactNode;
  readonly confirm: string;
  /** It cannot be taken back, or somebody is cut off by it. */
  readonly isDangerous?: boolean;
  /** What fails is shown in the dialog, which stays open; it also does where this resolves to "stay". */
  readonly run: () => Promise<unknown>;
  readonly size?: string;
  readonly isReady?: boolean;
}

/** A dialog with one thing to do. While that is under way it stays: what comes of it may be shown only once. */
export function Ask({
  title,
  opened,
  close,
  children,
  confirm,
  isDangerous,
  run,
  size,
  isReady = true,
}: Props) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const leave = () => {
    if (busy) return;
    setError(undefined);
    close();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    // A dialog inside of another's form must not submit both.
    event.stopPropagation();
    setBusy(true);
    setError(undefined);
    try {
      if ((await run()) !== "stay") close();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal opened={opened} onClose={leave} title={<Text fw={650}>{title}</Text>} size={size ?? "md"}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack gap="md">
          {typeof children === "string" ? <Text size="sm">{children}</Text> : children}
          {error !== undefined && <Failure error={error} />}
          <Group justify="flex-end" gap="xs" mt="xs">
            <Button variant="default" onClick={leave} disabled={busy}>
              Cancel
            </Button>
            <Button
              type="submit"
              loading={busy}
              disabled={!isReady}
              {...(isDangerous && { color: "madder" })}
            >
              {confirm}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
