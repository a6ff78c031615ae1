import type { ApiDocument, Schema } from "./document.ts";

/** In a few words: `list of Key`, `text or null`, `one of active, revoked`. */
export function typeOf(schema: Schema, document: ApiDocument): string {
  const ref = schema["$ref"];
  if (typeof ref === "string") return ref.slice(ref.lastIndexOf("/") + 1);
  const any = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(any)) return any.map((one) => typeOf(one as Schema, document)).join(" or ");
  if (Array.isArray(schema["allOf"])) return typeOf((schema["allOf"][0] ?? {}) as Schema, document);
  if (Array.isArray(schema["enum"])) return `one of ${schema["enum"].join(", ")}`;
  const { type } = schema;
  if (Array.isArray(type))
    return type.map((one) => typeOf({ ...schema, type: one as string }, document)).join(" or ");
  if (type === "array") return `list of ${typeOf((schema["items"] ?? {}) as Schema, document)}`;
  if (type === "string") return schema["format"] === "date-time" ? "time" : "text";
  return typeof type === "string" ? type : "anything";
}

/** What it may look like. */
export function exampleOf(schema: Schema, document: ApiDocument, depth = 0): unknown {
  if (schema["example"] !== undefined) return schema["example"];
  if (schema["default"] !== undefined) return schema["default"];
  const ref = schema["$ref"];
  if (typeof ref === "string") {
    const named = document.components?.schemas?.[ref.slice(ref.lastIndexOf("/") + 1)];
    return named === undefined || depth > 5 ? {} : exampleOf(named, document, depth + 1);
  }
  for (const several of ["anyOf", "oneOf", "allOf"]) {
    const [first] = (schema[several] ?? []) as Schema[];
    if (first !== undefined) return exampleOf(first, document, depth + 1);
  }
  const [one] = (schema["enum"] ?? []) as unknown[];
  if (one !== undefined) return one;
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  if (type === "array") return [exampleOf((schema["items"] ?? {}) as Schema, document, depth + 1)];
  if (type === "object") {
    const properties = (schema["properties"] ?? {}) as Record<string, Schema>;
    return Object.fromEntries(
      Object.entries(properties).map(([name, field]) => [name, exampleOf(field, document, depth + 1)]),
    );
  }
  if (type === "string") return schema["format"] === "date-time" ? "2026-11-28T12:00:00.000Z" : "text";
  if (type === "number" || type === "integer") return 1;
  return type === "boolean" ? true : null;
}
