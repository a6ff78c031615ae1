import { describe, expect, test } from "bun:test";
import { MalformedAnswer } from "./failure.ts";
import { type Framing, parseHead } from "./head.ts";

function head(lines: readonly string[], method = "GET") {
  return parseHead(lines.join("\r\n"), method);
}

function framing(lines: readonly string[], method?: string): Framing {
  return head(["HTTP/1.1 200 OK", ...lines], method).framing;
}

function refused(text: string, method = "GET"): string {
  try {
    parseHead(text, method);
  } catch (error) {
    if (error instanceof MalformedAnswer) return error.message;
    throw error;
  }
  return "";
}

test("status, headers and their values are read as they stand", () => {
  const { status, headers, framing, keepsAlive, idleSeconds } = head([
    "HTTP/1.1 201 Created",
    "Content-Type: application/json",
    "X-Spaces: \t a  b \t",
    "X-Empty:",
    "X-Latin: caf\u00e9 \u0080\u00ff",
    "X-Colons: a:b: c",
    "Set-Cookie: a=1",
    "Set-Cookie: b=2",
    "X-Twice: 1",
    "x-twice: 2",
    "Content-Length: 12",
  ]);
  expect([status, keepsAlive, idleSeconds]).toEqual([201, true, undefined]);
  expect(framing).toEqual({ kind: "length", bytes: 12 });
  const read: unknown = headers.toJSON();
  expect(read).toEqual({
    "content-type": "application/json",
    "x-spaces": "a  b",
    "x-empty": "",
    "x-latin": "caf\u00e9 \u0080\u00ff",
    "x-colons": "a:b: c",
    "set-cookie": ["a=1", "b=2"],
    "x-twice": "1, 2",
    "content-length": "12",
  });
});

test("a value may hold any byte but those that end lines or texts for some reader", () => {
  for (let code = 0; code < 256; code++) {
    const text = `HTTP/1.1 200 OK\r\nX-A: a${String.fromCharCode(code)}b`;
    expect(refused(text) === "").toBe(![0x00, 0x0a, 0x0d].includes(code));
  }
});

describe("the first line", () => {
  test.each([
    "HTTP/1.1 200 OK",
    "HTTP/1.1 200 ",
    "HTTP/1.1 200",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 599 \u00fcber",
    "HTTP/1.1 999 ?",
  ])("%s is one", (line) => {
    expect(refused(line)).toBe("");
  });

  test.each([
    "",
    " HTTP/1.1 200 OK",
    "HTTP/1.1  200 OK",
    "HTTP/1.1\t200 OK",
    "HTTP/1.1 200\tOK",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 -20 OK",
    "HTTP/1.1 2e2 OK",
    "HTTP/1.2 200 OK",
    "HTTP/2 200",
    "HTTP/2.0 200 OK",
    "http/1.1 200 OK",
    "HTTPS/1.1 200 OK",
    "ICY 200 OK",
    "GET / HTTP/1.1",
  ])("%j is none", (line) => {
    expect(refused(line)).toContain("first line");
    expect(refused(`${line}\r\nContent-Length: 1`)).toContain("first line");
  });

  test.each([
    "HTTP/1.1 200 O\0K",
    "HTTP/1.1 200 O\nK",
    "HTTP/1.1 200 O\rK",
    "HTTP/1.1 200 OK\r",
    "\nHTTP/1.1 200 OK",
  ])("%j could end for some reader where it does not for another", (line) => {
    expect(refused(line)).toContain("control characters");
  });
});

describe("a header's line", () => {
  test.each([
    "no colon",
    ": no name",
    "Space : before the colon",
    "Tab\t: before the colon",
    "In side: a space",
    "X-\u00fc: no token",
    "X-(a): no token",
    "X-A: 1\r\n folded",
    "X-A: 1\r\n\tfolded: too",
    "X-A: 1\nX-B: 2",
    "X-A: 1\n\nX-B: 2",
    "X-A: 1\rX-B: 2",
    "X-A: \0",
    "X\0: 1",
    "X\n: 1",
    "",
    "\r\nX-A: 1",
    "no colon\r\nX-A: 1",
  ])("%j is none", (lines) => {
    expect(refused(`HTTP/1.1 200 OK\r\n${lines}\r\nX-Z: 1`)).not.toBe("");
  });

  test("there are as many as any answer has, and not without end", () => {
    const many = (count: number) =>
      ["HTTP/1.1 200 OK", ...Array.from({ length: count }, (_, at) => `x-${at}: 1`)].join("\r\n");
    expect([...parseHead(many(512), "GET").headers]).toHaveLength(512);
    expect(refused(many(513))).toContain("too many");
  });
});

