import { Names } from "../match.ts";
import { namesOf } from "../names.ts";
import { mapValues } from "../read-json.ts";
import { ADDED } from "./added.ts";
import { complete } from "./complete.ts";
import { type GenaiProvider, modelsOf } from "./genai-prices.ts";
import { huggingFace } from "./hugging-face.ts";
import { type ListModel, rulesOf } from "./list-model.ts";
import { type DevModel, devPrices, limitsOf, type ModelsDev } from "./models-dev.ts";
import { PROVIDERS } from "./origins.ts";

/** Which edition of genai-prices a list was made of. */
export interface Edition {
  readonly version: string;
  /** When it was published, where that is known. */
  readonly date?: string;
}

/**
 * The text of a snapshot: prices of genai-prices; where it does not know a model, those of models.dev, which also gives
 * the limits. The same input makes the same bytes.
 * @throws {Error} What of it means nothing to us.
 */
export function makeSnapshot(genai: readonly GenaiProvider[], dev: ModelsDev, edition: Edition): string {
  const listed = mapValues(PROVIDERS, (origin, id) => {
    if (id === "huggingface") return huggingFace(genai);
    const added = ADDED[id] ?? [];
    const ids = new Set(added.map((model) => model.id));
    const known = modelsOf(id, genai.find((one) => one.id === origin.genai)?.models ?? []);
    return [...added, ...known.filter((model) => !ids.has(model.id))];
  });
  const names = mapValues(listed, (models) => new Names(models, rulesOf));

  const providers = mapValues(PROVIDERS, ({ dev: devIds = [], also = [] }, id) => {
    const devModels: Record<string, DevModel> = Object.assign({}, ...devIds.map((one) => dev.providers[one]));
    const known = (model: string) =>
      [id, ...also].some((one) => namesOf(id, model).some((name) => names[one]?.find(name) !== undefined));
    const models = [...(listed[id] ?? []), ...devPrices(devModels, known)];
    const limits = limitsOf(devModels);
    return {
      ...(also.length > 0 && { also }),
      models: models.map((model) => complete(id, model)),
      ...(Object.keys(limits).length > 0 && { limits }),
    };
  });

  const sources = [
    { name: "@pydantic/genai-prices", ...edition, licence: "MIT" },
    {
      name: "models.dev",
      version: "snapshot",
      date: /\d{4}-\d\d-\d\d/.exec(dev.source)?.[0],
      licence: "MIT",
    },
  ];
  return oneModelALine({ sources, providers });
}

/** Short, and a change of one price is a change of one line. */
function oneModelALine(snapshot: {
  sources: unknown;
  providers: Record<string, { models: ListModel[]; also?: readonly string[]; limits?: object }>;
}): string {
  const providers = Object.entries(snapshot.providers).map(([id, { models, ...rest }]) => {
    const lines = models.map((model) => JSON.stringify(model)).join(",\n");
    return `${JSON.stringify(id)}:{${JSON.stringify(rest).slice(1, -1)}${Object.keys(rest).length > 0 ? "," : ""}"models":[\n${lines}\n]}`;
  });
  return `{"sources":${JSON.stringify(snapshot.sources)},\n"providers":{\n${providers.join(",\n")}\n}}\n`;
}
