import { DeepgramClient } from "@deepgram/sdk";
import { CONTENT, DIGEST, FAIL, HELLO, tell } from "./told.mjs";

const client = new DeepgramClient();
const { media } = client.listen.v1;
const model = "nova-3";
/** @param {{ results: { channels: { alternatives: { transcript: string }[] }[] } }} answer */
const transcript = (answer) => answer.results.channels[0].alternatives[0].transcript;
/** @param {string} text */
const spoken = async (text) => {
  const answer = await client.speak.v1.audio.generate({ text });
  return new Response(answer.stream()).text();
};

await tell({
  plain: async () => transcript(await media.transcribeUrl({ url: "https://example.com/a.wav", model })),
  stream: () => spoken(HELLO),
  upload: async () => transcript(await media.transcribeFile(CONTENT, { model })) === DIGEST,
  error: () => spoken(FAIL),
});
