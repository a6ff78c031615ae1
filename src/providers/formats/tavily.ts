import { scaleUp } from "./decimal.ts";
import { reported, type UsageFormat } from "./usage.ts";

/** Tavily's credits, which it tells where the request asked for them. */
export const tavilyUsage: UsageFormat = {
  watch: ["usage"],
  read(found) {
    const credits = scaleUp(found.object("usage")?.["credits"], 0);
    // More than a number holds exactly are no credits.
    if (credits === null || credits > BigInt(Number.MAX_SAFE_INTEGER)) return null;
    return reported({ searches: Number(credits) });
  },
};
