import {
  Alert,
  Button,
  Card,
  Center,
  Divider,
  PasswordInput,
  Stack,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { call, Problem, type Session } from "../api.ts";
import { Failure } from "../parts/feedback.tsx";
import { Icon, Mark } from "../parts/icons.tsx";
import { askPasskey } from "../parts/passkey.ts";
import { startSession } from "../parts/session.tsx";
import { oidcStart, useWays } from "../parts/ways.ts";

/** The way in: by link, passkey, password, or the company's identity provider. */
export function SignIn() {
  const queries = useQueryClient();
  const ways = useWays();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState<string>();
  const link = useRef(takeLink());
  const enter = async (way: string, begin: () => Promise<Session>) => {
    setBusy(way);
    setError(undefined);
    try {
      const session = await begin();
      startSession(queries, session);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(undefined);
    }
  };
  useEffect(() => {
    document.title = "Sign in · LlaMaKey";
  }, []);
  const { password = false, passkey = false, oidc = null } = ways.data?.methods ?? {};
  return (
    <Center component="main" mih="100dvh" p="md">
      <Stack w="100%" maw={380} gap="lg">
        <Stack gap={10} align="center">
          <Mark size={52} />
          <Title order={1}>Sign in to LlaMaKey</Title>
        </Stack>
        <Card padding="xl">
          <Stack gap="md">
            {ways.isError && <Failure error={ways.error} retry={() => void ways.refetch()} />}
            {error !== undefined && <Failure error={error} />}
            {error === undefined && failed !== undefined && (
              <Failure error={new Problem(0, "Not signed in", failed)} />
            )}
            {link.current !== undefined && (
              <>
                <Text size="sm">You have opened a sign-in link. It works once.</Text>
                <Button
                  size="md"
                  loading={busy === "link"}
                  data-autofocus
                  onClick={() =>
                    void enter("link", () =>
                      call<Session>("POST", "/session/link", { body: { token: link.current } }),
                    )
                  }
                >
                  Sign in with this link
                </Button>
                {(password || passkey || oidc) && <Divider label="or" />}
              </>
            )}
            {ways.data?.secure === false && (
              <Alert
                color="saffron"
                icon={<Icon name="warning" />}
                title="Nobody can sign in at this address"
              >
                {ways.data.reason}
              </Alert>
            )}
            {oidc && (
              <Button component="a" href={oidcStart("sign-in")} variant="default" size="md">
                {oidc.name}
              </Button>
            )}
            {passkey && (
              <Button
                variant={link.current === undefined ? "filled" : "default"}
                size="md"
                leftSection={<Icon name="fingerprint" />}
                loading={busy === "passkey"}
                onClick={() =>
                  void enter("passkey", async () =>
                    call<Session>("POST", "/session/passkey", { body: await askPasskey() }),
                  )
                }
              >
                Use a passkey
              </Button>
            )}
            {password && (
              <>
                {(passkey || oidc) && <Divider label="or" />}
                <WithPassword
                  busy={busy === "password"}
                  enter={(body) =>
                    void enter("password", () => call<Session>("POST", "/session/password", { body }))
                  }
                />
              </>
            )}
            {ways.data?.secure && ways.data.reason !== null && (
              <Text size="xs" c="dimmed">
                {ways.data.reason}
              </Text>
            )}
          </Stack>
        </Card>
        <Text size="xs" c="dimmed" ta="center">
          No way in? On the gateway's machine, <span className="mono">lmk admin link</span> prints a link that
          works once.
        </Text>
      </Stack>
    </Center>
  );
}

function WithPassword({
  busy,
  enter,
}: {
  busy: boolean;
  enter: (body: { name: string; password: string }) => void;
}) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    enter({ name, password });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="username"
          required
        />
        <PasswordInput
          label="Password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          required
        />
        <Button type="submit" variant="default" loading={busy}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

/** Why the identity provider's way did not lead in, by what the gateway put into the address. */
const FAILED: Readonly<Record<string, string>> = {
  unknown: "Nobody here is known by that identity. Ask an administrator to let you in.",
  inactive: "Your access has ended, or was taken away.",
  expired: "It took too long. Try again.",
  taken: "That identity belongs to another user.",
};

/** The text of a sign-in link, which this takes out of the address: whoever looks over a shoulder must not see it. */
function takeLink(): string | undefined {
  const token = /^#link=(.+)$/.exec(location.hash)?.[1] ?? kept;
  const why = /^#sign-in-error=(.+)$/.exec(location.hash)?.[1];
  if (why !== undefined)
    failed = FAILED[why] ?? "The identity provider did not confirm who you are. Try again.";
  if (location.hash !== "") history.replaceState(null, "", location.pathname);
  kept = token;
  return token;
}
let kept: string | undefined;
let failed: string | undefined;
