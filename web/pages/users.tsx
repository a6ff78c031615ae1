import {
  ActionIcon,
  Button,
  Group,
  Menu,
  Select,
  SimpleGrid,
  Stack,
  Tabs,
  Text,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { all, call, type Key, type Role, type User, type Group as UserGroup } from "../api.ts";
import { dateTime, day, dollars } from "../format.ts";
import { Ask } from "../parts/ask.tsx";
import { Code } from "../parts/copy.tsx";
import { QueryTable } from "../parts/data-table.tsx";
import { Fact } from "../parts/fact.tsx";
import { Empty, tell } from "../parts/feedback.tsx";
import { Icon } from "../parts/icons.tsx";
import { NewKeyDialog } from "../parts/new-key.tsx";
import { Page, Section } from "../parts/page.tsx";
import { usePages } from "../parts/pages.tsx";
import { useSearchState } from "../parts/search-state.ts";
import { useMay } from "../parts/session.tsx";
import { SpendCard, useSpent } from "../parts/spend.tsx";
import { State } from "../parts/state.tsx";
import { KeyTable } from "./keys.tsx";

const ROLES: readonly { value: Role; label: string }[] = [
  { value: "member", label: "Member: sees only itself" },
  { value: "auditor", label: "Auditor: sees all, changes nothing" },
  { value: "admin", label: "Admin: changes all but roles and sign-in" },
  { value: "owner", label: "Owner: everything" },
];

const useUsers = () => useQuery({ queryKey: ["users"], queryFn: () => all<User>("/users") });
const useGroups = () => useQuery({ queryKey: ["groups"], queryFn: () => all<UserGroup>("/groups") });

/** Who may call: users, each in one group. */
export function Users({ id }: { id: string | undefined }) {
  if (id !== undefined && id !== "groups") return <OneUser key={id} id={id} />;
  return <People tab={id === "groups" ? "groups" : "users"} />;
}

function People({ tab }: { tab: string }) {
  const may = useMay();
  const [, navigate] = useLocation();
  const [adding, setAdding] = useState<"user" | "group">();
  return (
    <Page
      title="Users & groups"
      about="Each user holds master keys of their own, and is in exactly one group. What restricts a group restricts all who are in it."
      actions={
        may("users.write") && (
          <>
            <Button variant="default" onClick={() => setAdding("group")}>
              New group
            </Button>
            <Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAdding("user")}>
              New user
            </Button>
          </>
        )
      }
    >
      <Tabs
        value={tab}
        onChange={(value) => navigate(value === "groups" ? "/users/groups" : "/users")}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="users">Users</Tabs.Tab>
          <Tabs.Tab value="groups">Groups</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="users">
          <UserTable add={() => setAdding("user")} />
        </Tabs.Panel>
        <Tabs.Panel value="groups">
          <GroupTable />
        </Tabs.Panel>
      </Tabs>
      <NewUser opened={adding === "user"} close={() => setAdding(undefined)} />
      <NewGroup opened={adding === "group"} close={() => setAdding(undefined)} />
    </Page>
  );
}

function UserTable({ add }: { add: () => void }) {
  const may = useMay();
  const [get, set] = useSearchState();
  const [, navigate] = useLocation();
  const [asked] = useDebouncedValue(get("search"), 250);
  const { query, footer } = usePages<User>("users", "/users", { q: asked });
  const spent = useSpent("user");
  return (
    <>
      <TextInput
        aria-label="Search users"
        placeholder="Name"
        leftSection={<Icon name="search" size={16} />}
        value={get("search")}
        onChange={(event) => set({ search: event.currentTarget.value })}
        maw={320}
        mb="sm"
      />
      <QueryTable
        caption="Users"
        query={query}
        footer={footer}
        rowKey={(user) => user.id}
        open={(user) => navigate(`/users/${user.id}`)}
        columns={[
          {
            title: "User",
            cell: ({ id, name }) => (
              <Link
                href={`/users/${id}`}
                style={{ color: "inherit", fontWeight: 600, textDecoration: "none" }}
              >
                {name}
              </Link>
            ),
          },
          { title: "Group", phone: "inline", cell: ({ group }) => group.name },
          { title: "Role", phone: "inline", cell: ({ role }) => role ?? "member" },
          {
            title: "Spent in 30 days",
            phone: "inline",
            align: "right",
            cell: ({ name }) => (spent.data === undefined ? "–" : dollars(spent.data.get(name) ?? 0)),
          },
          { title: "State", phone: "corner", cell: ({ state }) => <State state={state} />, tight: true },
          {
            title: "Since",
            minor: true,
            cell: ({ createdAt }) => day(createdAt),
            align: "right",
            tight: true,
          },
        ]}
        empty={
          asked === "" ? (
            <Empty
              icon="users"
              title="Nobody yet"
              action={may("users.write") && <Button onClick={add}>Make the first user</Button>}
            >
              A user is a person or a program that holds master keys. Cutting one off touches no other.
            </Empty>
          ) : (
            <Empty icon="search" title="Nobody has that name">
              Whole names and parts of them are searched.
            </Empty>
          )
        }
      />
    </>
  );
}

