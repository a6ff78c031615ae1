/** What each page of the console asks for, on a large installation. */
import type { Gateway } from "../test/support/gateway.ts";
import { poll } from "../test/support/poll.ts";

const DAY_MS = 86_400_000;

/** @param now The last call, epoch milliseconds. */
function pagesOf(now: number): Record<string, string> {
  const since = (days: number) => new Date(now - days * DAY_MS).toISOString();
  const until = new Date(now).toISOString();
  return {
    "home, a day": `/overview?since=${since(1)}&until=${until}&bucket=hour`,
    "home, a week by the hour": `/overview?since=${since(7)}&until=${until}&bucket=hour`,
    "home, a month": `/overview?since=${since(30)}&until=${until}&bucket=day`,
    "home, a month by the hour": `/overview?since=${since(30)}&until=${until}&bucket=hour`,
    users: "/users?limit=100",
    "users, searched": "/users?q=person 19&limit=100",
    groups: "/groups",
    keys: "/keys?limit=100",
    "keys of a user": "/keys?user=person 7",
    requests: "/requests?limit=100",
    "requests of a user": "/requests?user=person 77&limit=100",
    "requests of a key": "/requests?key=load000042&limit=100",
    "requests of a model": "/requests?model=gpt-5-mini&limit=100",
    "requests that failed": "/requests?status=500&limit=100",
    "errors of a provider": "/requests?status=error&provider=cohere&limit=100",
    "requests refused": "/requests?refusal=rate_limited&limit=100",
    "requests of three weeks ago": `/requests?until=${since(21)}&limit=100`,
    "requests searched for what is not there": "/requests?q=nosuchthing&limit=100",
    "a request": "/requests/lmkreq-load-77",
    "usage by user": "/usage?by=user&limit=100",
    "usage of a month by user": `/usage?by=user&since=${since(29.5)}`,
    "usage of a user by model": "/usage?by=model,day&user=person 3",
    "spend of a user by day": `/usage?by=day&user=person 3&since=${since(29.5)}&limit=100`,
    "spend by group": `/usage?by=group&since=${since(29.5)}&limit=1000`,
    "usage by day": "/usage?by=day",
    prices: "/prices?limit=100",
    policies: "/policies",
    budgets: "/budgets",
    providers: "/providers",
    credentials: "/credentials",
    health: "/health",
    audit: "/audit?limit=100",
    asks: "/asks",
    settings: "/settings",
  };
}

export interface Timing {
  readonly page: string;
  /** Median and worst of the rounds, milliseconds. */
  readonly median: number;
  readonly worst: number;
}

/** @throws Error for an answer that is not 200. */
export async function timePages(gateway: Gateway, now: number, rounds: number): Promise<Timing[]> {
  const headers = { authorization: `Bearer ${gateway.adminToken}` };
  const timings: Timing[] = [];
  for (const [page, path] of Object.entries(pagesOf(now))) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const startedAt = performance.now();
      const response = await fetch(`${gateway.url}/api/v1${encodeURI(path)}`, { headers });
      await response.arrayBuffer();
      times.push(performance.now() - startedAt);
      if (response.status !== 200) throw new Error(`${path} answers ${response.status}.`);
    }
    times.sort((a, b) => a - b);
    timings.push({ page, median: times[rounds >> 1] ?? 0, worst: times.at(-1) ?? 0 });
  }
  return timings;
}

/** Waits until all rows are in the sums. */
export async function rolledUp(rolled: () => number, rows: number, limitMs: number): Promise<void> {
  await poll("all rows in the sums", async () => (rolled() >= rows ? true : undefined), limitMs);
}
