import { Button, Divider, PasswordInput, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { call, whenStepUp } from "../api.ts";
import { Ask } from "./ask.tsx";
import { tellProblem } from "./feedback.tsx";
import { Icon } from "./icons.tsx";
import { askPasskey } from "./passkey.ts";
import { useSession } from "./session.tsx";
import { oidcStart, useWays } from "./ways.ts";

/** Asks once more who it is, where something is to be changed that gives access. */
export function StepUp() {
  const { hasPassword, passkeys } = useSession();
  const oidc = useWays().data?.methods.oidc;
  const [opened, setOpened] = useState(false);
  const [password, setPassword] = useState("");
  const answer = useRef<((done: boolean) => void) | undefined>(undefined);
  useEffect(
    () =>
      whenStepUp(() => {
        setOpened(true);
        return new Promise((resolve) => {
          answer.current = resolve;
        });
      }),
    [],
  );
  const end = (done: boolean) => {
    answer.current?.(done);
    answer.current = undefined;
    setPassword("");
    setOpened(false);
  };
  const byPasskey = async () => {
    try {
      await call("POST", "/session/step-up", { body: { passkey: await askPasskey() } });
      end(true);
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <Ask
      title="Is it you?"
      opened={opened}
      close={() => end(false)}
      confirm="Confirm"
      isReady={password !== ""}
      run={async () => {
        await call("POST", "/session/step-up", { body: { password } });
        end(true);
      }}
    >
      <Stack gap="sm">
        <Text size="sm">
          This changes what gives access. Show once more who you are; it is good for 15 minutes.
        </Text>
        {passkeys > 0 && (
          <Button
            variant="default"
            leftSection={<Icon name="fingerprint" />}
            onClick={() => void byPasskey()}
          >
            Use a passkey
          </Button>
        )}
        {oidc && (
          <>
            <Button component="a" href={oidcStart("step-up")} variant="default">
              {oidc.name}
            </Button>
            <Text size="xs" c="dimmed">
              That leads away and back to the console; what you were about to do is done once more then.
            </Text>
          </>
        )}
        {(passkeys > 0 || oidc) && hasPassword && <Divider label="or" />}
        {hasPassword ? (
          <PasswordInput
            label="Password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="current-password"
          />
        ) : (
          passkeys === 0 &&
          !oidc && (
            <Text size="sm" c="dimmed">
              You have neither passkey nor password yet: sign out, and in again the way you came.
            </Text>
          )
        )}
      </Stack>
    </Ask>
  );
}
