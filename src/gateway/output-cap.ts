import type { Call } from "./authorise.ts";

export function cappable(_: Call): boolean {
  return false;
}

export function withOutputCap(call: Call, _: number): Call {
  return call;
}
