import type { ProviderView } from "../admin/parts.ts";
import type { ProviderConfig } from "../config.ts";
import type { NamedProvider } from "../domain/named-provider.ts";
import type { NamedProviderStore } from "../domain/store.ts";
import { createUpstream, type Upstream } from "../gateway/upstreams.ts";
import { knownProviders } from "../providers/catalogue.ts";
import { namedProvider } from "../providers/named.ts";
import type { Provider } from "../providers/provider.ts";
import { isUsable } from "./usable.ts";

/** The providers of this moment: those of the configuration, and those that administrators have named. */
export class Providers {
  /** By id. One that stays keeps its object: calls and credentials' health hang on it. */
  readonly upstreams = new Map<string, Upstream>();
  private readonly configured: readonly ProviderConfig[];
  private readonly store: Pick<NamedProviderStore, "listProviders">;
  private readonly report: (message: string) => void;
  private named: readonly NamedProvider[] = [];
  private loading: Promise<void> = Promise.resolve();

  constructor(
    configured: readonly ProviderConfig[],
    store: Pick<NamedProviderStore, "listProviders">,
    report: (message: string) => void,
  ) {
    this.configured = configured;
    this.store = store;
    this.report = report;
    for (const { provider, upstream } of configured)
      this.upstreams.set(provider.id, createUpstream(provider, upstream, !isItsOwn(provider, upstream)));
  }

  /** Takes in what is stored; a call that is under way keeps what it began with. */
  load(): Promise<void> {
    // One after another: what the later one read stays.
    const loaded = this.loading.then(() => this.loadNow());
    this.loading = loaded.catch(() => {});
    return loaded;
  }

  private async loadNow(): Promise<void> {
    const fixed = new Set(this.configured.map(({ provider }) => provider.id));
    const stored = await this.store.listProviders();
    const named = stored.filter(({ id }) => !fixed.has(id));
    for (const { id } of stored) {
      if (fixed.has(id))
        this.report(
          `The provider "${id}" is in the configuration and was added, too; the configuration counts.`,
        );
    }
    const before = new Map(this.named.map((one) => [one.id, one]));
    for (const { id } of this.named) if (!named.some((one) => one.id === id)) this.upstreams.delete(id);
    for (const one of named) {
      const known = before.get(one.id);
      if (known?.upstream === one.upstream && known.createdAt === one.createdAt) continue;
      const provider = namedProvider(one);
      const upstream = createUpstream(provider, provider.upstream ?? one.upstream, one.allowPrivate);
      this.upstreams.set(one.id, { ...upstream, mustBePublic: !one.allowPrivate });
    }
    this.named = named;
  }

  /** With the environment's credentials, which only those of the configuration have. */
  get all(): readonly ProviderConfig[] {
    const ofStore = this.named.flatMap(({ id, upstream }) => {
      const provider = this.upstreams.get(id)?.provider;
      return provider === undefined ? [] : [{ provider, upstream, environmentCredential: undefined }];
    });
    return [...this.configured, ...ofStore];
  }

  get descriptions(): readonly Provider[] {
    return this.all.map(({ provider }) => provider);
  }

  get usable(): Upstream[] {
    return [...this.upstreams.values()].filter(isUsable);
  }

  views(): ProviderView[] {
    const named = new Set(this.named.map(({ id }) => id));
    return [...this.upstreams.values()].map((upstream) => {
      const { provider, base, pool } = upstream;
      const { id } = provider;
      return {
        id,
        name: provider.name,
        upstream: base,
        source: named.has(id) ? "stored" : isKnown(id) ? "built_in" : "environment",
        credentials: pool.size,
        ready: isUsable(upstream),
        objectKinds: [...new Set(provider.owned?.kinds.map(({ kind }) => kind))],
        unlisted: provider.unlisted ?? null,
      };
    });
  }
}

/** Whether this is the address at which everybody finds a provider. */
function isItsOwn({ id }: Provider, upstream: string): boolean {
  return knownProviders.some((known) => known.id === id && known.upstream === upstream);
}

function isKnown(id: string): boolean {
  return knownProviders.some((known) => known.id === id);
}
