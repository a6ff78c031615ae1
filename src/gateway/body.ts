import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { bodilessDemand, type Demand, type DemandKind } from "../domain/demand.ts";
import { Refusal } from "../domain/refusal.ts";
import type { DemandFormat } from "../providers/formats/demand.ts";
import { type Form, readForm } from "../providers/formats/multipart.ts";
import { askForUsage, mayAskForUsage } from "./ask-usage.ts";
import { demandFormat } from "./demand-format.ts";
import type { Exchange } from "./exchange.ts";
import { demandOfForm, isUrlEncoded, readUrlEncoded } from "./form-demand.ts";
import { namedModel } from "./named-model.ts";
import { outputCapEdits } from "./output-cap.ts";
import type { Route } from "./route.ts";
import { type Scanned, scanObject, UnclearJson } from "./scan.ts";
import { type Edit, spliced } from "./splice.ts";
import { UsageEventFilter } from "./usage-event.ts";

/** Slower than this, a body that must be read whole is not waited for. */
export const RECEIVE_BYTES_PER_MS = 64;

/** A request's body as it will be sent. */
export type Body = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null;

/** Bodies that must be read before they are sent, because something in them is decided on, end here. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/** A body that was taken in. */
export interface Taken {
  readonly body: Body;
  /** What bounds the cost of the call. */
  readonly demand: Demand;
  /** Where to write into the body; null where that cannot be: it is compressed, passes as it comes, or is no JSON. */
  readonly scanned: Scanned | null;
  /** What was read whole, decoded: JSON, or a form. */
  readonly read?: { readonly bytes: Uint8Array; readonly form: Form | null } | undefined;
}

/**
 * Takes the body in: what may name a model is read whole and scanned, all else becomes a stream.
 * Sets `model` and, in the end, `bytesIn` of the exchange.
 * @returns a promise where there is something to read.
 * @throws Refusal `too_large` or `bad_request`.
 */
export function takeBody(request: Request, route: Route, exchange: Exchange): Taken | Promise<Taken> {
  const format = demandFormat(route, request.method);
  exchange.model = namedModel(route, null);
  // Asking for `request.body` would make a stream of it.
  if (!hasBody(request.headers)) {
    return { body: null, demand: bodilessDemand(format.bounds), scanned: null };
  }
  const type = request.headers.get("content-type") ?? "";
  const isForm = type !== JSON_TYPE && /^multipart\//i.test(type);
  const { modelForms, fileBodies } = route.upstream.provider;
  const isFile = fileBodies?.test(route.endpoint) === true;
  const mayBeForm =
    isForm &&
    (modelForms.some((pattern) => pattern.test(route.endpoint)) || route.owned?.uses?.forms === true);
  const isReadWhole = READ_WHOLE.has(format.bounds.kind);
  if (isForm && !mayBeForm && !isFile && isReadWhole) {
    throw new Refusal(
      "bad_request",
      "This endpoint takes JSON: as a form, what the request asks for cannot be told for certain.",
    );
  }
  const mustRead =
    !isFile &&
    (isForm ? mayBeForm : isReadWhole || NAMING_TYPE.test(type) || route.owned?.uses !== undefined);
  if (!mustRead) {
    const length = Number(request.headers.get("content-length") ?? Number.POSITIVE_INFINITY);
    const body = request.body === null ? null : counted(request.body, exchange);
    return { body, demand: bodilessDemand(format.bounds, length), scanned: null };
  }
  return takeWhole(request, route, exchange, format, type, isForm);
}

async function takeWhole(
  request: Request,
  route: Route,
  exchange: Exchange,
  format: DemandFormat,
  type: string,
  isForm: boolean,
): Promise<Taken> {
  const bytes = await readWhole(request, exchange);
  exchange.bytesIn = bytes.length;
  const encoding = request.headers.get("content-encoding");
  const plain = encoding === null || encoding === "identity" ? bytes : await decoded(bytes, encoding);
  if (isForm || (type !== JSON_TYPE && isUrlEncoded(type, plain))) {
    const form = isForm ? readForm(plain, type) : readUrlEncoded(plain);
    const { model, demand } = demandOfForm(form, format, plain.length);
    exchange.model = namedModel(route, model);
    return { body: bytes, demand, scanned: null, read: { bytes: plain, form } };
  }
  // Read for certain even where the path has named one already.
  const mayBeFile = type === "" && route.upstream.provider.rawBodies?.test(route.endpoint) === true;
  const scanned = scan(plain, format, mayBeFile);
  exchange.model = namedModel(route, scanned?.model ?? null);
  const demand = scanned ?? bodilessDemand(format.bounds, plain.length);
  addTierOfHeaders(scanned, request.headers, route);
  const read = { bytes: plain, form: null };
  return { body: bytes, demand, scanned: plain === bytes ? scanned : null, read };
}

