import { z } from "@hono/zod-openapi";
import { ROLES } from "../../domain/role.ts";
import type { SessionCaller } from "../caller.ts";
import type { AdminParts } from "../parts.ts";
import { Reference, rfc3339, Time } from "../schemas.ts";
import { sessionEnd } from "./sessions.ts";

export const SessionView = z
  .object({
    id: z.string(),
    user: z.object({ id: z.string(), name: z.string(), role: z.enum(ROLES), group: Reference }),
    permissions: z.array(z.string()),
    csrf: z.string().describe("For the header `x-lmk-csrf` of every call that changes something."),
    method: z.string().describe("How it began: `link`, `password`, `passkey` or `oidc`."),
    signedInAt: Time,
    steppedUpAt: Time.describe("When the user last showed who they are; good for 15 minutes."),
    expiresAt: Time.describe("If nobody uses it any more."),
    hasPassword: z.boolean(),
    passkeys: z.number(),
  })
  .openapi("Session");

export async function sessionView({ store }: Pick<AdminParts, "store">, caller: SessionCaller) {
  const { user, group, session: stored } = caller;
  const [password, passkeys] = await Promise.all([store.readPassword(user.id), store.listPasskeys(user.id)]);
  return {
    id: stored.id,
    user: { id: user.id, name: user.name, role: user.role, group: { id: group.id, name: group.name } },
    permissions: [...caller.permissions],
    csrf: caller.csrf,
    method: stored.method,
    signedInAt: rfc3339(stored.createdAt),
    steppedUpAt: rfc3339(stored.steppedUpAt),
    expiresAt: rfc3339(sessionEnd(stored)),
    hasPassword: password !== null,
    passkeys: passkeys.length,
  };
}
