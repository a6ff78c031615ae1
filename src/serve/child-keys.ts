import { z } from "zod";
import type { AuditSource } from "../domain/audit.ts";
import {
  type ChildKey,
  childLimits,
  childScope,
  MAX_GENERATIONS,
  MAX_LIFETIME_MS,
  TooManyChildren,
} from "../domain/child-key.ts";
import type { Clock } from "../domain/clock.ts";
import { lifetimeState, type MasterKey } from "../domain/directory.ts";
import { createKey, randomBase62 } from "../domain/key.ts";
import { formatDollars, parseDollars } from "../domain/money.ts";
import { Refusal } from "../domain/refusal.ts";
import { type AdminStore, StorageFailure } from "../domain/store.ts";
import type { Directory, KeyHolder } from "../gateway/directory.ts";
import type { KeyHasher } from "../gateway/identify.ts";
import type { InFlight } from "../gateway/in-flight.ts";
import { requireMayCall } from "./may-call.ts";
import { shortText } from "./short-text.ts";

interface Parts {
  readonly store: Pick<AdminStore, "audited" | "listKeys">;
  readonly directory: Directory;
  readonly hasher: KeyHasher;
  readonly inFlight: InFlight;
  readonly clock: Clock;
  /** Called after every change; when it returns, the change is in force. */
  readonly directoryChanged: () => Promise<void>;
  /** Ids of the providers that there are. */
  readonly providers: () => readonly string[];
}

/** Who asks. */
interface Asker {
  readonly holder: KeyHolder;
  /** The master key that was sent, without alias. */
  readonly key: string;
  readonly address: string | null;
}

const MAX_BODY_BYTES = 16 * 1024;
const DEFAULT_LIFETIME_SECONDS = 3600;

const Wish = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters would corrupt terminals and logs
    .regex(/^[^\u0000-\u001f\u007f]+$/, "must not contain control characters")
    .default("run"),
  ttlSeconds: z
    .int()
    .min(1)
    .max(MAX_LIFETIME_MS / 1000)
    .default(DEFAULT_LIFETIME_SECONDS),
  budget: z
    .string()
    .transform((text) => parseDollars(text))
    .refine((nanos) => nanos !== undefined && nanos > 0n, "must be dollars, such as 2 or 0.50")
    .nullable()
    .default(null),
  providers: z.array(z.string().min(1).max(100)).max(100).default([]),
});

/** Answers `/lmk/keys`: the holder of a master key makes child keys of it, sees them, and ends them. */
export class ChildKeys {
  private readonly parts: Parts;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /**
   * @param rest What follows `/lmk/keys/` in the path; empty where nothing does.
   * @throws Refusal
   */
  async answer(request: Request, rest: string, asker: Asker): Promise<Response> {
    const { method } = request;
    try {
      if (rest === "" && method === "POST") return await this.make(await wishOf(request), asker);
      if (rest === "" && method === "GET") return this.list(asker);
      if (rest !== "" && method === "DELETE") return await this.end(rest, asker);
    } catch (error) {
      if (error instanceof StorageFailure)
        throw new Refusal("storage_unavailable", "The gateway cannot record this at the moment; try later.");
      throw error;
    }
    throw new Refusal("bad_request", "Child keys are made by POST /lmk/keys and ended by DELETE.", {
      status: 405,
    });
  }

  private async make(wish: z.infer<typeof Wish>, { holder, key, address }: Asker): Promise<Response> {
    const { store, hasher, clock, directoryChanged } = this.parts;
    const now = clock.now();
    const providers = this.providersOf(wish.providers);
    requireMayCall(holder, address, now);
    if ((holder.ancestors?.length ?? 0) >= MAX_GENERATIONS) {
      throw new Refusal("bad_request", `Child keys go ${MAX_GENERATIONS} generations deep, and no deeper.`);
    }
    const lifetimeMs = wish.ttlSeconds * 1000;
    const created = createKey();
    const child: ChildKey = {
      id: created.id,
      name: wish.name,
      userId: holder.user.id,
      createdAt: now,
      revokedAt: null,
      expiresAt: Math.min(now + lifetimeMs, holder.key.expiresAt ?? Number.POSITIVE_INFINITY),
      secrets: [{ version: 1, hash: hasher.hashKey(created.text), createdAt: now, expiresAt: null }],
      parent: { keyId: holder.key.id, secretVersion: versionOf(key, holder.key, hasher) },
    };
    const scope = childScope(child, { budget: wish.budget ?? null, providers }, `bud_${randomBase62(10)}`);
    const source = sourceOf(holder, address, now);
    try {
      await store.audited(source, "addChildKey", child, scope, childLimits);
    } catch (error) {
      if (error instanceof TooManyChildren)
        throw new Refusal("rate_limited", `${error.message} End some, or wait for one to end.`);
      throw error;
    }
    await directoryChanged();
    return answer(201, { key: view(child, wish.budget ?? null, providers), secret: created.text });
  }

