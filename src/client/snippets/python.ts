import { usualModels } from "../agents/agent.ts";
import type { Snippet } from "./snippet.ts";

const { openai: gpt, anthropic: claude } = usualModels;

export const pythonSnippets: readonly Snippet[] = [
  {
    id: "openai",
    name: "OpenAI SDK",
    language: "python",
    install: "pip install openai",
    provider: "openai",
    code: `import os
from openai import OpenAI

client = OpenAI(base_url=os.environ["LMK_URL"] + "/openai/v1", api_key=os.environ["LMK_KEY"])
answer = client.responses.create(model="${gpt}", input="Say hello")
print(answer.output_text)
`,
  },
  {
    id: "anthropic",
    name: "Anthropic SDK",
    language: "python",
    install: "pip install anthropic",
    provider: "anthropic",
    code: `import os
from anthropic import Anthropic

client = Anthropic(base_url=os.environ["LMK_URL"] + "/anthropic", api_key=os.environ["LMK_KEY"])
messages = [{"role": "user", "content": "Say hello"}]
answer = client.messages.create(model="${claude}", max_tokens=1024, messages=messages)
print(answer.content[0].text)
`,
  },
  {
    id: "langchain",
    name: "LangChain",
    language: "python",
    install: "pip install langchain-openai",
    provider: "openai",
    code: `import os
from langchain_openai import ChatOpenAI

model = ChatOpenAI(model="${gpt}", base_url=os.environ["LMK_URL"] + "/openai/v1", api_key=os.environ["LMK_KEY"])
for chunk in model.stream("Say hello", stream_usage=True):
    print(chunk.text, end="")
print()
`,
  },
  {
    id: "langchain-anthropic",
    name: "LangChain with Claude",
    language: "python",
    install: "pip install langchain-anthropic",
    provider: "anthropic",
    code: `import os
from langchain_anthropic import ChatAnthropic

model = ChatAnthropic(model="${claude}", base_url=os.environ["LMK_URL"] + "/anthropic", api_key=os.environ["LMK_KEY"])
print(model.invoke("Say hello").text)
`,
  },
  {
    id: "llamaindex",
    name: "LlamaIndex",
    language: "python",
    install: "pip install llama-index-llms-openai",
    provider: "openai",
    code: `import os
from llama_index.llms.openai import OpenAI

model = OpenAI(model="${gpt}", api_base=os.environ["LMK_URL"] + "/openai/v1", api_key=os.environ["LMK_KEY"])
print(model.complete("Say hello").text)
`,
  },
  {
    id: "litellm",
    name: "LiteLLM",
    language: "python",
    install: "pip install litellm",
    provider: "anthropic",
    code: `import os
import litellm

answer = litellm.completion(
    model="anthropic/${claude}",
    api_base=os.environ["LMK_URL"] + "/anthropic",
    api_key=os.environ["LMK_KEY"],
    messages=[{"role": "user", "content": "Say hello"}],
)
print(answer.choices[0].message.content)
`,
  },
];