function GroupTable() {
  const groups = useGroups();
  const users = useUsers();
  const spent = useSpent("group");
  const [, navigate] = useLocation();
  return (
    <QueryTable
      caption="Groups"
      query={groups}
      rowKey={(group) => group.id}
      open={(group) => navigate(`/policies/${encodeURIComponent(`group:${group.name}`)}`)}
      columns={[
        {
          title: "Group",
          cell: ({ name }) => (
            <Link
              href={`/policies/${encodeURIComponent(`group:${name}`)}`}
              style={{ color: "inherit", fontWeight: 600, textDecoration: "none" }}
            >
              {name}
            </Link>
          ),
        },
        {
          title: "Users",
          cell: ({ id }) => users.data?.filter(({ group }) => group.id === id).length ?? "–",
          align: "right",
          tight: true,
          phone: "pair",
        },
        {
          title: "Spent in 30 days",
          cell: ({ name }) => (spent.data === undefined ? "–" : dollars(spent.data.get(name) ?? 0)),
          align: "right",
        },
        { title: "State", phone: "corner", cell: ({ state }) => <State state={state} />, tight: true },
        { title: "Since", minor: true, cell: ({ createdAt }) => day(createdAt), align: "right", tight: true },
      ]}
      empty={
        <Empty icon="users" title="No groups">
          Users need one to be in.
        </Empty>
      }
    />
  );
}

/** One person: keys, role, and what can be done with them. */
function OneUser({ id }: { id: string }) {
  const may = useMay();
  const queries = useQueryClient();
  const user = useQuery({ queryKey: ["users", id], queryFn: () => call<User>("GET", `/users/${id}`) });
  const keys = useQuery({ queryKey: ["keys", { user: id }], queryFn: () => all<Key>("/keys", { user: id }) });
  const [dialog, setDialog] = useState<"key" | "revoke" | "group" | "role" | "link">();
  const close = () => setDialog(undefined);
  const change = async (body: object) => {
    await call("PATCH", `/users/${id}`, { body });
    await queries.invalidateQueries({ queryKey: ["users"] });
    tell("The user is changed");
  };
  const isRevoked = user.data?.state === "revoked";
  return (
    <Page
      title={user.data?.name ?? "User"}
      about={user.data && `In ${user.data.group.name} since ${day(user.data.createdAt)}`}
      actions={
        user.data && (
          <>
            <Button
              component={Link}
              variant="default"
              href={`/requests?user=${encodeURIComponent(user.data.name)}`}
            >
              Calls
            </Button>
            <Button
              component={Link}
              variant="default"
              href={`/policies/${encodeURIComponent(`user:${user.data.name}`)}`}
            >
              Policy
            </Button>
            {may("users.write") && (
              <>
                <Button onClick={() => setDialog("key")}>New key</Button>
                <Menu>
                  <Menu.Target>
                    <ActionIcon size="lg" variant="default" aria-label="More for this user">
                      <Icon name="dots" />
                    </ActionIcon>
                  </Menu.Target>
                  <Menu.Dropdown>
                    <Menu.Item onClick={() => setDialog("group")}>Move to a group</Menu.Item>
                    {may("users.role") && (
                      <Menu.Item onClick={() => setDialog("role")}>Change the role</Menu.Item>
                    )}
                    {may("sign_in_links.write") && (
                      <Menu.Item onClick={() => setDialog("link")}>Make a sign-in link</Menu.Item>
                    )}
                    {isRevoked ? (
                      <Menu.Item onClick={() => void change({ revoked: false })}>Let in again</Menu.Item>
                    ) : (
                      <Menu.Item color="madder" onClick={() => setDialog("revoke")}>
                        Cut off
                      </Menu.Item>
                    )}
                  </Menu.Dropdown>
                </Menu>
              </>
            )}
          </>
        )
      }
    >
      <SimpleGrid
        cols={{ base: 2, sm: 4 }}
        className="tiles"
        spacing={1}
        verticalSpacing={1}
        component="dl"
        m={0}
      >
        <Fact name="State">{user.data && <State state={user.data.state} />}</Fact>
        <Fact name="Role">{user.data && (user.data.role ?? "member")}</Fact>
        <Fact name="Group">{user.data?.group.name}</Fact>
        <Fact name="Ends">
          {user.data && (user.data.expiresAt === null ? "never by itself" : dateTime(user.data.expiresAt))}
        </Fact>
      </SimpleGrid>
      {user.data && may("usage.read") && <SpendCard path="/usage" user={user.data.name} />}
      <Section title="Keys">
        <KeyTable query={keys} withUser={false} add={() => setDialog("key")} />
      </Section>
      {user.data && (
        <>
          <NewKeyDialog opened={dialog === "key"} close={close} user={user.data.name} />
          <Ask
            title={`Cut off ${user.data.name}?`}
            opened={dialog === "revoke"}
            close={close}
            confirm="Cut off"
            isDangerous
            run={() => change({ revoked: true, now: true })}
          >
            All keys of this user stop working at once, and answers that are being streamed end. Nobody else
            notices. You can let the user in again.
          </Ask>
          <MoveDialog user={user.data} opened={dialog === "group"} close={close} change={change} />
          <RoleDialog user={user.data} opened={dialog === "role"} close={close} change={change} />
          <LinkDialog user={user.data} opened={dialog === "link"} close={close} />
        </>
      )}
    </Page>
  );
}

