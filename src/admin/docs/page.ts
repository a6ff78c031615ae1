import type { ApiDocument, Operation, Schema } from "./document.ts";
import { exampleOf, typeOf } from "./schema-text.ts";

/** The document as a page that needs no script. */
export function docsPage(document: ApiDocument): string {
  const { info, tags } = document;
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const sections = tags.map(({ name, description }) => {
    const own = all.filter(({ operation }) => operation.tags?.includes(name));
    return `<section><h2 id="${text(name)}">${text(name)}</h2><p>${text(description)}</p>${own
      .map(({ path, method, operation }) => operationHtml(path, method, operation, document))
      .join("")}</section>`;
  });
  const links = tags.map(({ name }) => `<li><a href="#${text(name)}">${text(name)}</a></li>`).join("");
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${text(info.title)}</title>
<link rel="stylesheet" href="/api/docs.css"></head>
<body><nav aria-label="Resources"><p class="brand">LlaMaKey</p><ul>${links}</ul></nav>
<main><h1>${text(info.title)} <small>${text(info.version)}</small></h1>${paragraphs(info.description)}
<p><a href="/api/openapi.json">OpenAPI 3.1 document</a></p>${sections.join("")}</main></body></html>
`;
}

function operationHtml(path: string, method: string, operation: Operation, document: ApiDocument): string {
  const { operationId = "", summary = "", parameters = [], requestBody, responses } = operation;
  const body = requestBody?.content?.["application/json"]?.schema;
  const [status, good] = Object.entries(responses).find(([one]) => one.startsWith("2")) ?? [];
  const answer = good?.content?.["application/json"]?.schema;
  const problems = Object.keys(responses).filter((one) => !one.startsWith("2"));
  return `<article id="${text(operationId)}"><h3><a href="#${text(operationId)}"><code class="method ${text(method)}">${text(method.toUpperCase())}</code> <code>${path
    .split("/")
    .map(text)
    .join("/<wbr>")}</code></a></h3>
<p>${inline(summary)}.</p><p class="need">${needOf(operation)}</p>
${
  parameters.length === 0
    ? ""
    : table(
        "Parameters",
        parameters.map(({ name, in: where, required, description = "", schema = {} }) => [
          name,
          `${where}${required ? ", required" : ""}`,
          typeOf(schema, document),
          description,
        ]),
      )
}
${body === undefined ? "" : part("Body", body, document)}
${answer === undefined ? `<p>Answers ${text(String(status ?? ""))}.</p>` : part(`Answer ${status}`, answer, document)}
<p class="problems">Problems: ${problems.map(text).join(", ")}</p></article>`;
}

function needOf(operation: Operation): string {
  const need = operation["x-permission"] ?? "public";
  if (need === "public") return "Open to everybody";
  const more = [operation["x-session"] ? "signed in" : "", operation["x-step-up"] ? "confirmed lately" : ""];
  return [`Needs <code>${text(need)}</code>`, ...more.filter((one) => one !== "")].join(", ");
}

/** Fields, and what it looks like. */
function part(title: string, schema: Schema, document: ApiDocument): string {
  const example = JSON.stringify(exampleOf(schema, document), null, 2);
  return `<details><summary>${text(title)}: ${text(typeOf(schema, document))}</summary>${fieldsOf(schema, document)}<pre tabindex="0">${text(example)}</pre></details>`;
}

function fieldsOf(schema: Schema, document: ApiDocument): string {
  const { properties = {}, required = [] } = resolved(schema, document) as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  const rows = Object.entries(properties).map(([name, field]) => [
    name,
    required.includes(name) ? "" : "optional",
    typeOf(field, document),
    String(resolved(field, document)["description"] ?? ""),
  ]);
  return rows.length === 0 ? "" : table("", rows);
}

function resolved(schema: Schema, document: ApiDocument): Schema {
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  return document.components?.schemas?.[ref.slice(ref.lastIndexOf("/") + 1)] ?? {};
}

function table(title: string, rows: readonly (readonly string[])[]): string {
  const body = rows
    .map(
      ([name = "", where = "", type = "", description = ""]) =>
        `<tr><th scope="row"><code>${text(name)}</code></th><td>${text(where)}</td><td>${text(type)}</td><td>${inline(description)}</td></tr>`,
    )
    .join("");
  return `<div class="scroll" tabindex="0"><table>${title === "" ? "" : `<caption>${text(title)}</caption>`}<tbody>${body}</tbody></table></div>`;
}

function paragraphs(words: string): string {
  return words
    .split("\n\n")
    .map((one) => `<p>${inline(one)}</p>`)
    .join("");
}

function inline(words: string): string {
  return text(words).replace(/`([^`]+)`/g, "<code>$1</code>");
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function text(words: string): string {
  return words.replace(/[&<>"']/g, (one) => ESCAPES[one] ?? one);
}
