import { type Fields, member } from "./fields.ts";
import { reported, type UsageFormat } from "./usage.ts";

/** Every endpoint of Cohere's first and second version, plain or streamed: what it bills, not what its models read. */
export const cohereUsage: UsageFormat = {
  watch: ["usage", "delta.usage", "meta", "response.meta"],
  text: ["delta.message", "text"],
  read(found) {
    const usage = found.object("usage", "delta.usage", "meta", "response.meta");
    const billed = member(usage, "billed_units") ?? member(usage, "tokens");
    if (billed === null) return null;
    const imageTokens = units(billed, "image_tokens");
    return reported({
      input_tokens: units(billed, "input_tokens"),
      output_tokens: units(billed, "output_tokens"),
      input_image_tokens: imageTokens,
      images: imageTokens === 0 ? units(billed, "images") : 0,
      searches: units(billed, "search_units"),
      classifications: units(billed, "classifications"),
    });
  },
};

/** Its counts are floating-point numbers. */
function units(billed: Fields, name: string): number {
  const value = billed[name];
  return typeof value === "number" && value > 0 && value < Number.MAX_SAFE_INTEGER ? Math.ceil(value) : 0;
}
