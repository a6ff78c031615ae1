import { createRoute, z } from "@hono/zod-openapi";
import { HTTPException } from "hono/http-exception";
import type { AuditSource } from "../domain/audit.ts";
import type { Scope, ScopeChange, ScopePolicy } from "../domain/policy.ts";
import { needs } from "./needs.ts";
import { paged, pageOf, pageQuery } from "./page.ts";
import type { AdminParts } from "./parts.ts";
import { changeOf, differencesOf, policyAt, type Wanted } from "./policy-change.ts";
import {
  budgetDocument,
  budgetDraft,
  PolicyFile,
  PolicyPatch,
  policyDocument,
  policyOf,
  ScopeDocument,
} from "./policy-document.ts";
import { type AdminApp, resource } from "./resource.ts";
import { json, jsonBody } from "./schemas.ts";
import { type NamedScope, Scopes } from "./scopes.ts";

export const ScopeRef = z
  .string()
  .min(1)
  .max(300)
  .describe("`organisation`, `group:<name or id>`, `user:<name or id>` or `key:<id>`.");

const PolicyView = z
  .object({
    scope: ScopeRef,
    id: z.string().describe("Of the group, user or key."),
    name: z.string(),
    version: z.number().describe("Counts the changes; 0 where there was none."),
    policy: z.record(z.string(), z.unknown()).describe("What a file would say of this scope."),
  })
  .openapi("ScopePolicy");

const Differences = z.array(
  z.object({ field: z.string(), before: z.unknown().nullable(), after: z.unknown().nullable() }),
);
const Changed = PolicyView.extend({
  changes: Differences,
  warnings: z.array(z.string()).describe("What is stored and probably not meant."),
});
const Applied = z.object({
  dryRun: z.boolean(),
  items: z.array(z.object({ scope: ScopeRef, changes: Differences })).describe("Scopes that change."),
  warnings: z.array(z.string()),
});

const Version = z.object({
  version: z.coerce.number().int().min(0).optional().describe("Change only this version of it."),
});
const Ref = z.object({ scope: ScopeRef });

const list = createRoute({
  ...needs("policies.read"),
  method: "get",
  path: "/policies",
  request: { query: z.object(pageQuery) },
  responses: { 200: json(pageOf(PolicyView), "Scopes that have a policy or a budget") },
});
const exportAll = createRoute({
  ...needs("policies.read"),
  method: "get",
  path: "/policies/export",
  responses: { 200: json(PolicyFile, "All of it as one document, for `apply`") },
});
const apply = createRoute({
  ...needs("policies.write"),
  method: "post",
  path: "/policies/apply",
  request: {
    body: jsonBody(
      z.strictObject({
        document: PolicyFile,
        dryRun: z.boolean().default(false).describe("Only say what would change."),
        prune: z.boolean().default(false).describe("Empty the scopes that the document does not name."),
      }),
    ),
  },
  responses: { 200: json(Applied, "What changed, or would change: all of it or nothing") },
});
const show = createRoute({
  ...needs("policies.read"),
  method: "get",
  path: "/policies/{scope}",
  request: { params: Ref },
  responses: { 200: json(PolicyView, "The scope's policy and budgets") },
});
const put = createRoute({
  ...needs("policies.write"),
  method: "put",
  path: "/policies/{scope}",
  request: { params: Ref, query: Version, body: jsonBody(ScopeDocument) },
  responses: { 200: json(Changed, "The policy, in force; budgets stay where the document names none") },
});
const patch = createRoute({
  ...needs("policies.write"),
  method: "patch",
  path: "/policies/{scope}",
  request: { params: Ref, query: Version, body: jsonBody(PolicyPatch) },
  responses: { 200: json(Changed, "The policy with these fields changed, in force; null takes one away") },
});
const remove = createRoute({
  ...needs("policies.write"),
  method: "delete",
  path: "/policies/{scope}",
  request: { params: Ref },
  responses: { 204: { description: "The scope restricts nothing any more; its budgets stay" } },
});

