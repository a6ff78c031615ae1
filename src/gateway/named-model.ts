import { Refusal } from "../domain/refusal.ts";
import type { Route } from "./route.ts";

/** Longer names are cut: in logs and for policies no model has one. */
const MAX_MODEL_LENGTH = 256;

/**
 * The one model that a request names.
 * @param places What its path, query, form and body name, null where they do not. Where its path does, or its query at
 *   a provider that reads only that, the provider looks nowhere else.
 * @throws Refusal `bad_request` where two places name different ones.
 */
export function namedModel(route: Route, inBody: string | null): string | null {
  const { modelInQuery, modelParameter } = route.upstream.provider;
  const isRead = modelParameter !== undefined;
  const inPath = modelInPath(route);
  if (inPath !== null) return cut(inPath);
  const inQuery = modelInQueryOf(route.query, modelInQuery ?? modelParameter ?? "model");
  if (modelInQuery !== undefined) return cut(inQuery);
  if (inQuery !== null && inBody !== null && inQuery !== inBody) {
    throw ambiguous(`its query names "${cut(inQuery)}" and its body "${cut(inBody)}"`);
  }
  // Most providers read no query, and take the model from a body that we may not have read.
  return cut(inBody ?? (isRead ? inQuery : null));
}

export function ambiguous(how: string): Refusal {
  return new Refusal("bad_request", `Which model the request is for cannot be told for certain: ${how}.`);
}

/** The model that the path names. */
function modelInPath({ path, upstream }: Route): string | null {
  const pattern = upstream.provider.modelInPath;
  if (pattern === undefined) return null;
  return pattern.exec(decoded(path))?.[1] ?? null;
}

/** @throws Refusal for a parameter that is given twice with different values. */
function modelInQueryOf(query: string, name: string): string | null {
  if (query === "") return null;
  // Without either, no parameter is called so, escaped or not.
  if (!query.includes("model") && !query.includes("%")) return null;
  const values = new Set(new URLSearchParams(query).getAll(name));
  if (values.size > 1) throw ambiguous(`its query has several parameters "${name}"`);
  for (const value of values) return value;
  return null;
}

function decoded(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function cut(model: string | null): string | null {
  return model !== null && model.length > MAX_MODEL_LENGTH ? model.slice(0, MAX_MODEL_LENGTH) : model;
}