interface Dialog {
  readonly opened: boolean;
  readonly close: () => void;
}
interface UserDialog extends Dialog {
  readonly user: User;
}

function MoveDialog({
  user,
  opened,
  close,
  change,
}: UserDialog & { change: (body: object) => Promise<void> }) {
  const groups = useGroups();
  const [group, setGroup] = useState(user.group.name);
  return (
    <Ask
      title={`Move ${user.name}`}
      opened={opened}
      close={close}
      confirm="Move"
      run={() => change({ group })}
    >
      <Select
        label="Group"
        data={groups.data?.map(({ name }) => name) ?? []}
        value={group}
        onChange={(value) => setGroup(value ?? "")}
      />
    </Ask>
  );
}

function RoleDialog({
  user,
  opened,
  close,
  change,
}: UserDialog & { change: (body: object) => Promise<void> }) {
  const [role, setRole] = useState<string>(user.role ?? "member");
  return (
    <Ask
      title={`Role of ${user.name}`}
      opened={opened}
      close={close}
      confirm="Change the role"
      run={() => change({ role })}
    >
      <Select
        label="Role"
        data={ROLES.map((one) => ({ ...one }))}
        value={role}
        onChange={(value) => setRole(value ?? "member")}
      />
    </Ask>
  );
}

function LinkDialog({ user, opened, close }: UserDialog) {
  const [link, setLink] = useState<string>();
  const make = async () => {
    const made = await call<{ url: string }>("POST", `/users/${user.id}/sign-in-link`, { body: {} });
    setLink(made.url);
    return "stay";
  };
  const leave = () => {
    setLink(undefined);
    close();
  };
  return link === undefined ? (
    <Ask
      title={`A sign-in link for ${user.name}`}
      opened={opened}
      close={leave}
      confirm="Make the link"
      run={make}
    >
      Whoever opens it is signed in as this user. It works once, and not for long: send it to nobody else.
    </Ask>
  ) : (
    <Ask
      title={`A sign-in link for ${user.name}`}
      opened={opened}
      close={leave}
      confirm="Done"
      run={async () => leave()}
    >
      <Stack gap="xs">
        <Text size="sm">It works once. It is shown only now.</Text>
        <Code text={link} what="Sign-in link" wrap />
      </Stack>
    </Ask>
  );
}

function NewUser({ opened, close }: Dialog) {
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const groups = useGroups();
  const may = useMay();
  const [name, setName] = useState("");
  const [group, setGroup] = useState("default");
  const [role, setRole] = useState<string>("member");
  const run = async () => {
    const made = await call<User>("POST", "/users", {
      body: { name, group, ...(role !== "member" && { role }) },
    });
    await queries.invalidateQueries({ queryKey: ["users"] });
    setName("");
    navigate(`/users/${made.id}`);
  };
  const names = groups.data?.map((one) => one.name) ?? [];
  return (
    <Ask
      title="New user"
      opened={opened}
      close={close}
      confirm="Make the user"
      run={run}
      isReady={name.trim() !== ""}
    >
      <TextInput
        label="Name"
        description="A person or a program"
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        required
        data-autofocus
      />
      <Select
        label="Group"
        data={names}
        value={names.includes(group) ? group : null}
        onChange={(value) => setGroup(value ?? "default")}
      />
      {may("users.role") && (
        <Select
          label="Role in this console"
          data={ROLES.map((one) => ({ ...one }))}
          value={role}
          onChange={(value) => setRole(value ?? "member")}
        />
      )}
    </Ask>
  );
}

function NewGroup({ opened, close }: Dialog) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const run = async () => {
    await call("POST", "/groups", { body: { name } });
    await queries.invalidateQueries({ queryKey: ["groups"] });
    setName("");
    tell(`The group ${name} is made`);
  };
  return (
    <Ask
      title="New group"
      opened={opened}
      close={close}
      confirm="Make the group"
      run={run}
      isReady={name.trim() !== ""}
    >
      <Group>
        <TextInput
          label="Name"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          data-autofocus
          w="100%"
        />
      </Group>
    </Ask>
  );
}
