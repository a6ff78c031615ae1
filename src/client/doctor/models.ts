import { compileModelPattern } from "../../domain/pattern.ts";
import { type Environment, type Finding, wrong } from "./finding.ts";

/** Variables with which tools are told their model, and whose models those are. */
const MODELS: readonly (readonly [variable: RegExp, provider: string])[] = [
  [/^ANTHROPIC_(?:.+_)?MODEL$/, "anthropic"],
  [/^(?:OPENAI|CODEX)_(?:.+_)?MODEL$/, "openai"],
  [/^(?:GEMINI|GOOGLE_GENAI)_(?:.+_)?MODEL$/, "gemini"],
  [/^MISTRAL_(?:.+_)?MODEL$/, "mistral"],
];

/** Of the models that this environment asks for, those that the caller may not use. @param rules All apply together. */
export function modelsIn(
  environment: Environment,
  rules: readonly { readonly scope: string; readonly patterns: readonly string[] }[],
): Finding[] {
  return Object.entries(environment).flatMap(([variable, model]) => {
    const provider = MODELS.find(([pattern]) => pattern.test(variable))?.[1];
    if (provider === undefined || !model) return [];
    const denial = rules.find(
      ({ patterns }) => !patterns.some((one) => compileModelPattern(one)(provider, model)),
    );
    if (denial === undefined) return [];
    const message = `${variable} asks for ${model}, which is not open to you: ${denial.scope} allows only ${denial.patterns.join(", ")}.`;
    return [wrong(variable, "model_not_allowed", message)];
  });
}
