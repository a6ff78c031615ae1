import Replicate from "replicate";
import { CONTENT, DIGEST, FAIL, HELLO, tell } from "./told.mjs";

const client = new Replicate();
const model = "owner/name";

await tell({
  plain: async () =>
    (await client.wait(await client.predictions.create({ model, input: { prompt: HELLO } }))).output.join(""),
  stream: async () => {
    let text = "";
    for await (const { event, data } of client.stream(model, { input: { prompt: HELLO } }))
      if (event === "output") text += data;
    return text;
  },
  upload: async () => (await client.files.create(new Blob([CONTENT]))).checksums.sha256 === DIGEST,
  error: () => client.predictions.create({ model, input: { prompt: FAIL } }),
});
