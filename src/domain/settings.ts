/** What holds for the whole installation and is changed while it runs. */
export interface OrganisationSettings {
  /** IANA name: where days, weeks and months of budgets begin. */
  readonly timeZone: string;
  /** Who is told that a budget is nearly used; null for nobody. */
  readonly webhook: Webhook | null;
  /** Whom users ask where something is refused: an address, a channel, a name; null for just "your administrator". */
  readonly contact: string | null;
}

export interface Webhook {
  readonly url: string;
  /** The secret that its calls are signed with, sealed. */
  readonly sealedSecret: Uint8Array;
  /** It may be a machine of one's own network. */
  readonly allowPrivate: boolean;
}

export const defaultSettings: OrganisationSettings = {
  timeZone: "UTC",
  webhook: null,
  contact: null,
};

/** True for a time zone that periods can be reckoned in. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
