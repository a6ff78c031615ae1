import { HTTPException } from "hono/http-exception";
import type { AuditSource } from "../domain/audit.ts";
import type { MasterKey, User } from "../domain/directory.ts";
import { createKey } from "../domain/key.ts";
import type { KeyFilter } from "../domain/store.ts";
import { type KeyView, keyViews } from "./key-views.ts";
import type { AdminParts } from "./parts.ts";
import { notFound } from "./problem.ts";
import { lifetimeFields, newLifetime } from "./schemas.ts";

/** What administrators do with all keys, and users with their own. */
export class KeyDesk {
  private readonly parts: AdminParts;

  constructor(parts: AdminParts) {
    this.parts = parts;
  }

  list(filter: KeyFilter = {}): Promise<KeyView[]> {
    return keyViews(this.parts.store, this.parts.clock.now(), filter);
  }

  /** @param owner Another user's keys are not there. @throws HTTPException 404 */
  async find(ref: string, owner?: string): Promise<KeyView> {
    const found = (await this.list()).find(
      ({ id, user }) => id === ref && (owner === undefined || user.id === owner),
    );
    if (found === undefined) throw notFound("key", ref);
    return found;
  }

  async add(
    source: AuditSource,
    owner: User,
    { name, expiresAt }: { name?: string | undefined; expiresAt?: string | undefined },
  ) {
    const { store, clock, keyHasher, directoryChanged } = this.parts;
    const created = createKey();
    const now = clock.now();
    const key: MasterKey = {
      id: created.id,
      name: name ?? "key",
      userId: owner.id,
      ...newLifetime(expiresAt, now),
      frozenAt: null,
      frozenWhy: null,
      secrets: [{ version: 1, hash: keyHasher.hashKey(created.text), createdAt: now, expiresAt: null }],
    };
    await store.audited(source, "addKey", key);
    await directoryChanged();
    return { key: await this.find(key.id), secret: created.text };
  }

  async change(
    source: AuditSource,
    id: string,
    change: Parameters<typeof lifetimeFields>[0] & { now?: boolean | undefined },
  ) {
    const { store, clock, directoryChanged, cutKeys } = this.parts;
    const { parent, expiresAt } = await this.find(id);
    if (parent !== null) requireNoMore(change, expiresAt);
    await store.audited(source, "updateKey", id, lifetimeFields(change, clock.now()));
    await directoryChanged();
    const cut = change.revoked && change.now ? cutKeys(new Set([id])) : 0;
    return { ...(await this.find(id)), cut };
  }

  async rotate(source: AuditSource, id: string, overlapSeconds: number) {
    const { store, clock, keyHasher, directoryChanged } = this.parts;
    const { parent } = await this.find(id);
    if (parent !== null) {
      throw new HTTPException(422, {
        message: `A child key is not rotated: it ends soon, or with the key ${parent.id}.`,
      });
    }
    const renewed = createKey(id);
    const now = clock.now();
    const overlapUntil = now + overlapSeconds * 1000;
    await store.audited(source, "rotateKey", id, keyHasher.hashKey(renewed.text), now, overlapUntil);
    await directoryChanged();
    return { key: await this.find(id), secret: renewed.text };
  }

  /** Stops it, or lets it work again. @param why Null to unfreeze. @param cut Its open streams, too. */
  async freeze(source: AuditSource, id: string, why: string | null, cut = false) {
    const { store, clock, directoryChanged, cutKeys } = this.parts;
    const frozenAt = why === null ? null : clock.now();
    await store.audited(source, "updateKey", id, { frozenAt, frozenWhy: why });
    await directoryChanged();
    return { ...(await this.find(id)), cut: cut ? cutKeys(new Set([id])) : 0 };
  }
}

/** Whoever made a child key counts on its end. @param expiresAt RFC 3339 */
function requireNoMore(
  change: { expiresAt?: string | null | undefined; revoked?: boolean | undefined },
  expiresAt: string | null,
): void {
  const isLonger =
    change.expiresAt === null ||
    (change.expiresAt !== undefined && Date.parse(change.expiresAt) > Date.parse(expiresAt ?? ""));
  if (!isLonger && change.revoked !== false) return;
  throw new HTTPException(422, {
    message: "A child key's life is not prolonged, nor given back; its user makes another with: lmk run.",
  });
}