export function policies(parts: AdminParts): AdminApp {
  const { store, clock } = parts;
  const app = resource();

  /** Stores it, all or nothing; in force when it returns. */
  const commit = async (source: AuditSource, changes: readonly ScopeChange[]) => {
    if (changes.length === 0) return;
    await store.audited(source, "changePolicies", changes, clock.now());
    await parts.directoryChanged();
  };
  const at = async (ref: string) => {
    const [scopes, all] = await Promise.all([Scopes.read(store), store.listPolicies({ children: "none" })]);
    const scope = scopes.byRef(ref);
    return { scope, before: policyAt(all, scope) };
  };
  const change = async (
    source: AuditSource,
    { scope, before }: { scope: NamedScope; before: ScopePolicy },
    wanted: Wanted,
    version?: number,
  ) => {
    if (version !== undefined && version !== before.version) {
      throw new HTTPException(409, { message: `The policy has version ${before.version} by now.` });
    }
    const after = changeOf(before, wanted, clock.now());
    const changes = differencesOf(before, after);
    if (changes.length > 0) await commit(source, [after]);
    const reached = { ...after, version: before.version + (changes.length > 0 ? 1 : 0) };
    return { ...view(scope, reached), changes, warnings: warningsOf([after], parts) };
  };

  app.openapi(list, async (c) => {
    const [scopes, all] = await Promise.all([Scopes.read(store), store.listPolicies({ children: "none" })]);
    const items = all.filter((one) => !isEmpty(one)).map((one) => view(scopes.named(one.scope), one));
    return c.json(paged(items, placeOf, c.req.valid("query")), 200);
  });
  app.openapi(exportAll, async (c) => {
    const [scopes, all] = await Promise.all([Scopes.read(store), store.listPolicies({ children: "none" })]);
    return c.json(fileOf(all, scopes), 200);
  });
  app.openapi(apply, async (c) => {
    const { document, dryRun, prune } = c.req.valid("json");
    const [scopes, all] = await Promise.all([Scopes.read(store), store.listPolicies({ children: "none" })]);
    const changes = changesOf(document, { scopes, all, prune, now: clock.now() });
    const items = changes.map(({ scope, before, after }) => ({
      scope: scope.ref,
      changes: differencesOf(before, after),
    }));
    const afters = changes.map(({ after }) => after);
    if (!dryRun) await commit(c.var.source, afters);
    return c.json({ dryRun, items, warnings: warningsOf(afters, parts) }, 200);
  });
  app.openapi(show, async (c) => {
    const { scope, before } = await at(c.req.valid("param").scope);
    return c.json(view(scope, before), 200);
  });
  app.openapi(put, async (c) => {
    const document = c.req.valid("json");
    const wanted = { policy: policyOf(document), budgets: document.budgets?.map(budgetDraft) };
    const found = await at(c.req.valid("param").scope);
    return c.json(await change(c.var.source, found, wanted, c.req.valid("query").version), 200);
  });
  app.openapi(patch, async (c) => {
    const found = await at(c.req.valid("param").scope);
    const merged = patched(policyDocument(found.before.policy), c.req.valid("json"));
    return c.json(
      await change(c.var.source, found, { policy: policyOf(merged) }, c.req.valid("query").version),
      200,
    );
  });
  app.openapi(remove, async (c) => {
    await change(c.var.source, await at(c.req.valid("param").scope), { policy: {} });
    return c.body(null, 204);
  });
  return app;
}

/** A scope with what it has and what it is to have. */
interface Step {
  readonly scope: NamedScope;
  readonly before: ScopePolicy;
  readonly after: ScopeChange;
}

interface Given {
  readonly scopes: Scopes;
  readonly all: readonly ScopePolicy[];
  readonly prune: boolean;
  readonly now: number;
}

