import { VoyageAIClient } from "voyageai";
import { FAIL, HELLO, tell } from "./told.mjs";

const client = new VoyageAIClient();
const model = "voyage-3.5";

await tell({
  plain: async () => (await client.embed({ input: [HELLO], model })).data.length,
  error: () => client.embed({ input: [FAIL], model }),
});
