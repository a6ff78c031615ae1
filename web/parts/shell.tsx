import {
  ActionIcon,
  AppShell,
  Avatar,
  Burger,
  Group,
  Kbd,
  Menu,
  ScrollArea,
  Text,
  UnstyledButton,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { openSpotlight } from "@mantine/spotlight";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { call } from "../api.ts";
import { tellProblem } from "./feedback.tsx";
import { Icon, Mark } from "./icons.tsx";
import { Palette } from "./palette.tsx";
import { placesOf } from "./places.ts";
import { startSession, useSession } from "./session.tsx";
import { StepUp } from "./step-up.tsx";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The frame around every page: menu, search, whoever is signed in. */
export function Shell({ children }: { children: ReactNode }) {
  const { user } = useSession();
  const [opened, { toggle, close }] = useDisclosure();
  const [location, navigate] = useLocation();
  const groups = placesOf(user.role);
  useJumps(
    groups.flatMap(({ places }) => places.map(({ letter, path }) => [letter, path] as const)),
    navigate,
  );
  const section = location.split("/")[1] ?? "";
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the drawer
  useEffect(close, [location]);

  return (
    <AppShell
      header={{ height: { base: 54, sm: 0 } }}
      navbar={{ width: 236, breakpoint: "sm", collapsed: { mobile: !opened } }}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header hiddenFrom="sm" px="md">
        <Group h="100%" justify="space-between">
          <Group gap="xs">
            <Burger
              opened={opened}
              onClick={toggle}
              size="sm"
              aria-label={opened ? "Close the menu" : "Open the menu"}
              aria-expanded={opened}
            />
            <Mark size={24} />
            <span className="wordmark">LlaMaKey</span>
          </Group>
          <ActionIcon aria-label="Search" onClick={openSpotlight} size="lg">
            <Icon name="search" />
          </ActionIcon>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm" aria-label="Pages">
        <AppShell.Section visibleFrom="sm">
          <Group gap={10} px={8} pt={6} pb={14}>
            <Mark />
            <span className="wordmark">LlaMaKey</span>
          </Group>
          <UnstyledButton className="find" onClick={openSpotlight}>
            <Icon name="search" size={16} />
            <span>Search</span>
            <Kbd size="xs">{IS_MAC ? "⌘" : "Ctrl"} K</Kbd>
          </UnstyledButton>
        </AppShell.Section>
        <AppShell.Section grow component={ScrollArea} type="never">
          {groups.map(({ title, places }) => (
            <div key={title}>
              <div className="nav-title" id={`nav-${title}`}>
                {title}
              </div>
              <ul aria-labelledby={`nav-${title}`} style={{ listStyle: "none", margin: 0, padding: 0 }}>
                {places.map(({ path, name, icon }) => (
                  <li key={path}>
                    <Link
                      href={path}
                      className="nav"
                      aria-current={section === path.slice(1) ? "page" : undefined}
                    >
                      <Icon name={icon} />
                      {name}
                    </Link>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </AppShell.Section>
        <AppShell.Section pt="xs">
          <Person />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        {children}
      </AppShell.Main>
      <Palette groups={groups} />
      <StepUp />
    </AppShell>
  );
}

function Person() {
  const { user } = useSession();
  const queries = useQueryClient();
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme("light") === "dark";
  const signOut = async () => {
    try {
      await call("DELETE", "/session");
      startSession(queries, null);
    } catch (error) {
      tellProblem(error);
    }
  };
  return (
    <Group gap={4} wrap="nowrap">
      <Menu position="top-start" width={200}>
        <Menu.Target>
          <UnstyledButton className="nav" style={{ flex: 1, minWidth: 0 }}>
            <Avatar size={28} radius="xl" color="spruce" name={user.name} aria-hidden />
            <span style={{ minWidth: 0 }}>
              <Text size="sm" fw={600} truncate c="var(--mantine-color-text)" lh={1.2}>
                {user.name}
              </Text>
              <Text size="xs" c="dimmed" lh={1.2}>
                {user.role}
              </Text>
            </span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component={Link} href="/me/sign-in" leftSection={<Icon name="fingerprint" size={16} />}>
            Passkeys & password
          </Menu.Item>
          <Menu.Item leftSection={<Icon name="leave" size={16} />} onClick={() => void signOut()}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <ActionIcon
        size="lg"
        aria-label={isDark ? "Light colours" : "Dark colours"}
        onClick={() => setColorScheme(isDark ? "light" : "dark")}
      >
        <Icon name={isDark ? "sun" : "moon"} />
      </ActionIcon>
    </Group>
  );
}

/** `g` and then a page's letter goes to the page; `/` opens the search. */
function useJumps(letters: readonly (readonly [string, string])[], navigate: (path: string) => void): void {
  const since = useRef(0);
  useHotkeys([
    ["g", () => (since.current = performance.now()), { preventDefault: false }],
    ["/", openSpotlight],
    ...letters.map(
      ([letter, path]) =>
        [
          letter,
          () => {
            if (performance.now() - since.current < 1200) navigate(path);
          },
          { preventDefault: false },
        ] as [string, () => void, { preventDefault: boolean }],
    ),
  ]);
}
