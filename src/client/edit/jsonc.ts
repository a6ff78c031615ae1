import {
  applyEdits,
  type FormattingOptions,
  findNodeAtLocation,
  modify,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from "jsonc-parser";
import { type Setting, UnclearFile } from "./setting.ts";

/** JSON, with or without comments and trailing commas. @throws UnclearFile */
export function setJsonc(text: string, settings: readonly Setting[]): string {
  let edited = text.trim() === "" ? "{}\n" : text;
  const formattingOptions = formatOf(edited);
  // New members go in front of the others, the last one first: behind the last member, its comment would move along.
  for (const { path, value, unlessSet } of [...settings].reverse()) {
    const root = parsed(edited);
    if (unlessSet && findNodeAtLocation(root, [...path]) !== undefined) continue;
    for (let depth = 0; depth < path.length; depth++) {
      const node = findNodeAtLocation(root, path.slice(0, depth));
      if (node !== undefined && node.type !== "object")
        throw new UnclearFile(`its ${path.slice(0, depth).join(".") || "content"} is no object`);
    }
    edited = applyEdits(
      edited,
      modify(edited, [...path], value, { formattingOptions, getInsertionIndex: () => 0 }),
    );
  }
  parsed(edited);
  return edited;
}

function parsed(text: string) {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined || root === undefined) {
    const line = text.slice(0, first?.offset ?? 0).split("\n").length;
    throw new UnclearFile(
      `it is no valid JSON: ${first ? printParseErrorCode(first.error) : "empty"} in line ${line}`,
    );
  }
  return root;
}

/** The indentation that the file has. */
function formatOf(text: string): FormattingOptions {
  const indent = /^([ \t]+)\S/m.exec(text)?.[1] ?? "  ";
  return {
    insertSpaces: !indent.startsWith("\t"),
    tabSize: indent.startsWith("\t") ? 1 : indent.length,
    eol: "\n",
  };
}
