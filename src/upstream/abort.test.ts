import { expect, test } from "bun:test";
import { Abort } from "./abort.ts";

test("it ends once, with the first reason, and tells whoever listens", () => {
  const abort = new Abort();
  const told: unknown[] = [];
  abort.onAbort = (reason) => told.push(reason);
  expect([abort.aborted, abort.reason]).toEqual([false, undefined]);
  abort.throwIfAborted();
  abort.abort("first");
  abort.abort("second");
  expect([abort.aborted, abort.reason, told]).toEqual([true, "first", ["first"]]);
  expect(() => abort.throwIfAborted()).toThrow("first");
});

test("without a reason it has the platform's", () => {
  const abort = new Abort();
  abort.abort();
  expect((abort.reason as DOMException).name).toBe("AbortError");
});

test("its signal is one and the same, and aborted before and after", () => {
  const early = new Abort();
  const { signal } = early;
  expect([signal.aborted, early.signal === signal]).toEqual([false, true]);
  early.abort("why");
  expect([signal.aborted, signal.reason]).toEqual([true, "why"]);

  const late = new Abort();
  late.abort("why");
  expect([late.signal.aborted, late.signal.reason]).toEqual([true, "why"]);
});
