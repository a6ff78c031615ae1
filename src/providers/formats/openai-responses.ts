import { count, type Fields, member } from "./fields.ts";
import type { Found } from "./found.ts";
import { reportedCost } from "./reported-cost.ts";
import { responsesQuantities } from "./responses-quantities.ts";
import { reported, tier, type UsageFormat } from "./usage.ts";

const WATCHED = ["usage", "model", "service_tier", "id", "output.*.type", "output.*.action.type"];

/** Web search's calls that only look at a page that was found, which is free. */
const FREE_ACTIONS = ["open_page", "find_in_page", "find"];

/** OpenAI's responses, compacted ones too, and all that imitate them: plain, or inside of a stream's last event. */
export const openaiResponsesUsage: UsageFormat = {
  watch: [...WATCHED, ...WATCHED.map((path) => `response.${path}`)],
  text: ["delta"],
  read(found) {
    const usage = found.object("response.usage", "usage");
    if (usage === null) return null;
    return reported(
      { ...responsesQuantities(usage), searches: searches(usage, found) },
      {
        model: found.text("response.model", "model"),
        reportedCost: reportedCost(usage),
        serviceTier: tier(found.text("response.service_tier", "service_tier")),
        jobId: found.text("response.id", "id"),
      },
    );
  },
};

function searches(usage: Fields, found: Found): number {
  // xAI and Perplexity count them.
  const counted = member(usage, "server_side_tool_usage_details");
  if (counted !== null) return count(counted, "web_search_calls") + count(counted, "x_search_calls");
  const perplexity = member(member(usage, "tool_calls_details"), "search_web");
  if (perplexity !== null) return count(perplexity, "invocation");
  const output = found.count("response.output.*.type") > 0 ? "response.output.*" : "output.*";
  const free = FREE_ACTIONS.reduce((sum, action) => sum + found.tally(`${output}.action.type`, action), 0);
  return Math.max(0, found.tally(`${output}.type`, "web_search_call") - free);
}