describe("a body ends", () => {
  test("with its length", () => {
    expect(framing(["Content-Length: 5"])).toEqual({ kind: "length", bytes: 5 });
    expect(framing(["CONTENT-LENGTH: 005"])).toEqual({ kind: "length", bytes: 5 });
    expect(framing(["content-length: 0"])).toEqual({ kind: "none" });
  });

  test("with its length, where several say the same, and then it is passed on once", () => {
    for (const lines of [
      ["Content-Length: 5", "Content-Length: 5"],
      ["Content-Length: 5, 5"],
      ["Content-Length: 5,5", "Content-Length: 5"],
    ]) {
      const { framing, headers } = head(["HTTP/1.1 200 OK", ...lines]);
      expect([framing, headers.get("content-length")]).toEqual([{ kind: "length", bytes: 5 }, "5"]);
    }
  });

  test.each([
    [["Content-Length: 5", "Content-Length: 6"]],
    [["Content-Length: 5, 6"]],
    [["Content-Length: 5,"]],
    [["Content-Length: ,5"]],
    [["Content-Length:"]],
    [["Content-Length: +5"]],
    [["Content-Length: -5"]],
    [["Content-Length: 5.0"]],
    [["Content-Length: 0x5"]],
    [["Content-Length: 5e1"]],
    [["Content-Length: 5 6"]],
    [["Content-Length: \u0665"]],
    [["Content-Length: 9999999999999999"]],
  ])("at no length: %j", (lines) => {
    expect(refused(["HTTP/1.1 200 OK", ...lines].join("\r\n"))).toContain("length");
  });

  test("with its last chunk", () => {
    expect(framing(["Transfer-Encoding: chunked"])).toEqual({ kind: "chunked" });
    expect(framing(["transfer-encoding: Chunked"])).toEqual({ kind: "chunked" });
  });

  test.each([
    [["Transfer-Encoding: gzip"]],
    [["Transfer-Encoding: identity"]],
    [["Transfer-Encoding: gzip, chunked"]],
    [["Transfer-Encoding: chunked, chunked"]],
    [["Transfer-Encoding: chunked;q=1"]],
    [["Transfer-Encoding: \u000bchunked"]],
    [["Transfer-Encoding: xchunked"]],
    [["Transfer-Encoding:"]],
    [["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"]],
    [["Transfer-Encoding: chunked", "Transfer-Encoding: identity"]],
  ])("in no other encoding: %j", (lines) => {
    expect(refused(["HTTP/1.1 200 OK", ...lines].join("\r\n"))).toContain("transfer-encoding");
  });

  test("with its last chunk where it has a length, too, and then nothing else comes on the connection", () => {
    for (const lines of [
      ["Content-Length: 5", "Transfer-Encoding: chunked"],
      ["Transfer-Encoding: chunked", "Content-Length: 5"],
    ]) {
      const answer = head(["HTTP/1.1 200 OK", ...lines]);
      expect([answer.framing, answer.keepsAlive]).toEqual([{ kind: "chunked" }, false]);
      expect(answer.headers.has("content-length")).toBe(false);
    }
  });

  test("with the connection where nothing else is said", () => {
    const answer = head(["HTTP/1.1 200 OK", "X-A: 1"]);
    expect([answer.framing, answer.keepsAlive]).toEqual([{ kind: "close" }, false]);
    expect(framing([], "POST")).toEqual({ kind: "close" });
  });

  test("with the head, where there can be none; one that is announced may come, and nothing is read behind it", () => {
    const kinds: [line: string, method: string][] = [
      ["HTTP/1.1 100 Continue", "GET"],
      ["HTTP/1.1 204 No Content", "GET"],
      ["HTTP/1.1 304 Not Modified", "GET"],
      ["HTTP/1.1 200 OK", "HEAD"],
    ];
    for (const [line, method] of kinds) {
      for (const announced of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
        const answer = head([line, announced], method);
        expect([answer.framing, answer.keepsAlive]).toEqual([{ kind: "none" }, false]);
      }
      for (const rest of [[], ["Content-Length: 0"]]) {
        const answer = head([line, ...rest], method);
        expect([answer.framing, answer.keepsAlive]).toEqual([{ kind: "none" }, true]);
      }
    }
  });

  test("as it says, where it is to be reset", () => {
    expect(head(["HTTP/1.1 205 Reset Content", "Content-Length: 3"]).framing).toEqual({
      kind: "length",
      bytes: 3,
    });
    expect(head(["HTTP/1.1 205 Reset Content"]).framing).toEqual({ kind: "close" });
  });
});

describe("a connection", () => {
  const keeps = (...lines: string[]) => head([...lines, "Content-Length: 1"]).keepsAlive;

  test("is kept, but where the upstream closes it", () => {
    expect(keeps("HTTP/1.1 200 OK")).toBe(true);
    expect(keeps("HTTP/1.1 200 OK", "Connection: keep-alive")).toBe(true);
    expect(keeps("HTTP/1.1 200 OK", "Connection: X-Close, closed")).toBe(true);
    expect(keeps("HTTP/1.1 200 OK", "Connection: close")).toBe(false);
    expect(keeps("HTTP/1.1 200 OK", "connection: X-A , Close")).toBe(false);
    expect(keeps("HTTP/1.1 200 OK", "Connection: keep-alive", "Connection: close")).toBe(false);
  });

  test("is not kept by HTTP/1.0", () => {
    expect(keeps("HTTP/1.0 200 OK")).toBe(false);
    expect(keeps("HTTP/1.0 200 OK", "Connection: keep-alive")).toBe(false);
  });

  test("is kept for as long as the upstream says", () => {
    const said = (value: string) => head(["HTTP/1.1 200 OK", `Keep-Alive: ${value}`]).idleSeconds;
    expect(said("timeout=5")).toBe(5);
    expect(said("max=100, Timeout=72")).toBe(72);
    expect(said("timeout=0")).toBe(0);
    expect(said("timeout=-1")).toBe(undefined);
    expect(said("xtimeout=5")).toBe(undefined);
    expect(said("")).toBe(undefined);
  });
});
