import type { Role } from "../api.ts";
import type { IconName } from "./icons.tsx";

/** A page of the console, as menu and command palette name it. */
export interface Place {
  readonly path: string;
  readonly name: string;
  readonly icon: IconName;
  /** What the palette says of it. */
  readonly about: string;
  /** Behind `g`. */
  readonly letter: string;
}

const MINE: Place = {
  path: "/me",
  name: "My LlaMaKey",
  icon: "me",
  about: "Your keys, what you have left, set-up",
  letter: "m",
};

const ALL: readonly { readonly title: string; readonly places: readonly Place[] }[] = [
  {
    title: "Watch",
    places: [
      { path: "/", name: "Home", icon: "home", about: "Spend, errors, latency", letter: "h" },
      {
        path: "/requests",
        name: "Requests",
        icon: "requests",
        about: "Search, live tail, costs",
        letter: "r",
      },
    ],
  },
  {
    title: "People",
    places: [
      { path: "/users", name: "Users & groups", icon: "users", about: "Who may call", letter: "u" },
      {
        path: "/keys",
        name: "Keys",
        icon: "key",
        about: "Create, claim, rotate, freeze, revoke",
        letter: "k",
      },
      {
        path: "/policies",
        name: "Policies",
        icon: "shield",
        about: "Limits, budgets, allow-lists",
        letter: "p",
      },
    ],
  },
  {
    title: "Upstream",
    places: [
      {
        path: "/providers",
        name: "Providers",
        icon: "cloud",
        about: "Credentials and their health",
        letter: "v",
      },
      { path: "/prices", name: "Prices", icon: "price", about: "The price book", letter: "c" },
    ],
  },
  {
    title: "Installation",
    places: [
      { path: "/audit", name: "Audit log", icon: "audit", about: "Who changed what", letter: "a" },
      {
        path: "/settings",
        name: "Settings",
        icon: "settings",
        about: "Time zone, webhook, sign-in",
        letter: "s",
      },
    ],
  },
];

/** What this role gets to see, by heading. */
export function placesOf(role: Role): typeof ALL {
  const mine = { title: "Yours", places: [MINE] };
  return role === "member" ? [mine] : [...ALL, mine];
}