/** What applying a document changes; a scope that it names gets what it says and nothing else. */
function changesOf(document: PolicyFile, { scopes, all, prune, now }: Given): Step[] {
  const named = new Set<string>();
  const wanted: [NamedScope, ScopeDocument][] = [];
  for (const [place, scope, one] of scopesIn(document, scopes)) {
    if (named.has(scope.ref)) throw unacceptable(`${place}: this ${scope.kind} is in the document twice.`);
    named.add(scope.ref);
    wanted.push([scope, one]);
  }
  if (prune) {
    for (const { scope } of all) {
      const left = scopes.named(scope);
      if (!named.has(left.ref)) wanted.push([left, {}]);
    }
  }
  return wanted.flatMap(([scope, one]) => {
    const before = policyAt(all, scope);
    const budgets = (one.budgets ?? []).map(budgetDraft);
    const after = changeOf(before, { policy: policyOf(one), budgets }, now);
    return differencesOf(before, after).length === 0 ? [] : [{ scope, before, after }];
  });
}

const SECTIONS = { groups: "group", users: "user", keys: "key" } as const;

function* scopesIn(
  document: PolicyFile,
  scopes: Scopes,
): Generator<readonly [place: string, scope: NamedScope, document: ScopeDocument]> {
  if (document.organisation !== undefined)
    yield ["organisation", scopes.byRef("organisation"), document.organisation];
  for (const section of ["groups", "users", "keys"] as const) {
    for (const [name, one] of Object.entries(document[section] ?? {})) {
      const kind = SECTIONS[section];
      const place = `${section}.${name.slice(0, 80)}`;
      const scope = scopes.find(kind, name);
      if (scope === undefined) throw unacceptable(`${place}: there is no such ${kind}.`);
      yield [place, scope, one];
    }
  }
}

function fileOf(all: readonly ScopePolicy[], scopes: Scopes): PolicyFile {
  const file: Record<string, unknown> = {};
  const organisation = all.find(({ scope }) => scope.kind === "organisation");
  if (organisation !== undefined && !isEmpty(organisation)) file["organisation"] = documentOf(organisation);
  for (const section of ["groups", "users", "keys"] as const) {
    const entries = all
      .filter((one) => one.scope.kind === SECTIONS[section] && !isEmpty(one))
      .map((one) => [scopes.key(one.scope), documentOf(one)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length > 0) file[section] = Object.fromEntries(entries);
  }
  return file as PolicyFile;
}

function view(scope: NamedScope, one: ScopePolicy) {
  const { ref, id, name } = scope;
  return { scope: ref, id, name, version: one.version, policy: documentOf(one) };
}

function documentOf({ policy, budgets }: ScopePolicy): Record<string, unknown> {
  const document = policyDocument(policy);
  return budgets.length === 0 ? document : { ...document, budgets: budgets.map(budgetDocument) };
}

/** JSON Merge Patch (RFC 7396). */
function patched(document: ScopeDocument, changes: Readonly<Record<string, unknown>>): ScopeDocument {
  const merged: Record<string, unknown> = { ...document };
  for (const [field, value] of Object.entries(changes)) {
    if (value === null) delete merged[field];
    else if (field === "limits") {
      const limits = { ...(document.limits as object), ...(value as object) };
      merged[field] = Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== null));
    } else if (value !== undefined) merged[field] = value;
  }
  return merged as ScopeDocument;
}

/** Ids are not checked against today's providers: one that is set up again tomorrow must find its policies as they were. */
function warningsOf(changes: readonly ScopeChange[], { providers }: AdminParts): string[] {
  const known = new Set(providers().map(({ id }) => id));
  const named = changes.flatMap(({ policy, budgets }) => [
    ...(policy.providers ?? []),
    ...budgets.flatMap(({ provider }) => provider ?? []),
  ]);
  return [...new Set(named)]
    .filter((id) => !known.has(id))
    .map((id) => `There is no provider "${id}" here now; is it misspelt? See: lmk providers.`);
}

function isEmpty({ policy, budgets }: ScopePolicy): boolean {
  return budgets.length === 0 && Object.keys(policy).length === 0;
}

const ORDER: readonly Scope["kind"][] = ["organisation", "group", "user", "key"];

/** The widest first. */
function placeOf({ scope }: { scope: string }): [number, string] {
  return [ORDER.findIndex((one) => scope.startsWith(one)), scope];
}

function unacceptable(message: string): HTTPException {
  return new HTTPException(422, { message });
}