  private list({ holder }: Asker): Response {
    const { directory, clock } = this.parts;
    const now = clock.now();
    const children = directory
      .childrenOf(holder.key.id)
      .filter(({ key }) => lifetimeState(key, now) === "active")
      .map(({ key, scopes }) => {
        const own = scopes.find(({ scope }) => scope.kind === "key" && scope.id === key.id);
        return view(key, own?.budgets[0]?.amount ?? null, own?.policy.providers ?? []);
      });
    return answer(200, { items: children });
  }

  /** By the child itself, or by whoever it descends from. */
  private async end(id: string, { holder, address }: Asker): Promise<Response> {
    const { store, directory, inFlight, clock, directoryChanged } = this.parts;
    const found = directory.find(id);
    const isOwn =
      found?.key.id === holder.key.id || found?.ancestors?.some((one) => one.id === holder.key.id);
    // Keys of others are none of the caller's business, and a master key does not end itself.
    if (found?.key.parent === undefined || !isOwn)
      throw new Refusal("bad_request", "This key has no such child.", { status: 404 });
    const now = clock.now();
    if (found.key.revokedAt === null) {
      await store.audited(sourceOf(holder, address, now), "updateKey", id, { revokedAt: now });
      await directoryChanged();
    }
    inFlight.cutKeys(new Set([id]));
    return new Response(null, { status: 204 });
  }

  /** `hf` means all of Hugging Face. @throws Refusal for a provider that is not here. */
  private providersOf(asked: readonly string[]): string[] {
    const known = this.parts.providers();
    const found = asked.flatMap((name) => {
      if (name !== "hf") return [name];
      return known.filter((id) => id === "huggingface" || id.startsWith("hf-"));
    });
    const stranger = found.find((id) => !known.includes(id));
    if (stranger !== undefined || found.length < Math.min(1, asked.length)) {
      throw new Refusal(
        "bad_request",
        `There is no provider "${(stranger ?? "hf").slice(0, 80)}" here; there are: ${known.join(", ")}.`,
      );
    }
    return [...new Set(found)];
  }
}

async function wishOf(request: Request): Promise<z.infer<typeof Wish>> {
  const text = await shortText(request, MAX_BODY_BYTES);
  if (text === undefined) throw new Refusal("too_large", "The body is larger than 16 KiB.");
  let body: unknown;
  try {
    body = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Refusal("bad_request", "The body is no JSON.");
  }
  const parsed = Wish.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal("bad_request", `${issue?.path.join(".") || "The body"}: ${issue?.message}`);
}

/** Of the secret that was sent: it is known, or nobody would have been identified. */
function versionOf(sent: string, { secrets }: MasterKey, hasher: KeyHasher): number {
  const hash = hasher.hashKey(sent);
  const found = secrets.find((secret) => hasher.sameHash(secret.hash, hash));
  if (found === undefined) throw new Refusal("invalid_key", "This master key was rotated meanwhile.");
  return found.version;
}

function sourceOf({ user }: KeyHolder, address: string | null, at: number): AuditSource {
  return { at, actor: { kind: "user", id: user.id, name: user.name }, address };
}

function view(key: MasterKey, budget: bigint | null, providers: readonly string[]) {
  return {
    id: key.id,
    name: key.name,
    parent: key.parent?.keyId ?? null,
    createdAt: new Date(key.createdAt).toISOString(),
    expiresAt: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
    budget: budget === null ? null : formatDollars(budget),
    providers,
  };
}

function answer(status: number, body: object): Response {
  return Response.json(body, { status, headers: { "cache-control": "no-store" } });
}
