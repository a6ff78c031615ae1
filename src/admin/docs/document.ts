import { TITLES } from "../problem.ts";
import type { AdminApp } from "../resource.ts";

/** As far as it is looked at. */
export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses: Record<
    string,
    { description?: string; content?: Record<string, { schema?: Schema }>; headers?: object }
  >;
  "x-permission"?: string;
  "x-session"?: boolean;
  "x-step-up"?: boolean;
}
export type Schema = { [field: string]: unknown };
export interface ApiDocument {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

/** What each group of operations is for. */
const TAGS: Readonly<Record<string, string>> = {
  overview: "Spend, requests and latency over time, and what needs a look.",
  health: "How providers and their credentials do.",
  groups: "Groups of users.",
  users: "Users, each in one group.",
  keys: "Master keys.",
  claims: "Links by which users make a key themselves.",
  policies: "What scopes may do, and who decides on a call.",
  budgets: "Amounts of money per period.",
  ledger: "Calls of which nobody knows what they cost.",
  settings: "What holds for the whole installation.",
  credentials: "Real keys of providers; they go in and never come out.",
  providers: "Where requests can be sent.",
  objects: "Whose the files, batches and threads at the providers are.",
  prices: "What calls cost.",
  requests: "The request log.",
  usage: "Requests, tokens and cost, added up.",
  audit: "Who changed what.",
  asks: "What users ask administrators for.",
  me: "What is one's own: for whoever has signed in, and in part for the holder of a master key.",
  session: "Who is signed in, and how.",
  sessions: "Open sessions.",
  tokens: "Personal tokens for this API.",
};

const DESCRIPTION = `Everything that administers this gateway; the command line and the console use nothing else.

Lists come in pages: give \`next\` of one as \`cursor\` for the next. A POST with an \`Idempotency-Key\` is done once within a day. Things with a place of their own have an \`ETag\`: a change with \`If-Match\` is made only where nobody was faster. Errors are \`application/problem+json\` (RFC 9457). Money is decimal dollars in strings; times are RFC 3339 in UTC.`;

/** The OpenAPI document: what operations declare themselves, and what is true of all of them. */
export function documentOf(app: AdminApp, version: string): ApiDocument {
  const info = { title: "LlaMaKey admin API", version, description: DESCRIPTION };
  const document = app.getOpenAPI31Document({ openapi: "3.1.0", info }) as unknown as ApiDocument;
  const used = new Set<string>();
  for (const [path, methods] of Object.entries(document.paths)) {
    const tag = path.split("/")[3] ?? "";
    for (const [method, operation] of Object.entries(methods)) {
      used.add(tag);
      complete(operation, method, path, tag);
    }
  }
  document.tags = [...used].map((name) => ({ name, description: TAGS[name] ?? `About ${name}.` }));
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Problem: PROBLEM },
  };
  return document;
}

function complete(operation: Operation, method: string, path: string, tag: string): void {
  operation.tags = [tag];
  operation.operationId = operationId(method, path);
  const [said] = Object.entries(operation.responses).find(([status]) => status.startsWith("2")) ?? [];
  operation.summary ??= said === undefined ? path : (operation.responses[said]?.description ?? path);
  const isChange = method !== "get";
  const hasBody = operation.requestBody !== undefined;
  const parameters = [...(operation.parameters ?? [])];
  operation.parameters = parameters;
  // Who signs in, or steps up, is asked each time.
  if (method === "post" && !path.includes("/session/"))
    parameters.push(header("Idempotency-Key", "Done once within a day for this key.", 200));
  if (isChange && method !== "post")
    parameters.push(header("If-Match", "An ETag: change it only where it is still this.", 200));
  const own = Object.keys(operation.responses).map(Number);
  const statuses = [...problemsOf(operation, method, path, hasBody), ...own.filter((one) => one >= 400)];
  for (const status of statuses) {
    operation.responses[status] = {
      description: TITLES[status] ?? "A problem",
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      ...operation.responses[status],
    };
  }
}

function problemsOf(operation: Operation, method: string, path: string, hasBody: boolean): number[] {
  const isPublic = operation["x-permission"] === "public";
  const always = [400, 401, 403, 429, 500, 503];
  const statuses = isPublic ? [...always, 404] : always;
  if (path.includes("{") || (operation.parameters ?? []).some(({ in: where }) => where === "query"))
    statuses.push(404);
  if (hasBody) statuses.push(413, 415);
  if (method !== "get") statuses.push(404, 409, 412, 422);
  else statuses.push(422);
  return [...new Set(statuses)].sort();
}

function header(name: string, description: string, maxLength: number) {
  const schema = { type: "string", minLength: 1, maxLength, pattern: "^[\\x21-\\x7e]+$" };
  return { name, in: "header", required: false, description, schema };
}

/** `GET /api/v1/users/{ref}` is `getUsersByRef`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace("/api/v1/", "")
    .split("/")
    .map((part) => (part.startsWith("{") ? `by-${part.slice(1, -1)}` : part));
  return [method, ...words]
    .join("-")
    .replace(/[-_]+([a-zA-Z])/g, (_, letter: string) => letter.toUpperCase());
}

const PROBLEM: Schema = {
  type: "object",
  description: "RFC 9457: what happened, why, and what to do.",
  required: ["type", "title", "status", "detail"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    code: { type: "string", description: "For programs, where several reasons have one status." },
  },
  example: { type: "about:blank", title: "Not found", status: 404, detail: 'There is no user "ada".' },
};
