import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  PasswordInput,
  Select,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, type Role } from "../api.ts";
import { Code } from "./copy.tsx";
import { Failure, Lines, tell } from "./feedback.tsx";
import { Icon } from "./icons.tsx";
import { useMay } from "./session.tsx";
import { SettingsCard } from "./settings-card.tsx";

interface Rule {
  readonly claim: string;
  readonly value: string;
  readonly role: Role | null;
  readonly group: string | null;
}
interface Oidc {
  readonly issuer: string;
  readonly clientId: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly rules: readonly Rule[];
  readonly createUsers: boolean;
  readonly onlyMatching?: boolean;
}
interface Stored {
  readonly oidc: (Oidc & { readonly hasSecret: boolean }) | null;
  readonly ssoOnly: boolean;
  readonly fixed: boolean;
  readonly redirectUri: string;
}

const NOTHING: Oidc = {
  issuer: "",
  clientId: "",
  name: "Sign in with the company's account",
  scopes: ["openid", "profile", "email"],
  rules: [],
  createUsers: true,
};
const NO_RULE: Rule = { claim: "groups", value: "", role: "member", group: null };

/** The company's identity provider, and what its claims make of a user here. */
export function IdentityProvider() {
  const stored = useQuery({
    queryKey: ["settings", "sign-in"],
    queryFn: () => call<Stored>("GET", "/settings/sign-in"),
  });
  if (stored.isError) return <Failure error={stored.error} retry={() => void stored.refetch()} />;
  if (stored.isPending) return <Lines count={4} />;
  // What is typed stays where the same is asked for again.
  return <Form key={JSON.stringify(stored.data)} stored={stored.data} />;
}

function Form({ stored }: { stored: Stored }) {
  const queries = useQueryClient();
  const may = useMay()("settings.sign_in") && !stored.fixed;
  const [draft, setDraft] = useState<Oidc>(() => {
    const { hasSecret: _, ...known } = { hasSecret: false, ...(stored.oidc ?? NOTHING) };
    return known;
  });
  const [rules, setRules] = useState(() => draft.rules.map((rule) => ({ ...rule, id: crypto.randomUUID() })));
  const [secret, setSecret] = useState("");
  const [ssoOnly, setSsoOnly] = useState(stored.ssoOnly);
  const set = (change: Partial<Oidc>) => setDraft((before) => ({ ...before, ...change }));
  const setRule = (id: string, change: Partial<Rule>) =>
    setRules((before) => before.map((rule) => (rule.id === id ? { ...rule, ...change } : rule)));
  const put = async (body: object, said: string) => {
    await call("PUT", "/settings/sign-in", { body });
    setSecret("");
    await queries.invalidateQueries({ queryKey: ["settings"] });
    tell(said);
  };
  const save = () => {
    const oidc = {
      ...draft,
      rules: rules.map(({ id: _, ...rule }) => ({ ...rule, group: rule.group || null })),
      ...(secret !== "" && { clientSecret: secret }),
    };
    return put({ oidc, ssoOnly }, "People can sign in with it now");
  };
  return (
    <SettingsCard
      title="Single sign-on"
      about="With any provider of OpenID Connect: Entra, Google, Okta, Keycloak, Authentik, GitLab."
      {...(may && { save })}
    >
      {stored.fixed && (
        <Text size="sm">The environment says how people sign in (LMK_OIDC_ISSUER); change it there.</Text>
      )}
      <Text size="sm" mb={-4}>
        The identity provider has to know this address of ours:
      </Text>
      <Code text={stored.redirectUri} what="Redirect address" wrap />
      <TextInput
        label="Issuer"
        placeholder="https://login.example.com"
        value={draft.issuer}
        onChange={(event) => set({ issuer: event.currentTarget.value })}
        readOnly={!may}
        required
      />
      <Group grow align="flex-start">
        <TextInput
          label="Client id"
          value={draft.clientId}
          onChange={(event) => set({ clientId: event.currentTarget.value })}
          readOnly={!may}
          required
        />
        <PasswordInput
          label="Client secret"
          placeholder={stored.oidc?.hasSecret ? "stored; empty keeps it" : ""}
          value={secret}
          onChange={(event) => setSecret(event.currentTarget.value)}
          autoComplete="off"
          readOnly={!may}
        />
      </Group>
      <TextInput
        label="What the button says"
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
        readOnly={!may}
        required
      />
      <Checkbox
        label="Make a user of whoever signs in for the first time"
        checked={draft.createUsers}
        onChange={(event) => set({ createUsers: event.currentTarget.checked })}
        disabled={!may}
      />
      <Checkbox
        label="Keep out whoever no rule fits"
        checked={draft.onlyMatching ?? false}
        onChange={(event) => set({ onlyMatching: event.currentTarget.checked })}
        disabled={!may}
      />
      <Stack gap={8}>
        <Text size="sm" fw={500}>
          Rules: the first that fits and names a role gives the role; so with the group
        </Text>
        {rules.map((rule, at) => (
          <Group key={rule.id} gap={8} align="flex-end" wrap="nowrap" style={{ overflowX: "auto" }}>
            <TextInput
              aria-label={`Claim of rule ${at + 1}`}
              placeholder="claim"
              value={rule.claim}
              onChange={(event) => setRule(rule.id, { claim: event.currentTarget.value })}
              readOnly={!may}
              miw={100}
            />
            <TextInput
              aria-label={`Value of rule ${at + 1}`}
              placeholder="value, or *"
              value={rule.value}
              onChange={(event) => setRule(rule.id, { value: event.currentTarget.value })}
              readOnly={!may}
              miw={100}
            />
            <Select
              aria-label={`Role of rule ${at + 1}`}
              data={[{ value: "", label: "no role" }, "member", "auditor", "admin", "owner"]}
              value={rule.role ?? ""}
              onChange={(role) => setRule(rule.id, { role: (role || null) as Role | null })}
              readOnly={!may}
              miw={110}
            />
            <TextInput
              aria-label={`Group of rule ${at + 1}`}
              placeholder="group"
              value={rule.group ?? ""}
              onChange={(event) => setRule(rule.id, { group: event.currentTarget.value })}
              readOnly={!may}
              miw={100}
            />
            {may && (
              <ActionIcon
                aria-label={`Remove rule ${at + 1}`}
                mb={6}
                onClick={() => setRules((before) => before.filter(({ id }) => id !== rule.id))}
              >
                <Icon name="trash" size={16} />
              </ActionIcon>
            )}
          </Group>
        ))}
        {may && (
          <Group>
            <Button
              size="compact-sm"
              variant="default"
              onClick={() => setRules((before) => [...before, { ...NO_RULE, id: crypto.randomUUID() }])}
            >
              Add a rule
            </Button>
          </Group>
        )}
      </Stack>
      <Checkbox
        label="Let people in by single sign-on alone (links of lmk admin link still work)"
        checked={ssoOnly}
        onChange={(event) => setSsoOnly(event.currentTarget.checked)}
        disabled={!may}
      />
      {may && stored.oidc !== null && (
        <Group>
          <Button
            variant="subtle"
            color="madder"
            size="compact-sm"
            onClick={() => void put({ oidc: null, ssoOnly: false }, "Single sign-on is off")}
          >
            Switch single sign-on off
          </Button>
        </Group>
      )}
    </SettingsCard>
  );
}
