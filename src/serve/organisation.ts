import { defaultSettings, type OrganisationSettings, type Webhook } from "../domain/settings.ts";
import type { PolicyStore } from "../domain/store.ts";
import type { Vault } from "../vault/vault.ts";
import { addressProblem } from "./address-problem.ts";

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
export function webhookProblem(url: string, allowPrivate: boolean): Promise<string | undefined> {
  return addressProblem("The webhook's", url, allowPrivate);
}
