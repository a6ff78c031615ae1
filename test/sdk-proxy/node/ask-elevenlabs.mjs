import { ElevenLabsClient } from "@elevenlabs/elevenlabs-js";
import { CONTENT, DIGEST, FAIL, HELLO, tell } from "./told.mjs";

const client = new ElevenLabsClient();
const modelId = "eleven_v3";
/** @param {ReadableStream<Uint8Array>} stream */
const text = (stream) => new Response(stream).text();

await tell({
  plain: async () => text(await client.textToSpeech.convert("voice", { text: HELLO, modelId })),
  stream: async () => text(await client.textToSpeech.stream("voice", { text: HELLO, modelId })),
  upload: async () => {
    const file = new File([CONTENT], "a.mp3");
    return (await client.speechToText.convert({ modelId: "scribe_v1", file })).text === DIGEST;
  },
  error: async () => text(await client.textToSpeech.convert("voice", { text: FAIL, modelId })),
});
