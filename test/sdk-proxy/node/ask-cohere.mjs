import { CohereClientV2 } from "cohere-ai";
import { CONTENT, DIGEST, FAIL, HELLO, says, tell } from "./told.mjs";

const client = new CohereClientV2();
const model = "command-a-03-2025";

await tell({
  plain: async () => (await client.chat({ model, messages: says(HELLO) })).message.content[0].text,
  stream: async () => {
    let text = "";
    for await (const event of await client.chatStream({ model, messages: says(HELLO) }))
      if (event.type === "content-delta") text += event.delta.message.content.text;
    return text;
  },
  upload: async () => {
    const file = new File([CONTENT], "d.jsonl");
    const made = await client.datasets.create(file, undefined, { name: "d", type: "embed-input" });
    return made.id === `d.jsonl-${DIGEST}`;
  },
  error: () => client.chat({ model, messages: says(FAIL) }),
});
