import type {
  KeptPriceBook,
  OverrideRates,
  PinnedSnapshot,
  PriceOverride,
  PricingDefault,
} from "../../domain/prices.ts";
import type { KeptPriceStore, PriceStore } from "../../domain/store.ts";
import { number, text } from "../rows.ts";
import type { Sql, SqlRow } from "../sql.ts";

export class PriceQueries implements PriceStore, KeptPriceStore {
  private readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  async putPriceOverride(override: PriceOverride): Promise<void> {
    const { provider, model, serviceTier, rates, createdAt } = override;
    await this.sql.run(
      `INSERT INTO price_overrides (provider, model, service_tier, rates, created_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (provider, model, service_tier) DO UPDATE
       SET rates = excluded.rates, created_at = excluded.created_at`,
      provider,
      model,
      serviceTier ?? "",
      JSON.stringify(rates, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value)),
      createdAt,
    );
  }

  async listPriceOverrides(): Promise<PriceOverride[]> {
    const rows = await this.sql.all(
      "SELECT * FROM price_overrides ORDER BY created_at, provider, model, service_tier",
    );
    return rows.map((row) => ({
      provider: text(row, "provider"),
      model: text(row, "model"),
      serviceTier: text(row, "service_tier") || null,
      rates: overrideRates(text(row, "rates")),
      createdAt: number(row, "created_at"),
    }));
  }

  async removePriceOverride(provider: string, model: string, serviceTier: string | null): Promise<boolean> {
    const statement = "DELETE FROM price_overrides WHERE provider = ? AND model = ? AND service_tier = ?";
    return (await this.sql.run(statement, provider, model, serviceTier ?? "")) > 0;
  }

  async putPricingDefault(provider: string, pricing: PricingDefault | null): Promise<void> {
    if (pricing === null) {
      await this.sql.run("DELETE FROM pricing_defaults WHERE provider = ?", provider);
      return;
    }
    await this.sql.run(
      `INSERT INTO pricing_defaults (provider, kind, price) VALUES (?, ?, ?)
       ON CONFLICT (provider) DO UPDATE SET kind = excluded.kind, price = excluded.price`,
      provider,
      pricing.kind,
      pricing.kind === "flat" ? pricing.price.toString() : null,
    );
  }

  async listPricingDefaults(): Promise<Record<string, PricingDefault>> {
    const rows = await this.sql.all("SELECT * FROM pricing_defaults ORDER BY provider");
    return Object.fromEntries(rows.map((row) => [text(row, "provider"), pricingDefault(row)]));
  }

  async pinSnapshot(snapshot: PinnedSnapshot | null): Promise<void> {
    if (snapshot === null) {
      await this.sql.run("DELETE FROM pinned_snapshot");
      return;
    }
    await this.sql.run(
      `INSERT INTO pinned_snapshot (id, text, pinned_at) VALUES (1, ?, ?)
       ON CONFLICT (id) DO UPDATE SET text = excluded.text, pinned_at = excluded.pinned_at`,
      snapshot.text,
      snapshot.pinnedAt,
    );
  }

  async readPinnedSnapshot(): Promise<PinnedSnapshot | null> {
    const [row] = await this.sql.all("SELECT text, pinned_at FROM pinned_snapshot");
    return row === undefined ? null : { text: text(row, "text"), pinnedAt: number(row, "pinned_at") };
  }

  keepPriceBook({ hash, basis, snapshotHash }: KeptPriceBook, snapshotText: string | null): Promise<void> {
    return this.sql.transaction(async () => {
      if (snapshotText !== null) {
        await this.sql.run(
          "INSERT INTO kept_snapshots (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING",
          snapshotHash,
          snapshotText,
        );
      }
      await this.sql.run(
        `INSERT INTO kept_price_books (hash, basis, snapshot_hash) VALUES (?, ?, ?)
         ON CONFLICT (hash) DO NOTHING`,
        hash,
        basis,
        snapshotHash,
      );
    });
  }

  async listKeptPriceBooks(): Promise<KeptPriceBook[]> {
    const rows = await this.sql.all("SELECT * FROM kept_price_books ORDER BY hash");
    return rows.map((row) => ({
      hash: text(row, "hash"),
      basis: text(row, "basis"),
      snapshotHash: text(row, "snapshot_hash"),
    }));
  }

  async readKeptSnapshot(hash: string): Promise<string | null> {
    const [row] = await this.sql.all("SELECT text FROM kept_snapshots WHERE hash = ?", hash);
    return row === undefined ? null : text(row, "text");
  }
}

function overrideRates(json: string): OverrideRates {
  const { units, perCall } = JSON.parse(json) as { units: Record<string, string>; perCall?: string };
  return {
    units: Object.fromEntries(Object.entries(units).map(([unit, rate]) => [unit, BigInt(rate)])),
    ...(perCall !== undefined && { perCall: BigInt(perCall) }),
  };
}

function pricingDefault(row: SqlRow): PricingDefault {
  const kind = text(row, "kind") as PricingDefault["kind"];
  return kind === "flat" ? { kind, price: BigInt(text(row, "price")) } : { kind };
}
