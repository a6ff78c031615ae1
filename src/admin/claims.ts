import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import { type Claim, claimState, claimText, createClaimToken } from "../domain/claim.ts";
import { lifetimeState, type User } from "../domain/directory.ts";
import { getByRef } from "./groups.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { isOwn, requireStepUp } from "./requirements.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody, Name, Ref, Reference, rfc3339, Time } from "./schemas.ts";

const MAX_LIFETIME_SECONDS = 30 * 86_400;

const ClaimView = z
  .object({
    id: z.string(),
    user: Reference,
    keyName: z.string().describe("Of the key that it makes."),
    keyExpiresAt: Time.nullable(),
    state: z.enum(["open", "claimed", "revoked", "expired"]),
    createdAt: Time,
    expiresAt: Time,
    revokedAt: Time.nullable(),
    claimedAt: Time.nullable(),
    keyId: z.string().nullable().describe("The key that it made."),
  })
  .openapi("Claim");
const NewClaim = z.object({
  claim: ClaimView,
  url: z
    .string()
    .nullable()
    .describe(
      "The link; it is shown this once, and null where an Idempotency-Key repeats an answer. What follows # reaches no server and no log.",
    ),
});
const ClaimInput = z.strictObject({
  user: z.string(),
  keyName: Name.default("claimed"),
  keyExpiresAt: Time.optional().describe("When the key ends that it makes."),
  ttlSeconds: z.number().int().min(1).max(MAX_LIFETIME_SECONDS).default(86_400),
});

const list = createRoute({
  ...needs("keys.read"),
  method: "get",
  path: "/claims",
  request: { query: z.object({ ...pageQuery, user: z.string().optional() }) },
  responses: { 200: json(pageOf(ClaimView), "Claim links, newest first; of one user where asked") },
});
const add = createRoute({
  ...needs("keys.write"),
  method: "post",
  path: "/claims",
  request: { body: jsonBody(ClaimInput) },
  responses: { 201: json(NewClaim, "A link that makes one key for this user, once") },
});
const revoke = createRoute({
  ...needs("keys.write"),
  method: "delete",
  path: "/claims/{ref}",
  request: { params: Ref },
  responses: { 204: { description: "The link makes no key any more" } },
});

export function claims({ store, clock, keyHasher, publicUrl }: AdminParts): AdminApp {
  const app = resource();
  const view = (claim: Claim, users: readonly User[]) => ({
    id: claim.id,
    user: { id: claim.userId, name: users.find(({ id }) => id === claim.userId)?.name ?? "" },
    keyName: claim.keyName,
    keyExpiresAt: rfc3339(claim.keyExpiresAt),
    state: claimState(claim, clock.now()),
    createdAt: rfc3339(claim.createdAt),
    expiresAt: rfc3339(claim.expiresAt),
    revokedAt: rfc3339(claim.revokedAt),
    claimedAt: rfc3339(claim.claimedAt),
    keyId: claim.keyId,
  });

  app.openapi(list, async (c) => {
    const { user, ...where } = c.req.valid("query");
    const [users, all] = await Promise.all([store.listUsers(), store.listClaims()]);
    const ofUser = new Set(
      users.filter(({ id, name }) => !user || id === user || name === user).map(({ id }) => id),
    );
    const found = all.filter(({ userId }) => ofUser.has(userId));
    const { items, next } = paged(found, ({ createdAt, id }) => [-createdAt, id], where);
    return c.json({ items: items.map((claim) => view(claim, users)), next }, 200);
  });
  app.openapi(add, async (c) => {
    const { user, keyName, keyExpiresAt, ttlSeconds } = c.req.valid("json");
    const users = await store.listUsers();
    const owner = getByRef("user", users, user);
    if (!isOwn(c, owner.id)) requireStepUp(c.var);
    const now = clock.now();
    if (lifetimeState(owner, now) !== "active") {
      throw new HTTPException(422, { message: `${owner.name} is cut off; a key would be of no use.` });
    }
    const { id, token } = createClaimToken();
    const claim: Claim = {
      id,
      userId: owner.id,
      keyName,
      keyExpiresAt: keyExpiresAt === undefined ? null : Date.parse(keyExpiresAt),
      hash: keyHasher.hashKey(claimText(token)),
      createdAt: now,
      expiresAt: now + ttlSeconds * 1000,
      revokedAt: null,
      claimedAt: null,
      keyId: null,
    };
    await store.audited(c.var.source, "addClaim", claim);
    return c.json({ claim: view(claim, users), url: `${publicUrl}/claim#${token}` }, 201);
  });
  app.openapi(revoke, async (c) => {
    const { ref } = c.req.valid("param");
    const found = await store.readClaim(ref);
    if (found === null) throw notFound("claim link", ref);
    if (found.claimedAt !== null) {
      throw new HTTPException(409, {
        message: `It was used, and made the key ${found.keyId}; revoke that one.`,
      });
    }
    await store.audited(c.var.source, "revokeClaim", ref, clock.now());
    return c.body(null, 204);
  });
  return app;
}
