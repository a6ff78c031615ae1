import { InferenceClient } from "@huggingface/inference";
import { CONTENT, DIGEST, FAIL, HELLO, says, tell } from "./told.mjs";

// Its key is an argument and nothing else.
const client = new InferenceClient(process.env.HF_TOKEN);
const model = "meta-llama/Llama-3.3-70B-Instruct";

await tell({
  plain: async () =>
    (await client.chatCompletion({ model, messages: says(HELLO) })).choices[0].message.content,
  stream: async () => {
    let text = "";
    for await (const chunk of client.chatCompletionStream({ model, messages: says(HELLO) }))
      text += chunk.choices[0]?.delta.content ?? "";
    return text;
  },
  upload: async () => {
    const found = await client.imageClassification({ model: "owner/classifier", data: new Blob([CONTENT]) });
    return found[0].label === DIGEST;
  },
  error: () => client.chatCompletion({ model, messages: says(FAIL) }),
});
