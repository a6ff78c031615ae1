import { Badge } from "@mantine/core";

const TONES: Readonly<Record<string, string>> = {
  active: "spruce",
  ready: "spruce",
  frozen: "saffron",
  limited: "saffron",
  failing: "saffron",
  expired: "gray",
  revoked: "madder",
  rejected: "madder",
  unusable: "madder",
};

/** How a user, key or credential is: a word and its colour. */
export function State({ state, label = state }: { state: string; label?: string }) {
  return <Badge color={TONES[state] ?? "gray"}>{label}</Badge>;
}

/** Of an answer: its status, or what the gateway refused it for. */
export function Outcome({
  status,
  refusal,
  ending,
}: {
  status: number;
  refusal: string | null;
  ending: string;
}) {
  if (refusal !== null) return <Badge color="saffron">{refusal.replaceAll("_", " ")}</Badge>;
  const isBroken = ending !== "complete";
  const color =
    status >= 500 || (isBroken && ending !== "client_closed")
      ? "madder"
      : status >= 400
        ? "saffron"
        : "spruce";
  return <Badge color={color}>{isBroken ? ending.replaceAll("_", " ") : status}</Badge>;
}
