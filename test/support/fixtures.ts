import type { Fixture } from "@copilotkit/aimock";

/**
 * What the stand-in models say. A request is matched by a phrase of its last user message; both providers answer
 * from this one list, each in its own format.
 */
export const fixtures: Fixture[] = [
  {
    match: { userMessage: "Say hello", endpoint: "chat" },
    response: {
      content: "Hello from the stand-in, 你好 👋.",
      // Each provider's format takes the names that it knows.
      usage: {
        prompt_tokens: 11,
        completion_tokens: 7,
        input_tokens: 11,
        output_tokens: 7,
        // Only OpenRouter tells it.
        cost: 0.0000061,
      },
    },
    // Several events, so that a test can tell a stream from an answer that came at once.
    chunkSize: 4,
  },
  {
    match: { userMessage: "Speak slowly", endpoint: "chat" },
    response: { content: "One two three four five six seven eight nine ten." },
    chunkSize: 2,
    streamingProfile: { ttft: 20, tps: 20 },
  },
  {
    // Ten seconds, for what is to happen meanwhile.
    match: { userMessage: "Speak at length", endpoint: "chat" },
    response: { content: "word ".repeat(80) },
    chunkSize: 2,
    streamingProfile: { ttft: 20, tps: 20 },
  },
  {
    match: { userMessage: "weather", endpoint: "chat", hasToolResult: false },
    response: { toolCalls: [{ name: "get_weather", arguments: '{"city":"Paris"}', id: "call_weather_1" }] },
  },
  {
    match: { userMessage: "weather", endpoint: "chat", hasToolResult: true },
    response: { content: "It is sunny in Paris." },
  },
  failure("Fail with 400", 400, "invalid_request_error", "unknown_parameter"),
  failure("Fail with 401", 401, "authentication_error", "invalid_api_key"),
  failure("Fail with 404", 404, "not_found_error", "model_not_found"),
  failure("Fail with 429", 429, "rate_limit_error", "rate_limit_exceeded"),
  failure("Fail with 500", 500, "api_error", "internal_error"),
  {
    match: { inputText: "Embed this", endpoint: "embedding" },
    response: { embedding: [0.125, -0.25, 0.5] },
  },
];

function failure(userMessage: string, status: number, type: string, code: string): Fixture {
  return {
    match: { userMessage, endpoint: "chat" },
    response: { status, error: { message: `The stand-in fails with ${status}.`, type, code } },
  };
}
