import { expect, test } from "bun:test";
import fc from "fast-check";
import { readForm } from "./multipart.ts";

const TYPE = "multipart/form-data; boundary=xyz";

function part(head: string, body: string): string {
  return `--xyz\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`;
}

const read = (...parts: string[]) => readForm(Buffer.from(`${parts.join("")}--xyz--\r\n`), TYPE);
const field = (...parts: string[]) =>
  read(...parts)
    ?.values.get("model")
    ?.join(" ") ?? null;

test("a field is found before, behind and between files", () => {
  const file = part('name="file"; filename="a.wav"', "RIFF\0\xff");
  const model = part('name="model"', "whisper-1");
  for (const parts of [[model], [file, model], [model, file], [file, model, file]])
    expect(field(...parts)).toBe("whisper-1");
});

test("a field is found in every spelling of its head", () => {
  expect(field(part("name=model", "m"))).toBe("m");
  expect(field(part('NAME="model"', "m"))).toBe("m");
  expect(
    field('--xyz\r\nContent-Type: text/plain\r\ncontent-disposition: form-data;name="model"\r\n\r\nm\r\n'),
  ).toBe("m");
});

test("a boundary may stand in quotation marks", () => {
  const body = Buffer.from(`${part('name="model"', "m")}--xyz--\r\n`);
  const form = readForm(body, 'multipart/form-data; charset=utf-8; boundary="xyz"');
  expect(form?.values.get("model")).toEqual(["m"]);
  expect(form?.isUnclear).toBe(false);
});

test("another field, a file's name and a text in a file are not it", () => {
  expect(field(part('name="models"', "m"))).toBeNull();
  expect(field(part('name="file"; filename="model"', "m"))).toBeNull();
  expect(field(part('name="file"; filename="x; name=model"', "m"))).toBeNull();
  expect(field(part('name="prompt"', 'Content-Disposition: form-data; name="model"\n\nm'))).toBeNull();
});

test("a field that is given twice has both values", () => {
  expect(field(part('name="model"', "a"), part('name="model"', "b"))).toBe("a b");
});

test("a field is found where lines end in a line feed, and where its head is folded", () => {
  expect(field('--xyz\nContent-Disposition: form-data; name="model"\n\nm\n')).toBe("m");
  expect(field('--xyz\r\nContent-Disposition: form-data;\r\n name="model"\r\n\r\nm\r\n')).toBe("m");
});

test("files are counted", () => {
  expect(read(part('name="image"; filename="a.png"', "x"), part('name="model"', "m"))?.files).toBe(1);
});

test("what two readers could read differently is unclear", () => {
  expect(read(part('name="model"; name="n"', "m"))?.isUnclear).toBe(true);
  expect(read(part("name*=utf-8''model", "m"))?.isUnclear).toBe(true);
  expect(read(part('name="model"', "m"))?.isUnclear).toBe(false);
  expect(readForm(Buffer.from("--a--"), "multipart/form-data; boundary=a; boundary=b")?.isUnclear).toBe(true);
});

test("what has no boundary is no form", () => {
  for (const type of ["multipart/form-data", "application/json", "multipart/form-data; boundary="]) {
    expect(readForm(Buffer.from(part('name="model"', "m")), type)).toBeNull();
  }
});

test("whatever the bytes, it ends and throws nothing", () => {
  const pieces = fc.constantFrom(
    "--xyz",
    "--xyz--",
    "\r\n",
    "\r\n\r\n",
    "Content-Disposition: form-data; name=model",
    "--",
    "x",
    "\0",
  );
  fc.assert(
    fc.property(fc.array(pieces), (list) => {
      const form = readForm(Buffer.from(list.join("")), TYPE);
      for (const values of form?.values.values() ?? []) expect(values.length).toBeGreaterThan(0);
    }),
    { numRuns: 2000 },
  );
});