/** Kinds of calls whose bodies are JSON, whatever a client calls them. */
const READ_WHOLE: ReadonlySet<DemandKind> = new Set([
  "tokens",
  "embedding",
  "rerank",
  "classification",
  "pages",
  "predict",
  "images",
  "speech",
  "searches",
]);

function addTierOfHeaders(scanned: Scanned | null, headers: Headers, { upstream }: Route): void {
  if (scanned === null) return;
  for (const name of upstream.provider.tierHeaders ?? []) scanned.serviceTier ??= headers.get(name);
}

/**
 * The body as it is sent: with the question for its usage where a stream would tell only those who ask, and with a cap
 * on the output where it is to fit into a budget. All other bytes are the client's.
 * @param cap Tokens of one answer; null for none.
 */
export function bodyToSend(
  { body, scanned, route }: Taken & { readonly route: Route },
  exchange: Exchange,
  cap: number | null = null,
): Body {
  if (scanned === null || !(body instanceof Uint8Array)) return body;
  const edits: Edit[] = [];
  const question = mayAskForUsage(route) ? askForUsage(body, scanned) : null;
  if (question !== null) {
    exchange.usageFilter = new UsageEventFilter();
    edits.push(question);
  }
  const rule = demandFormat(route, exchange.method).cap;
  if (cap !== null && rule !== undefined) edits.push(...outputCapEdits(body, scanned, rule, cap));
  return edits.length === 0 ? body : spliced(body, edits);
}

/** True for a request that has a body, be it empty in the end. */
export function hasBody(headers: Headers): boolean {
  const length = headers.get("content-length");
  return length === null ? headers.has("transfer-encoding") : length !== "0";
}

/** What nearly all calls say of their bodies. */
const JSON_TYPE = "application/json";

/** Types that may name a model: JSON, and what clients send JSON as that set no type of their own. */
const NAMING_TYPE = /^(?:$|text\/(?:plain|json)|application\/(?:json|x-www-form-urlencoded|[\w.+-]+\+json))/i;

/** @param mayBeFile What is no clear JSON is none at all then. */
function scan(bytes: Uint8Array, format: DemandFormat, mayBeFile: boolean): Scanned | null {
  try {
    return scanObject(bytes, format);
  } catch (error) {
    if (!(error instanceof UnclearJson)) throw error;
    if (mayBeFile) return null;
    throw new Refusal("bad_request", `The request's JSON cannot be read for certain: ${error.message}.`);
  }
}

function readWhole(request: Request, exchange: Exchange): Promise<Uint8Array<ArrayBuffer>> {
  const length = request.headers.get("content-length");
  if (length === null) return readPieces(request.body as ReadableStream<Uint8Array>, exchange);
  if (Number(length) > MAX_BUFFERED_BYTES) throw tooLarge();
  return untilCut(request.bytes() as Promise<Uint8Array<ArrayBuffer>>, exchange);
}

async function readPieces(
  body: ReadableStream<Uint8Array>,
  exchange: Exchange,
): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await untilCut(reader.read(), exchange);
    if (done) return Buffer.concat(pieces, size) as Uint8Array<ArrayBuffer>;
    size += value.length;
    if (size > MAX_BUFFERED_BYTES) throw tooLarge();
    // Without a length there was none to reckon with before.
    exchange.patienceMs += value.length / RECEIVE_BYTES_PER_MS;
    pieces.push(value);
  }
}

/** Settles as the promise does, or rejects with the reason for which the exchange was cut meanwhile. */
function untilCut<T>(promise: Promise<T>, exchange: Exchange): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    exchange.onCut = reject;
    promise.then(resolve, reject);
  });
}

function counted(body: ReadableStream<Uint8Array>, exchange: Exchange): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        exchange.bytesIn += value.length;
        exchange.onPiece?.(value);
        // The wait for an answer begins with the last piece.
        exchange.since = performance.now();
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

const DECODERS: Record<
  string,
  (bytes: Uint8Array, options: { maxOutputLength: number }) => Promise<Uint8Array>
> = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

/** A decoded copy to read; what is sent stays compressed as it came. */
async function decoded(bytes: Uint8Array, encoding: string): Promise<Uint8Array> {
  const decode = DECODERS[encoding.trim().toLowerCase()];
  if (decode === undefined) {
    throw new Refusal(
      "bad_request",
      `The body's content-encoding "${encoding.slice(0, 40)}" is not one that can be read.`,
    );
  }
  try {
    return await decode(bytes, { maxOutputLength: MAX_BUFFERED_BYTES });
  } catch (cause) {
    if ((cause as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new Refusal("bad_request", "The body is not what its content-encoding says.", { cause });
  }
}

function tooLarge(): Refusal {
  return new Refusal(
    "too_large",
    `The body is larger than ${MAX_BUFFERED_BYTES / 1024 / 1024} MiB; send large files through the provider's file endpoints.`,
  );
}
