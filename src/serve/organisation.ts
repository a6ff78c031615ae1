import { defaultSettings, type OrganisationSettings, type Webhook } from "../domain/settings.ts";
import type { PolicyStore } from "../domain/store.ts";
import { networkOf } from "../gateway/private-address.ts";
import type { Vault } from "../vault/vault.ts";

/** What holds for the whole installation: the settings in force, and what its webhook needs. */
export class Organisation {
  settings: OrganisationSettings = defaultSettings;
  private readonly store: Pick<PolicyStore, "readSettings">;
  private readonly vault: Vault;

  constructor(store: Pick<PolicyStore, "readSettings">, vault: Vault) {
    this.store = store;
    this.vault = vault;
  }

  async load(): Promise<void> {
    this.settings = await this.store.readSettings();
  }

  /** Bound to the URL: whoever can edit the row cannot have calls signed for another one. */
  seal(url: string, secret: string): Uint8Array {
    return this.vault.sealCredential(secret, { row: "webhook", upstream: url });
  }

  openSecret({ url, sealedSecret }: Webhook): string {
    return this.vault.openCredential(sealedSecret, { row: "webhook", upstream: url });
  }
}

/** Why a webhook's address may not be called, for the administrator who chose it. */
export async function webhookProblem(url: string, allowPrivate: boolean): Promise<string | undefined> {
  const { protocol, hostname, username } = new URL(url);
  if (username !== "") return "The webhook's URL must not contain a user name.";
  if (allowPrivate) return undefined;
  if (protocol !== "https:")
    return "The webhook's URL must begin with https:// (or allow private addresses).";
  const network = await networkOf(hostname);
  if (network === "public") return undefined;
  return network === "unknown"
    ? "The webhook's host name cannot be resolved."
    : "The webhook's host is in a private network; allow that if it is meant.";
}
