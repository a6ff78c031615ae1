import type { Command } from "commander";
import { z } from "zod";
import { addSignInVerbs } from "./admin-sign-in.ts";
import { User } from "./answers.ts";
import { type ApiClient, connect, segment } from "./api-client.ts";
import { Failure } from "./failure.ts";
import type { Io } from "./io.ts";

const Link = z.object({ url: z.string(), user: z.object({ name: z.string() }), expiresAt: z.string() });

export function addAdminVerbs(program: Command, io: Io): void {
  const admin = program.command("admin").description("the console: who can sign in");

  admin
    .command("link")
    .description("make a link that signs somebody in to the console, once, within 15 minutes")
    .argument("[user]", "name or id (default: the first owner)")
    .action(async (ref: string | undefined, _options: unknown, command: Command) => {
      const api = connect(io, command);
      const user = ref ?? (await firstOwner(api));
      const link = await api.post(`/api/v1/users/${segment(user)}/sign-in-link`, {}, Link);
      io.note(`This link signs ${link.user.name} in, once, until ${link.expiresAt}:`);
      await io.print(`${link.url}\n`);
    });

  addSignInVerbs(admin, io);
}

async function firstOwner(api: ApiClient): Promise<string> {
  const items = await api.list("/api/v1/users", User);
  const owners = items.filter(({ role, state }) => role === "owner" && state === "active");
  const [first] = owners.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  if (first === undefined)
    throw new Failure("There is no owner. Name a user, or make one: lmk user role <user> owner.");
  return first.id;
}
