import type { Route } from "./route.ts";
import type { Scanned } from "./scan.ts";
import type { Edit } from "./splice.ts";

const ASKED = '"stream_options":{"include_usage":true},';

const decoder = new TextDecoder();

/** True where a stream tells what it used only to those who ask, and the provider takes the question. */
export function mayAskForUsage({ meter, upstream }: Route): boolean {
  return meter?.askable === true && upstream.provider.streamUsage === "ask";
}

/**
 * What puts `stream_options.include_usage` into the body.
 * @returns null where it stays as it is: no stream, asked for already, or nothing that we could add to.
 */
export function askForUsage(bytes: Uint8Array, scanned: Scanned): Edit | null {
  if (!scanned.stream) return null;
  const { streamOptions, inside } = scanned;
  if (streamOptions === null) return { start: inside, end: inside, text: ASKED };
  const [start, end] = streamOptions;
  const options = parsed(decoder.decode(bytes.subarray(start, end)));
  if (typeof options !== "object" || Array.isArray(options)) return null;
  if ((options as { include_usage?: unknown } | null)?.include_usage === true) return null;
  return { start, end, text: JSON.stringify({ ...options, include_usage: true }) };
}

/** Undefined for what is no JSON: the provider complains of it. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
