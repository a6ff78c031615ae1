/** The text fields of a form; its files are counted, and not touched. */
export interface Form {
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly files: number;
  /** Two readers could find different fields in it. */
  readonly isUnclear: boolean;
}

/** Longer values are no text that anything is decided on. */
const MAX_VALUE_BYTES = 4096;

/** @returns null where the content type has no boundary, so that nobody can read it. */
export function readForm(body: Uint8Array, contentType: string): Form | null {
  const [boundary, ...others] = contentType.matchAll(BOUNDARY);
  const marker = boundary?.[1] ?? boundary?.[2];
  if (marker === undefined) return null;
  // A view, not a copy: forms carry files of many megabytes.
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const delimiter = Buffer.from(`--${marker}`);
  const values = new Map<string, string[]>();
  let files = 0;
  let isUnclear = others.length > 0;
  for (let at = bytes.indexOf(delimiter); at !== -1; ) {
    const headStart = at + delimiter.length;
    const next = bytes.indexOf(delimiter, headStart);
    if (next === -1) break;
    const [headEnd, bodyStart] = endOfHead(bytes, headStart, next);
    at = next;
    if (headEnd === -1) continue;
    const field = fieldOf(bytes.toString("latin1", headStart, headEnd));
    if (field === null) continue;
    if (field.isUnclear) isUnclear = true;
    if (field.isFile) files++;
    else if (next - bodyStart <= MAX_VALUE_BYTES) {
      const end = bytes[next - 2] === CARRIAGE_RETURN ? next - 2 : next - 1;
      const known = values.get(field.name) ?? [];
      known.push(bytes.toString("utf8", bodyStart, end));
      values.set(field.name, known);
    }
  }
  return { values, files, isUnclear };
}

const BOUNDARY = /;\s*boundary=(?:"([^"]{1,200})"|([^;\s]{1,200}))/gi;
const CARRIAGE_RETURN = 0x0d;

/** Some readers take a line feed alone for the end of a line. */
function endOfHead(bytes: Buffer, start: number, next: number): readonly [end: number, body: number] {
  const strict = bytes.indexOf("\r\n\r\n", start);
  const lax = bytes.indexOf("\n\n", start);
  const isLax = lax !== -1 && lax < next && (strict === -1 || lax < strict);
  if (isLax) return [lax, lax + 2];
  return strict === -1 || strict >= next ? [-1, -1] : [strict, strict + 4];
}

interface Field {
  readonly name: string;
  readonly isFile: boolean;
  /** Named twice, or in the extended notation that not everybody reads. */
  readonly isUnclear: boolean;
}

function fieldOf(head: string): Field | null {
  const lines = head.replace(/\r?\n[ \t]+/g, " ").matchAll(/^content-disposition:\s*form-data(;.*)$/gim);
  const names: string[] = [];
  let isFile = false;
  let isExtended = false;
  for (const [, disposition = ""] of lines) {
    for (const [, parameter = "", quoted, plain] of disposition.matchAll(PARAMETER)) {
      const key = parameter.toLowerCase();
      if (key === "name") names.push(quoted ?? plain ?? "");
      else if (key.startsWith("name*")) isExtended = true;
      else if (key.startsWith("filename")) isFile = true;
    }
  }
  const [name] = names;
  if (name === undefined) return isExtended ? { name: "", isFile, isUnclear: true } : null;
  return { name, isFile, isUnclear: isExtended || names.length > 1 };
}

const PARAMETER = /;\s*([^=;\s]+)=(?:"((?:\\.|[^"\\])*)"|([^;\s]*))/g;
