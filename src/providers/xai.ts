import { openaiCompatible } from "./formats/openai.ts";
import { chatDemand } from "./formats/openai-demand.ts";
import { metersWith } from "./formats/openai-meters.ts";
import { hosts } from "./host-name.ts";
import { bearer, type Provider } from "./provider.ts";
import { mints } from "./reasons.ts";

/** Its REST API; its own SDK speaks gRPC, which is not forwarded. */
export const xai: Provider = {
  ...openaiCompatible,
  id: "xai",
  name: "xAI",
  upstream: "https://api.x.ai/v1",
  version: { kind: "in-base", prefix: "/v1" },
  // Its older cap leaves the reasoning out.
  meters: metersWith(chatDemand("max_completion_tokens", { reasoning: "beside" })),
  names: hosts("us-east-1.api.x.ai", "us-west-2.api.x.ai", "eu-west-1.api.x.ai"),
  credential: { env: ["XAI_API_KEY"], required: true, place: bearer, probe: "/models" },
  denied: [{ method: "*", path: /^\/realtime\/client_secrets(\/|$)/, why: mints }],
  // Its models think unseen, but for those that do not think.
  disconnect: { provider: "stops", hidden: /^(?!.*non-reasoning)/ },
  client: { keys: [{ name: "XAI_API_KEY", unguided: true }], bases: [] },
};
