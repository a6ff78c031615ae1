import { Card, Group, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { all, call } from "../api.ts";
import { count, dollars, short } from "../format.ts";
import { SERIES } from "../theme.ts";
import { Chart } from "./chart.tsx";
import { Lines } from "./feedback.tsx";

interface Sum {
  readonly keys: Readonly<Record<string, string | null>>;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cost: string;
}

const DAY_MS = 86_400_000;
const DAYS = 30;

/** Of 30 whole days and today, so that the address is the same all day. */
function since(): string {
  return new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS - (DAYS - 1) * DAY_MS).toISOString();
}

/** What each user or group spent in the last 30 days, by name. */
export function useSpent(by: "user" | "group") {
  return useQuery({
    queryKey: ["usage", by],
    queryFn: async () => {
      const sums = await all<Sum>("/usage", { by, since: since() });
      return new Map(sums.map(({ keys, cost }) => [keys[by], cost]));
    },
  });
}

/** One person's spend of 30 days, a bar a day. */
export function SpendCard({ path, user }: { path: "/usage" | "/me/usage"; user?: string }) {
  const days = useQuery({
    queryKey: ["usage", path, user],
    queryFn: () =>
      call<{ items: Sum[]; total: Sum }>("GET", path, {
        query: { by: "day", since: since(), user, limit: 100 },
      }),
  });
  // What matters stands elsewhere on these pages, too.
  if (days.isError) return null;
  const total = days.data?.total;
  return (
    <Card mt="md">
      <Group justify="space-between" mb="md" gap={4}>
        <Text component="h2" fw={650} m={0}>
          Spend over 30 days
        </Text>
        {total && (
          <Text size="sm" c="dimmed" className="number">
            {dollars(total.cost)} · {short(total.requests)} {total.requests === 1 ? "call" : "calls"} ·{" "}
            {short(total.inputTokens + total.outputTokens)} tokens
          </Text>
        )}
      </Group>
      {days.isPending ? (
        <Lines count={4} />
      ) : days.data.items.length === 0 ? (
        <Text size="sm" c="dimmed">
          No calls in this time.
        </Text>
      ) : (
        <Chart
          kind="bar"
          height={160}
          data={daysOf(days.data.items)}
          series={[{ name: "cost", label: "Spend", color: SERIES[0] }]}
          format={(value) => dollars(value)}
          summary={`Spend over 30 days: ${dollars(days.data.total.cost)} for ${count(days.data.total.requests)} calls.`}
        />
      )}
    </Card>
  );
}

function daysOf(sums: readonly Sum[]) {
  const costs = new Map(sums.map(({ keys, cost }) => [keys["day"], Number(cost)]));
  const first = Date.parse(since());
  return Array.from({ length: DAYS }, (_, at) => {
    const day = new Date(first + at * DAY_MS);
    return {
      label: day.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }),
      cost: costs.get(day.toISOString().slice(0, 10)) ?? 0,
    };
  });
}
