import { tavily } from "@tavily/core";
import { FAIL, tell } from "./told.mjs";

const client = tavily();

await tell({
  plain: async () => (await client.search("who?")).results[0].title,
  error: () => client.search(FAIL),
});
