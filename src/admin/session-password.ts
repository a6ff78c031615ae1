import { createRoute, z } from "@hono/zod-openapi";
import type { SignedUser } from "../domain/sign-in.ts";
import { needs } from "./needs.ts";
import type { AdminParts } from "./parts.ts";
import { CodedProblem } from "./problem.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody } from "./schemas.ts";
import { requireOtherThanSso } from "./sign-in/allowed.ts";
import { enter } from "./sign-in/enter.ts";
import { SessionView, sessionView } from "./sign-in/session-view.ts";
import { isActive } from "./sign-in/sessions.ts";

const byPassword = createRoute({
  ...needs("public"),
  method: "post",
  path: "/session/password",
  request: {
    body: jsonBody(z.object({ name: z.string().min(1).max(200), password: z.string().min(1).max(1000) })),
  },
  responses: { 200: json(SessionView, "The session that has begun") },
});

/** Signing in with a name and a password. Who is not known is told nothing else, and not sooner, than who mistypes. */
export function sessionPassword(parts: AdminParts): AdminApp {
  const { store, clock, passwords, failures } = parts;
  const app = resource();

  const findUser = async (name: string): Promise<SignedUser | undefined> => {
    const [users, groups] = await Promise.all([store.listUsers(), store.listGroups()]);
    const user = users.find((one) => one.name === name);
    const group = groups.find(({ id }) => id === user?.groupId);
    return user && group && { user, group };
  };

  app.openapi(byPassword, async (c) => {
    const { name, password } = c.req.valid("json");
    await requireOtherThanSso(parts);
    const found = await findUser(name);
    const hash = await store.readPassword(found?.user.id ?? "");
    const isRight = await passwords.isRight(password, hash, name, c.var.source.address);
    const isIn = isRight && found !== undefined && isActive(found, clock.now());
    if (!isIn) {
      const reason = isRight ? "user is not active" : hash === null ? "no password" : "wrong password";
      await failures.note(c.var.source, "password", reason, found?.user ?? null);
      throw new CodedProblem(401, "This name and this password do not belong together.", "password_wrong");
    }
    return c.json(await sessionView(parts, await enter(c, parts, found, "password")), 200);
  });
  return app;
}
