import { tavily } from "@tavily/core";
import { FAIL, tell } from "./told.mjs";

const client = tavily();

await tell({
  plain: async () => (await client.search("who?")).results[0].title,
  stream: async () => {
    let text = "";
    for await (const piece of await client.research("who?", { stream: true }))
      text += new TextDecoder().decode(piece);
    return text;
  },
  error: () => client.search(FAIL),
});
