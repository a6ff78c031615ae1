import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { randomBase62 } from "../domain/key.ts";
import { isTimeZone, type OrganisationSettings, type Webhook } from "../domain/settings.ts";
import { needs, onlyFor } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { may } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody } from "./schemas.ts";

const WebhookView = z.object({
  url: onlyFor("settings.write", z.string()).describe("What follows the host may be a secret."),
  allowPrivate: z.boolean(),
});
const SettingsView = z
  .object({
    timeZone: z.string().describe("Where days, weeks and months of budgets begin."),
    webhook: WebhookView.nullable().describe("Who is told when a budget reaches a threshold."),
    contact: z.string().nullable().describe("Whom users ask where something is refused."),
  })
  .openapi("Settings");
const Changed = SettingsView.extend({
  webhookSecret: z.string().nullable().describe("What calls are signed with; shown once, when it is new."),
});

const SettingsChange = z.strictObject({
  timeZone: z
    .string()
    .max(100)
    .refine(isTimeZone, "must be a time zone such as UTC or Europe/Berlin")
    .optional(),
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/ }).max(2000),
      secret: z.string().min(16).max(200).optional().describe("Made where none is given."),
      allowPrivate: z
        .boolean()
        .default(false)
        .describe("It may be in a network of your own, and without TLS."),
    })
    .nullable()
    .optional(),
  contact: z
    .string()
    .regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u, "must be a line of at most 200 characters")
    .nullable()
    .optional(),
});

const show = createRoute({
  ...needs("settings.read"),
  method: "get",
  path: "/settings",
  responses: { 200: json(SettingsView, "What holds for the whole installation") },
});
const change = createRoute({
  ...needs("settings.write"),
  method: "patch",
  path: "/settings",
  request: { body: jsonBody(SettingsChange) },
  responses: { 200: json(Changed, "The settings, in force") },
});

export function settings({ store, webhooks, settingsChanged }: AdminParts): AdminApp {
  const app = resource();

  app.openapi(show, async (c) => c.json(view(await store.readSettings(), may(c, "settings.write")), 200));
  app.openapi(change, async (c) => {
    const { timeZone, webhook, contact } = c.req.valid("json");
    const before = await store.readSettings();
    let secret: string | null = null;
    let next: Webhook | null = webhook === undefined ? before.webhook : null;
    if (webhook) {
      const { url, allowPrivate } = webhook;
      const problem = await webhooks.problemOf(url, allowPrivate);
      if (problem !== undefined) throw new HTTPException(422, { message: problem });
      secret = webhook.secret ?? `whsec_${randomBase62(32)}`;
      next = { url, allowPrivate, sealedSecret: webhooks.seal(url, secret) };
    }
    const after = {
      timeZone: timeZone ?? before.timeZone,
      webhook: next,
      contact: contact === undefined ? before.contact : contact,
    };
    await store.audited(c.var.source, "putSettings", after);
    await settingsChanged();
    return c.json({ ...view(after), webhookSecret: webhook?.secret === undefined ? secret : null }, 200);
  });
  return app;
}

function view({ timeZone, webhook, contact }: OrganisationSettings, isWhole = true) {
  const url = isWhole ? (webhook?.url ?? null) : null;
  return { timeZone, contact, webhook: webhook && { url, allowPrivate: webhook.allowPrivate } };
}
