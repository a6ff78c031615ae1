import { UNITS } from "../rates.ts";
import { type GenaiProvider, modelsOf } from "./genai-prices.ts";
import { type ListModel, type ListPrice, type ListRates, rulesOf } from "./list-model.ts";

/**
 * Hugging Face sells other companies' models under `model:company`. Without a company it chooses one; the price is
 * then known only from the answer, so that the bare name has the dearest of them.
 */
export function huggingFace(genai: readonly GenaiProvider[]): ListModel[] {
  const prefix = "huggingface_";
  const sold = genai
    .filter(({ id }) => id.startsWith(prefix))
    .flatMap(({ id, models }) =>
      modelsOf(id, models).map((model) => ({
        model,
        company: id.slice(prefix.length),
        names: rulesOf(model),
      })),
    );
  const byName = Map.groupBy(
    sold.flatMap(({ model, names }) => names.map((name) => ({ name: name.toLowerCase(), model }))),
    ({ name }) => name,
  );
  return [
    ...sold.map(({ model, company, names }) => ({
      ...model,
      id: `${model.id}:${company}`,
      match: names.map((name) => {
        if (!name.startsWith("=")) throw new Error(`${model.id} goes by ${name}`);
        return `${name}:${company}`;
      }),
    })),
    ...[...byName].map(([name, sellers]) => ({
      id: name.slice(1),
      prices: [{ rates: dearest(sellers.map(({ model }) => only(model).rates)) }],
    })),
  ];
}

function only({ id, prices }: ListModel): ListPrice {
  const [price, ...others] = prices;
  if (price === undefined || others.length > 0 || price.tiers) throw new Error(`${id} has several prices`);
  return price;
}

/** Of units that all of them price: another's usage falls back to what is dearer anyway. */
function dearest(all: readonly ListRates[]): ListRates {
  const rates: ListRates = {};
  for (const unit of UNITS) {
    const prices = all.map((one) => one[unit]).filter((rate) => rate !== undefined);
    if (prices.length === all.length) rates[unit] = Math.max(...prices);
  }
  return rates;
}
