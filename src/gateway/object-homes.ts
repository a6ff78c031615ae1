import type { ObjectRule } from "../providers/provider.ts";
import type { Call } from "./authorise.ts";
import type { Member } from "./credential-pool.ts";

/**
 * Which credential's account a provider's object lives in: files, batches, threads, stored responses... Another
 * credential does not find them.
 */
export interface ObjectHomes {
  /** The credential's id; undefined where it is not known. */
  find(provider: string, objectId: string): string | undefined;
  remember(provider: string, objectId: string, credentialId: string): void;
  /** True where nothing is known of any object. */
  readonly isEmpty: boolean;
}

/** Objects that are remembered; the one that was made longest ago is forgotten first. */
const MAX_OBJECTS = 100_000;
const LONGEST_ID = 200;

/** Homes of the objects that were made since the start. */
export class MemoryHomes implements ObjectHomes {
  private readonly homes = new Map<string, string>();

  find(provider: string, objectId: string): string | undefined {
    return this.homes.get(`${provider} ${objectId}`);
  }

  remember(provider: string, objectId: string, credentialId: string): void {
    if (objectId.length > LONGEST_ID) return;
    this.homes.set(`${provider} ${objectId}`, credentialId);
    if (this.homes.size <= MAX_OBJECTS) return;
    const [oldest] = this.homes.keys();
    if (oldest !== undefined) this.homes.delete(oldest);
  }

  get isEmpty(): boolean {
    return this.homes.size === 0;
  }
}

/** How a call's credential is found where the provider keeps state. */
export interface Place {
  readonly member: Member | undefined;
  /** `object`: it was made with this credential. `user`: its user's objects are made with it. */
  readonly by: "object" | "user";
}

/** Larger bodies carry what they are about with them. */
const MAX_SEARCHED_BYTES = 1024 * 1024;

/**
 * Where this call has to go; undefined where any credential will do.
 * @param userId Whose objects of unknown home are looked for, and new ones made, with one credential.
 */
export function placeOf(call: Call, userId: string, homes: ObjectHomes): Place | undefined {
  const { upstream, endpoint } = call.route;
  const { provider, pool } = upstream;
  const rule = provider.objects;
  if (rule === undefined) return undefined;
  const keepsState = rule.path.test(endpoint);
  const home = homes.isEmpty ? undefined : homeOf(call, keepsState, homes);
  const member = home === undefined ? undefined : pool.find(home);
  if (member !== undefined) return { member, by: "object" };
  if (!keepsState || isBalanced(rule, call)) return undefined;
  return { member: pool.homeOf(userId), by: "user" };
}

/** True for a call whose answer names an object that it made. */
export function makesObject({ method, route }: Call): boolean {
  return method === "POST" && route.upstream.provider.objects?.path.test(route.endpoint) === true;
}

/** What is asked of a model goes to any credential; only who refers to it later has to come back. */
function isBalanced(rule: ObjectRule, { method, route }: Call): boolean {
  return method === "POST" && rule.balanced?.test(route.endpoint) === true;
}

function homeOf(call: Call, keepsState: boolean, homes: ObjectHomes): string | undefined {
  const { id } = call.route.upstream.provider;
  if (keepsState) {
    for (const segment of call.route.path.split("/")) {
      // Methods follow a colon: `/files/abc:register`.
      const home = homes.find(id, segment) ?? homes.find(id, segment.replace(/:[a-zA-Z]+$/, ""));
      if (home !== undefined) return home;
    }
  }
  const { body } = call;
  if (!(body instanceof Uint8Array) || body.length > MAX_SEARCHED_BYTES) return undefined;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  for (const [, one, list] of text.matchAll(REFERENCES)) {
    for (const [, name = ""] of (one ?? list ?? "").matchAll(QUOTED)) {
      const home = homes.find(id, lastSegment(name));
      if (home !== undefined) return home;
    }
  }
  return undefined;
}

/** JSON members that name objects: `previous_response_id`, `file_ids`, `training_file`, `fileUri`, `cachedContent`... */
const REFERENCES =
  /"(?:\w{0,40}_ids?|(?:training|validation)_file|conversation|container|file_?[uU]ri|cached_?[cC]ontent|id)"\s*:\s*(?:("[^"\\]{1,200}")|(\[[^\]]{1,4000}\]))/g;
const QUOTED = /"([^"\\]{1,200})"/g;

/** Google's names carry their collection: `files/abc`. */
export function lastSegment(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
