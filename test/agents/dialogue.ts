import type { ChatCompletionRequest, Fixture } from "@copilotkit/aimock";

/** What is asked of every agent. */
export const TASK = "Create the file greeting.txt";
export const CONTENT = "Hello from the stand-in.\n";

/** In the words of every provider's format. */
const usage = {
  prompt_tokens: 1200,
  completion_tokens: 30,
  input_tokens: 1200,
  output_tokens: 30,
  promptTokenCount: 1200,
  candidatesTokenCount: 30,
  totalTokenCount: 1230,
};

/** A small task, and what the stand-in models say to whichever agent is at it. */
export class Dialogue {
  /** Where the agent works. */
  folder = "";
  /** Whether each request that got work to do wanted a stream. */
  readonly streamed: boolean[] = [];

  /** @param tools By name, what to call the tool with; agents offer different ones. */
  fixtures(tools: Readonly<Record<string, () => object>>): Fixture[] {
    const calls = Object.entries(tools).map(
      ([name, argumentsOf]): Fixture => ({
        match: {
          endpoint: "chat",
          predicate: (request) => this.isAsked(request) && hasTool(request, name),
        },
        response: () => ({
          toolCalls: [{ name, arguments: JSON.stringify(argumentsOf()), id: "call_greeting" }],
          usage,
        }),
        chunkSize: 10,
      }),
    );
    return [...calls, done, this.edits(), aside];
  }

  /** aider uses no tools: it reads edits from what the model writes. */
  private edits(): Fixture {
    const edit = `greeting.txt\n\`\`\`\n<<<<<<< SEARCH\n=======\n${CONTENT}>>>>>>> REPLACE\n\`\`\`\n`;
    return {
      match: {
        endpoint: "chat",
        predicate: (request) => JSON.stringify(request.messages).includes("SEARCH") && this.isAsked(request),
      },
      response: { content: edit, usage },
      chunkSize: 8,
    };
  }

  private isAsked({ messages, stream }: ChatCompletionRequest): boolean {
    const isAsked = JSON.stringify(messages).includes(TASK) && messages.at(-1)?.role !== "tool";
    if (isAsked) this.streamed.push(stream === true);
    return isAsked;
  }
}

function hasTool({ tools = [] }: ChatCompletionRequest, name: string): boolean {
  return tools.some((tool) => tool.function.name === name);
}

const done: Fixture = {
  match: { endpoint: "chat", predicate: ({ messages }) => messages.at(-1)?.role === "tool" },
  response: { content: "I wrote greeting.txt.", usage },
  chunkSize: 8,
};

/** Titles of conversations, choices of models, and what else agents ask beside. */
const aside: Fixture = {
  match: { endpoint: "chat", predicate: () => true },
  response: { content: "A greeting", usage },
};
