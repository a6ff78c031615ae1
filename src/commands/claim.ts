import { type Command, Option } from "commander";
import { Claim, NewClaim } from "./answers.ts";
import { connect, segment } from "./api-client.ts";
import type { Io } from "./io.ts";
import { jsonText } from "./json.ts";
import { end, reference } from "./lifetime.ts";
import { list, time } from "./table.ts";
import { parseDuration } from "./when.ts";

const PATH = "/api/v1/claims";

interface ClaimOptions {
  ttl: number;
  name?: string;
  expires?: string | null;
  json?: boolean;
}

/** Links that a user opens to make a key; the administrator never sees it. */
export function addClaimVerbs(key: Command, io: Io): void {
  key
    .command("claim")
    .description("make a link with which a user makes a key, once; print it")
    .argument("<user>", "name or id", reference)
    .addOption(
      new Option("--ttl <duration>", "how long the link works")
        .default(24 * 3_600_000, "24h")
        .argParser(parseDuration),
    )
    .option("--name <name>", "what the key will be called")
    .option("--expires <when>", "when the key will end: a date, or a duration such as 30d", end)
    .option("--json", "as JSON")
    .action(async (user: string, { ttl, name, expires, json }: ClaimOptions, command: Command) => {
      const body = {
        user,
        ttlSeconds: Math.max(1, Math.round(ttl / 1000)),
        ...(name === undefined ? {} : { keyName: name }),
        ...(expires ? { keyExpiresAt: expires } : {}),
      };
      const made = await connect(io, command).post(PATH, body, NewClaim);
      if (json) return io.print(jsonText(made));
      const { claim, url } = made;
      io.note(`For ${claim.user.name}, once, until ${time(claim.expiresAt)}; shown this once:`);
      await io.print(`${url}\n`);
      io.note(`Take it back with: lmk key unclaim ${claim.id}`);
    });

  key
    .command("claims")
    .description("claim links: which are open, and which key the others made")
    .option("--user <user>", "only those for this user: name or id")
    .option("--json", "as JSON")
    .action(async ({ user, json }: { user?: string; json?: boolean }, command: Command) => {
      const items = await connect(io, command).list(PATH, Claim, { user });
      if (json) return io.print(jsonText(items));
      const rows = items.map((claim) => [
        claim.id,
        claim.user.name,
        claim.keyName,
        claim.state,
        time(claim.createdAt),
        time(claim.expiresAt),
        claim.keyId ?? "-",
      ]);
      const headings = ["ID", "USER", "KEY NAME", "STATE", "CREATED", "EXPIRES", "KEY"];
      await io.print(list(headings, rows, "No claim links."));
    });

  key
    .command("unclaim")
    .description("take a claim link back")
    .argument("<id>", "of the link: see lmk key claims", reference)
    .action(async (id: string, _options: unknown, command: Command) => {
      await connect(io, command).delete(`${PATH}/${segment(id)}`);
      io.note(`Claim link ${id} makes no key any more.`);
    });
}
