import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { type Entry, type Setting, UnclearFile, type Value } from "./setting.ts";

/** @throws UnclearFile */
export function setYaml(text: string, settings: readonly Setting[]): string {
  const document = parseDocument(text, { keepSourceTokens: true });
  const [first] = document.errors;
  if (first !== undefined) throw new UnclearFile(`it is no valid YAML: ${first.message.split("\n")[0]}`);
  if (document.contents !== null && !isMap(document.contents))
    throw new UnclearFile("its content is no mapping");
  const before = JSON.stringify(document.toJS());
  for (const setting of settings) set(document, setting);
  // Written again only where something is to be changed: the library keeps comments and order, not every blank.
  if (JSON.stringify(document.toJS()) === before) return text;
  return document.toString({ lineWidth: 0 });
}

function set(document: Document, { path, value, entry, unlessSet }: Setting): void {
  if (entry === undefined) {
    if (unlessSet && document.hasIn(path)) return;
    // Setting the same again would take a comment with it.
    const there = document.getIn(path, true);
    if (isScalar(there) && typeof value !== "object") there.value = value;
    else document.setIn(path, document.createNode(value));
    return;
  }
  const list = document.getIn(path, true);
  if (list === undefined || (isScalar(list) && list.value === null))
    document.setIn(path, document.createNode([value]));
  else if (isSeq(list)) setEntry(document, list, value, entry);
  else if (isScalar(list) && "prefix" in entry)
    document.setIn(path, document.createNode([list.value, value]));
  else throw new UnclearFile(`its ${path.join(".")} is no list`);
}

function setEntry(document: Document, list: YAMLSeq, value: Value, entry: Entry): void {
  for (const item of list.items) {
    if ("prefix" in entry) {
      if (!isScalar(item) || !String(item.value).startsWith(entry.prefix)) continue;
      item.value = value;
      return;
    }
    const own = value as Readonly<Record<string, unknown>>;
    if (!isMap(item) || item.get(entry.field) !== own[entry.field]) continue;
    for (const [name, one] of Object.entries(own)) {
      if (item.has(name) && entry.keep?.includes(name)) continue;
      const there = item.get(name, true);
      if (isScalar(there) && typeof one !== "object") there.value = one;
      else item.set(name, document.createNode(one));
    }
    return;
  }
  list.add(document.createNode(value));
}
