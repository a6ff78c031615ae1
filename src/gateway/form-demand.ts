import { bodilessDemand, type Demand } from "../domain/demand.ts";
import { Refusal } from "../domain/refusal.ts";
import type { DemandFormat, Fact } from "../providers/formats/demand.ts";
import type { Form } from "../providers/formats/multipart.ts";
import { ambiguous } from "./named-model.ts";

/** Whether this is a form in the shape of a query; some clients call their JSON that. */
export function isUrlEncoded(type: string, bytes: Uint8Array): boolean {
  return /^application\/x-www-form-urlencoded/i.test(type) && !/^[\s\ufeff]*\{/.test(beginning(bytes));
}

export function readUrlEncoded(bytes: Uint8Array): Form {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(new TextDecoder().decode(bytes))) {
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return { values, files: 0, isUnclear: false };
}

/**
 * What a form names and can cost.
 * @throws Refusal `bad_request` where a field that decides is given twice with different values, or where two readers
 *   could read the form differently.
 */
export function demandOfForm(
  form: Form | null,
  format: DemandFormat,
  bytes: number,
): { model: string | null; demand: Demand } {
  if (form?.isUnclear === true) {
    throw new Refusal(
      "bad_request",
      "The request's form cannot be read for certain: two readers could differ.",
    );
  }
  const said = (fact: Fact): string[] =>
    Object.entries(format.members)
      .filter(([, value]) => (typeof value === "string" ? value : value.is) === fact)
      .flatMap(([name]) => form?.values.get(name) ?? []);
  const models = new Set(said("model"));
  if (models.size > 1) throw ambiguous("its form names several");
  const [model = null] = models;
  const answers = said("answers").map(Number);
  const demand: Demand = {
    ...bodilessDemand(format.bounds, bytes),
    answers: Math.max(1, ...answers.map((count) => (Number.isFinite(count) ? Math.ceil(count) : 1))),
    stream: said("stream").includes("true"),
    images: form?.files ?? 0,
    files: said("file").filter((value) => value !== "").length,
  };
  return { model, demand };
}

function beginning(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 64)).toString("utf8");
}
