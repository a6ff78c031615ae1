/** A text that is no YAML, or says something twice. */
export class BadYaml extends Error {
  override name = "BadYaml";
}

const MAX_LENGTH = 4 * 1024 * 1024;

/**
 * The value of a YAML or JSON text.
 * @throws BadYaml also where a mapping has a key twice: the platform's parser would silently take the last one.
 */
export function parseYaml(text: string): unknown {
  if (text.length > MAX_LENGTH) throw new BadYaml(`it is longer than ${MAX_LENGTH / 1024 / 1024} MiB`);
  const twice = duplicateKey(text);
  if (twice !== undefined) throw new BadYaml(`line ${twice.line} has the key "${twice.key}" a second time`);
  try {
    const value = Bun.YAML.parse(text);
    // Aliases may lead back into what they stand in.
    JSON.stringify(value);
    return value;
  } catch (error) {
    throw new BadYaml(error instanceof Error ? error.message.slice(0, 200) : "it cannot be read");
  }
}

interface Duplicate {
  readonly key: string;
  readonly line: number;
}

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"[\]{},&*!|>%@`][^#]*?)\s*:(?=\s|$)/;

/**
 * The first key that stands twice in one mapping, by lines and their indentation, and within braces by their commas.
 * What it does not understand it lets pass: the parser complains of what is no YAML.
 */
export function duplicateKey(text: string): Duplicate | undefined {
  const lines = text.split(/\r?\n/);
  let open: { indent: number; keys: Set<string> }[] = [];
  let scalarBelow = -1;
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n] ?? "";
    let indent = line.length - line.trimStart().length;
    let rest = line.trimStart();
    if (rest === "" || rest.startsWith("#")) continue;
    if (scalarBelow !== -1 && indent > scalarBelow) continue;
    scalarBelow = -1;
    if (/^(?:---|\.\.\.)(?:\s|$)/.test(line)) {
      open = [];
      continue;
    }
    while (/^- /.test(rest) || rest === "-") {
      // Each item of a list is a mapping of its own.
      const dash = indent;
      open = open.filter((mapping) => mapping.indent <= dash);
      const inner = rest.slice(1);
      indent += 1 + inner.length - inner.trimStart().length;
      rest = inner.trimStart();
    }
    const match = KEY.exec(rest);
    let value = rest;
    if (match !== null) {
      const key = unquoted(match[1] ?? "");
      open = open.filter((mapping) => mapping.indent <= indent);
      let mapping = open.at(-1);
      if (mapping?.indent !== indent) {
        mapping = { indent, keys: new Set() };
        open.push(mapping);
      }
      if (mapping.keys.has(key)) return { key, line: n + 1 };
      mapping.keys.add(key);
      value = rest.slice(match[0].length).trimStart();
      if (/^[|>]/.test(value)) scalarBelow = indent;
    }
    if (/^[{[]/.test(value)) {
      const flow = lines.slice(n);
      flow[0] = value;
      const { duplicate, lines: read } = scanFlow(flow.join("\n"));
      if (duplicate !== undefined) return { key: duplicate.key, line: n + duplicate.line };
      n += read - 1;
    }
  }
  return undefined;
}

const FLOW = /"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|#[^\n]*|[{}[\],:\n]|[^\s{}[\],:#"'][^\n{}[\],:]*/g;

/** From an opening brace or bracket to the one that closes it. */
function scanFlow(text: string): { duplicate?: Duplicate; lines: number } {
  const open: (Set<string> | null)[] = [];
  let line = 1;
  let last: string | undefined;
  for (const [token] of text.matchAll(FLOW)) {
    if (token === "\n") line++;
    else if (token === "{" || token === "[") {
      open.push(token === "{" ? new Set() : null);
      last = undefined;
    } else if (token === "}" || token === "]") {
      open.pop();
      last = undefined;
      if (open.length === 0) return { lines: line };
    } else if (token === ",") last = undefined;
    else if (token === ":") {
      const keys = open.at(-1);
      if (keys && last !== undefined) {
        if (keys.has(last)) return { duplicate: { key: last, line }, lines: line };
        keys.add(last);
      }
      last = undefined;
    } else if (!token.startsWith("#")) {
      last = unquoted(token.trimEnd());
      line += token.split("\n").length - 1;
    }
  }
  return { lines: line };
}

function unquoted(text: string): string {
  if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}
