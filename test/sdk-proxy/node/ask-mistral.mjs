import { Mistral } from "@mistralai/mistralai";
import { CONTENT, DIGEST, FAIL, HELLO, says, tell } from "./told.mjs";

const client = new Mistral();
const model = "mistral-small-latest";

await tell({
  plain: async () =>
    (await client.chat.complete({ model, messages: says(HELLO) })).choices[0].message.content,
  stream: async () => {
    let text = "";
    for await (const { data } of await client.chat.stream({ model, messages: says(HELLO) }))
      text += data.choices[0].delta.content;
    return text;
  },
  upload: async () =>
    (await client.files.upload({ file: new File([CONTENT], "a.pdf") })).signature === DIGEST,
  error: () => client.chat.complete({ model, messages: says(FAIL) }),
});
