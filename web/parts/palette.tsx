import { Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";
import { useLocation } from "wouter";
import { all, type Key, type User } from "../api.ts";
import { Icon, type IconName } from "./icons.tsx";
import type { placesOf } from "./places.ts";
import { useSession } from "./session.tsx";

/** Most that is shown of each kind. */
const MOST = 6;

/** Goes anywhere by its name: pages, users, keys. */
export function Palette({ groups }: { groups: ReturnType<typeof placesOf> }) {
  const [, navigate] = useLocation();
  const [asked, setAsked] = useState("");
  const mayLook = useSession().user.role !== "member" && asked.length > 1;
  const users = useQuery({ queryKey: ["users"], queryFn: () => all<User>("/users"), enabled: mayLook });
  const keys = useQuery({ queryKey: ["keys"], queryFn: () => all<Key>("/keys"), enabled: mayLook });
  const fits = (text: string) => text.toLowerCase().includes(asked.toLowerCase());
  const action = (id: string, label: string, description: string, icon: IconName, path: string) => ({
    id,
    label,
    description,
    leftSection: <Icon name={icon} />,
    onClick: () => navigate(path),
  });
  const found: SpotlightActionGroupData[] = [
    {
      group: "Pages",
      actions: groups.flatMap(({ places }) =>
        places.map(({ path, name, about, icon }) => action(path, name, about, icon, path)),
      ),
    },
  ];
  if (mayLook) {
    const people = (users.data ?? []).filter(({ name, id }) => fits(`${name} ${id}`)).slice(0, MOST);
    const held = (keys.data ?? [])
      .filter(({ name, id, user }) => fits(`${name} ${id} ${user.name}`))
      .slice(0, MOST);
    found.push(
      {
        group: "Users",
        actions: people.map(({ id, name, group }) => action(id, name, group.name, "users", `/users/${id}`)),
      },
      {
        group: "Keys",
        actions: held.map(({ id, name, user }) =>
          action(id, `${user.name} · ${name}`, id, "key", `/keys?search=${id}`),
        ),
      },
    );
  }
  return (
    <Spotlight
      actions={found}
      query={asked}
      onQueryChange={setAsked}
      shortcut="mod + K"
      nothingFound="Nothing has that name"
      highlightQuery
      attributes={{ content: { "aria-label": "Search" } }}
      scrollable
      maxHeight={420}
      searchProps={{
        leftSection: <Icon name="search" />,
        placeholder: "Pages, users, keys…",
        "aria-label": "Search pages, users and keys",
        onKeyDown: takeFirst,
      }}
    />
  );
}

/** Selects what Enter is to open, where it came after the last letter was typed and nothing is selected yet. */
function takeFirst({ key, currentTarget }: KeyboardEvent<HTMLInputElement>) {
  const list = currentTarget.closest("[role=dialog]");
  if (key !== "Enter" || list === null || list.querySelector("[data-action][data-selected]") !== null) return;
  list.querySelector("[data-action]")?.setAttribute("data-selected", "true");
}
