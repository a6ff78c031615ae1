import { type Command, Option } from "commander";
import { Price, PricingDefault, Unpriced } from "./answers.ts";
import { connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { PRICE_OPTIONS, priceText } from "./price-units.ts";
import { addPricesRepriceVerb } from "./prices-reprice.ts";
import { addPricesUpdateVerb } from "./prices-update.ts";
import { list, printable, table, time } from "./table.ts";
import { unpricedFix } from "./unpriced-fix.ts";
import { parseSince } from "./when.ts";

const path = "/api/v1/prices";

interface Json {
  json?: boolean;
}

export function addPricesVerbs(program: Command, io: Io): void {
  const prices = program
    .command("prices")
    .description("what calls cost: list prices, and your own before them");
  addList(prices, io);
  addShow(prices, io);
  addSet(prices, io);
  addUnset(prices, io);
  addDefault(prices, io);
  addUnpriced(prices, io);
  addPricesUpdateVerb(prices, io);
  addPricesRepriceVerb(prices, io);
}

function addList(prices: Command, io: Io): void {
  prices
    .command("list")
    .description("prices in dollars: for a million tokens or characters, an hour, or one of all else")
    .option("--provider <id>")
    .option("--search <text>", "part of a model's name")
    .option("--json", "as JSON")
    .action(async ({ json, ...query }: { provider?: string; search?: string } & Json, command: Command) => {
      const items = await connect(io, command).list(path, Price, query);
      const rows = items.map((item) => [
        item.provider,
        item.model,
        item.serviceTier ?? "-",
        item.source,
        priceText(item.prices, item.perCall),
      ]);
      const headings = ["PROVIDER", "MODEL", "TIER", "FROM", "DOLLARS"];
      await io.print(json ? jsonText(items) : list(headings, rows, "No prices."));
    });
}

function addShow(prices: Command, io: Io): void {
  prices
    .command("show")
    .description("what a call of one model costs now")
    .argument("<provider>", "its id, see: lmk providers")
    .argument("<model>", "its name, as clients use it")
    .option("--tier <name>", "its service tier, as the provider names it")
    .option("--json", "as JSON")
    .action(
      async (provider: string, model: string, { tier, json }: { tier?: string } & Json, command: Command) => {
        const query = { provider, model, serviceTier: tier };
        const price = await connect(io, command).get(`${path}/find`, Price, query);
        const rows = [
          ["provider", price.provider],
          ["model", price.model],
          ["tier", price.serviceTier ?? "-"],
          ["from", price.source],
          ["dollars", priceText(price.prices, price.perCall)],
          ...price.tiers.map((long) => [`over ${long.over} tokens`, priceText(long.prices)]),
        ];
        await io.print(json ? jsonText(price) : table(rows));
      },
    );
}

function addSet(prices: Command, io: Io): void {
  const set = prices
    .command("set")
    .description("set a model's price; from the next call on it goes before the list price")
    .argument("<provider>", "its id, see: lmk providers")
    .argument("<model>", "its name, as clients use it, or the beginning of names and *, in quotes")
    .option("--tier <name>", "for this service tier alone");
  const options = PRICE_OPTIONS.map(([name, unit, what]) => {
    const option = new Option(`--${name} <dollars>`, `for ${what}`);
    set.addOption(option);
    return { key: option.attributeName(), unit };
  });
  type Given = Readonly<Record<string, string | undefined>>;
  set
    .option("--per-call <dollars>", "for a call, whatever it uses")
    .action(async (provider: string, model: string, given: Given, command: Command) => {
      const units = options.filter(({ key }) => given[key] !== undefined);
      const perCall = given["perCall"];
      if (units.length > 0 === (perCall !== undefined)) {
        throw new Failure("Give prices, for example --input 1.25 --output 10, or else --per-call 0.002.");
      }
      const body = {
        provider,
        model,
        serviceTier: given["tier"] ?? null,
        prices: Object.fromEntries(units.map(({ key, unit }) => [unit, given[key]])),
        ...(perCall !== undefined && { perCall }),
      };
      const price = await connect(io, command).put(path, body, Price);
      const text = priceText(price.prices, price.perCall);
      io.note(`${price.provider} ${printable(price.model)}: ${text}, from the next call on.`);
    });
}

function addUnset(prices: Command, io: Io): void {
  prices
    .command("unset")
    .description("forget a price that was set")
    .argument("<provider>")
    .argument("<model>", "as it was set")
    .option("--tier <name>", "the one for this service tier")
    .action(async (provider: string, model: string, { tier }: { tier?: string }, command: Command) => {
      await connect(io, command).delete(path, { provider, model, serviceTier: tier });
      io.note(`${provider} ${printable(model)}: the list price again, if there is one.`);
    });
}

function addDefault(prices: Command, io: Io): void {
  prices
    .command("default")
    .description("what a provider's calls cost that have no price of their own; without arguments, of all")
    .argument("[provider]", "its id")
    .argument("[kind]", "priced (list prices), flat (the same for every call), free, or own (take it back)")
    .argument("[dollars]", "of a call, where it is flat")
    .option("--json", "as JSON")
    .action(
      async (provider?: string, kind?: string, price?: string, { json }: Json = {}, command?: Command) => {
        const api = connect(io, command as Command);
        if (provider !== undefined && kind !== undefined) {
          const one = `${path}/defaults/${segment(provider)}`;
          if (kind === "own") await api.delete(one);
          else await api.put(one, { kind, ...(price !== undefined && { price }) }, PricingDefault);
          const what = kind === "own" ? "its own default again" : kind;
          return io.note(`${provider}: ${what}, from the next call on.`);
        }
        const items = await api.list(`${path}/defaults`, PricingDefault);
        const shown = items.filter((item) => provider === undefined || item.provider === provider);
        const rows = shown.map((item) => [
          item.provider,
          item.kind,
          item.price ?? "-",
          item.decided ? "administrator" : "provider's own",
          unlistedText(item),
        ]);
        const headings = ["PROVIDER", "CALLS ARE", "DOLLARS", "DECIDED BY", "WITHOUT A PRICE"];
        return io.print(json ? jsonText(shown) : list(headings, rows, "No such provider."));
      },
    );
}

/** What calls no list prices, where list prices count. */
function unlistedText({ kind, listed, unlisted }: PricingDefault): string {
  if (kind !== "priced") return "-";
  return unlisted ?? (listed ? "-" : "All: there is no list of its prices.");
}

function addUnpriced(prices: Command, io: Io): void {
  prices
    .command("unpriced")
    .description("models in the log whose price is not known, each with the line that sets it")
    .option("--since <when>", "a duration (30d) or a date", (text) => parseSince(text, Date.now()))
    .option("--json", "as JSON")
    .action(async ({ since, json }: { since?: string } & Json, command: Command) => {
      const items = await connect(io, command).list(`${path}/unpriced`, Unpriced, { since });
      if (json) return io.print(jsonText(items));
      if (items.length === 0) return io.print("Every call in the log that used something has a price.\n");
      const lines = items.map((item) => {
        const model = item.model ? printable(item.model) : "no model";
        const calls = `${item.requests} ${item.requests === 1 ? "request" : "requests"}`;
        return `${item.provider} ${model}: ${calls}, the last at ${time(item.lastAt)}\n  ${unpricedFix(item)}\n`;
      });
      return io.print(lines.join(""));
    });
}
