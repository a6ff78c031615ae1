import { huggingfaceTaskUsage } from "./formats/huggingface-task.ts";
import { openaiCompatible } from "./formats/openai.ts";
import { openaiMeters } from "./formats/openai-meters.ts";
import { huggingfaceTaskDemand } from "./formats/other-demands.ts";
import { huggingfaceErrors } from "./huggingface.ts";
import { bearer, type Provider } from "./provider.ts";

/**
 * A dedicated Inference Endpoint: `LMK_HF_ENDPOINT_<NAME>=https://<id>.<region>.<cloud>.endpoints.huggingface.cloud`,
 * with a token of its own in `LMK_HF_ENDPOINT_<NAME>_KEY`, or the one in `HF_TOKEN`. It is reached at `/hf-<name>/...`,
 * whatever runs in it: OpenAI's API under `/v1`, a task's own at the root.
 * @param name Lower-case letters, digits and `-`.
 */
export function huggingfaceEndpoint(name: string, upstream: string): Provider {
  const variable = name.toUpperCase().replaceAll("-", "_");
  return {
    ...openaiCompatible,
    id: `hf-${name}`,
    name: `Hugging Face endpoint ${name}`,
    // The console shows the address of some with the version that most clients want, which others lack.
    upstream: upstream.replace(/\/v1$/, ""),
    version: { kind: "in-path", prefix: "/v1", endpoints: ["chat", "completions"] },
    credential: {
      env: [`LMK_HF_ENDPOINT_${variable}_KEY`, "HF_TOKEN"],
      required: false,
      place: bearer,
      probe: "/health",
    },
    errors: huggingfaceErrors,
    accountHeaders: ["x-hf-bill-to"],
    rawBodies: /^\/?$/,
    // A task is asked at the address itself, which leaves no path.
    meters: [
      ...openaiMeters,
      { method: "POST", path: /^/, format: huggingfaceTaskUsage, demand: huggingfaceTaskDemand },
    ],
    pricing: "free",
    client: {
      keys: [{ name: "HF_TOKEN", prefix: "hf_", broad: true, unguided: true }],
      bases: [[`HF_ENDPOINT_${variable}_URL`, ""]],
    },
  };
}
