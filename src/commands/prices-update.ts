import { type Command, Option } from "commander";
import { PriceDifference, PriceSnapshot } from "./answers.ts";
import { type ApiClient, connect } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { PRICE_SOURCE, readPrices } from "./price-source.ts";
import { priceText } from "./price-units.ts";
import { readSettings } from "./settings.ts";
import { list } from "./table.ts";

const path = "/api/v1/prices/snapshot";

interface Options {
  from?: string;
  reset?: boolean;
  yes?: boolean;
}

export function addPricesUpdateVerb(prices: Command, io: Io): void {
  prices
    .command("update")
    .description("take the list prices of today: shows what differs, asks, and pins them")
    .addOption(
      new Option(
        "--from <file or URL>",
        "data.json of genai-prices, or a snapshot.json of LlaMaKey; else LMK_PRICES_URL, else what genai-prices publishes",
      ).conflicts("reset"),
    )
    .option("--reset", "back to those that the gateway came with")
    .option("--yes", "do not ask")
    .action(async ({ from, reset, yes }: Options, command: Command) => {
      const api = connect(io, command);
      if (reset) {
        await api.delete(path);
        return io.note("The list prices are those that the gateway came with.");
      }
      const source = from ?? readSettings(io)("LMK_PRICES_URL") ?? PRICE_SOURCE;
      return update(io, api, await readPrices(source, io), yes === true);
    });
}

async function update(io: Io, api: ApiClient, text: string, yes: boolean): Promise<void> {
  const now = await api.get(path, PriceSnapshot);
  const next = await api.post(`${path}/difference`, { text }, PriceDifference);
  if (next.hash === now.hash) {
    io.note(`These are the list prices in force already (${now.hash.slice(0, 12)}).`);
    return;
  }
  await io.print(differenceText(next));
  const agreed = yes || (await io.confirm("Pin these prices?"));
  if (agreed === undefined) throw new Failure("Nobody is here to be asked; say --yes to pin them.");
  if (!agreed) return io.note("Nothing is changed.");
  const pinned = await api.put(path, { text }, PriceSnapshot);
  const hash = pinned.hash.slice(0, 12);
  io.note(`Pinned, in force from the next call on (${hash}). lmk prices update --reset takes it back.`);
}

function differenceText({ items }: PriceDifference): string {
  const rows = items.map(({ provider, model, before, after }) => [
    provider,
    model,
    before === null ? "new" : priceText(before),
    after === null ? "gone" : priceText(after),
  ]);
  return list(["PROVIDER", "MODEL", "BEFORE ($)", "AFTER ($)"], rows, "No model's price differs.");
}
