import { Group, Text } from "@mantine/core";
import { Link } from "wouter";
import type { Budget } from "../api.ts";
import { ago, dollars, percent, period, scopeName } from "../format.ts";

/** How much of something is used. @param part 0 to 1. */
export function Meter({
  part,
  label,
  tone = toneOf(part),
}: {
  part: number;
  label: string;
  tone?: string | undefined;
}) {
  const shown = Math.max(0, Math.min(1, part));
  return (
    <div className="meter" data-tone={tone} role="img" aria-label={label}>
      <span style={{ width: `${shown * 100}%` }} />
    </div>
  );
}

function toneOf(part: number): string {
  return part >= 1 ? "bad" : part >= 0.8 ? "warn" : "good";
}

/** The part of a budget that is spent or reserved. */
export function usedPart({ amount, left }: Pick<Budget, "amount" | "left">): number {
  const most = Number(amount);
  return left === null ? 0 : most === 0 ? 1 : 1 - Number(left) / most;
}

interface BudgetLine
  extends Pick<Budget, "scope" | "name" | "amount" | "per" | "left" | "provider" | "model"> {
  /** When it begins anew; null for never, undefined where that is not told. */
  readonly ends?: string | null;
  readonly shadow?: boolean;
}

/** A budget as its holder wants to see it: what is left, of how much, until when. */
export function BudgetMeter({ budget, own = false }: { budget: BudgetLine; own?: boolean }) {
  const part = usedPart(budget);
  const narrowed = [budget.provider, budget.model].filter(Boolean).join(" ");
  const title = own ? budget.name : scopeName(budget.scope);
  return (
    <div style={{ padding: "9px 0" }}>
      <Group justify="space-between" gap="xs" wrap="nowrap" mb={5}>
        <Text size="sm" fw={550} truncate>
          {own ? (
            title
          ) : (
            <Link
              href={`/policies/${encodeURIComponent(budget.scope)}`}
              style={{ color: "inherit", textDecoration: "none" }}
            >
              {title}
            </Link>
          )}
          {narrowed !== "" && <span className="soft"> · {narrowed}</span>}
          {budget.shadow && <span className="soft"> · only counts</span>}
        </Text>
        <Text size="sm" className="number nowrap">
          {dollars(budget.left)} <span className="soft">left</span>
        </Text>
      </Group>
      <Meter part={part} label={`${title}: ${percent(part)} of ${dollars(budget.amount)} used`} />
      <Group justify="space-between" mt={4}>
        <Text size="xs" c="dimmed" className="number">
          {percent(part)} of {dollars(budget.amount)} {period(budget.per)}
        </Text>
        <Text size="xs" c="dimmed">
          {budget.ends === undefined
            ? ""
            : budget.ends === null
              ? "does not renew"
              : `renews ${ago(budget.ends)}`}
        </Text>
      </Group>
    </div>
  );
}
