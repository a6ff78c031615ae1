import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AuditRow } from "./audit.ts";
import { auditHash, NO_HEAD, signHead, verifyAudit } from "./audit-chain.ts";

const key = new Uint8Array(32).fill(5);
const LENGTH = 12;

/** A log as the store writes it. */
function chain(length: number, withKey = key): AuditRow[] {
  const rows: AuditRow[] = [];
  let previous = NO_HEAD.hash;
  for (let seq = 1; seq <= length; seq++) {
    const row = {
      seq,
      at: 1_763_900_000_000 + seq,
      actor: { kind: "user", id: `usr_${seq}`, name: "ann" } as const,
      address: "10.0.0.1",
      action: "key.revoke",
      target: { kind: "key", id: `key${seq}`, name: "laptop" },
      before: `{"revokedAt":null,"seq":${seq}}`,
      after: '{"revokedAt":"2026-11-24T00:00:00.000Z"}',
      previous,
    };
    previous = auditHash(withKey, row);
    rows.push({ ...row, hash: previous });
  }
  return rows;
}

const rows = chain(LENGTH);
const place = fc.nat(LENGTH - 1);
const head = (length: number) => signHead({ seq: length, hash: rows[length - 1]?.hash ?? "" }, key);

async function messages(log: readonly AuditRow[], kept?: string): Promise<string[]> {
  return (await verifyAudit(log, key, kept)).problems.map(({ message }) => message);
}

function at(index: number): AuditRow {
  const row = rows[index];
  if (row === undefined) throw new Error(`no row ${index}`);
  return row;
}

/** Every column with another value in its place, however little differs. */
const flips: Readonly<Record<string, (row: AuditRow) => AuditRow>> = {
  seq: (row) => ({ ...row, seq: row.seq + 1 }),
  at: (row) => ({ ...row, at: row.at + 1 }),
  "actor kind": (row) => ({ ...row, actor: { ...row.actor, kind: "operator" } }),
  "actor id": (row) => ({ ...row, actor: { ...row.actor, id: null } }),
  "actor name": (row) => ({ ...row, actor: { ...row.actor, name: "Ann" } }),
  address: (row) => ({ ...row, address: null }),
  action: (row) => ({ ...row, action: "key.restore" }),
  "target kind": (row) => ({ ...row, target: { ...row.target, kind: "user" } }),
  "target id": (row) => ({ ...row, target: { ...row.target, id: "x" } }),
  "target name": (row) => ({ ...row, target: { ...row.target, name: "" } }),
  before: (row) => ({ ...row, before: null }),
  after: (row) => ({ ...row, after: `${row.after} ` }),
  previous: (row) => ({ ...row, previous: flipDigit(row.previous) }),
  hash: (row) => ({ ...row, hash: flipDigit(row.hash) }),
};

function flipDigit(hash: string): string {
  return `${hash.slice(0, -1)}${hash.endsWith("0") ? "1" : "0"}`;
}

describe("a log that nobody has touched", () => {
  test("has no problems, whatever its length, with any head of its past", async () => {
    for (let length = 0; length <= LENGTH; length++) {
      const verdict = await verifyAudit(rows.slice(0, length), key);
      expect(verdict).toEqual({
        rows: length,
        problems: [],
        head: length === 0 ? NO_HEAD : { seq: length, hash: at(length - 1).hash },
      });
    }
    for (let kept = 1; kept <= LENGTH; kept++) expect(await messages(rows, head(kept))).toEqual([]);
    expect(await messages(rows, signHead(NO_HEAD, key))).toEqual([]);
  });

  test("may come in pages", async () => {
    async function* pages() {
      yield* rows.slice(0, 5);
      yield* rows.slice(5);
    }
    expect(await verifyAudit(pages(), key)).toMatchObject({ rows: LENGTH, problems: [] });
  });
});

describe("of a log that somebody has touched", () => {
  for (const [column, flip] of Object.entries(flips)) {
    test(`a changed ${column} is found in every row, and the row is named`, async () => {
      for (const index of rows.keys()) {
        const touched = flip(at(index));
        const { problems } = await verifyAudit(rows.with(index, touched), key);
        expect(problems[0]).toEqual({
          seq: touched.seq,
          message: `Row ${touched.seq} was changed or added.`,
        });
      }
    });
  }

  test("any character of a row's texts, changed to any other, is found", async () => {
    const property = fc.asyncProperty(
      place,
      fc.constantFrom("before", "after", "previous", "hash", "action"),
      fc.nat(),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
      async (index, column, position, character) => {
        const row = at(index);
        const text = String(row[column as keyof AuditRow]);
        const cut = position % text.length;
        const changed = text.slice(0, cut) + character + text.slice(cut + 1);
        fc.pre(changed !== text);
        expect(await messages(rows.with(index, { ...row, [column]: changed }))).not.toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });

  test("missing rows are named, however many, unless they are the last", async () => {
    for (let from = 1; from < LENGTH; from++) {
      for (let to = from; to < LENGTH; to++) {
        const left = rows.filter(({ seq }) => seq < from || seq > to);
        const said = from === to ? `Row ${from} is missing.` : `Rows ${from} to ${to} are missing.`;
        expect(await messages(left)).toContain(said);
      }
    }
  });

  test("a gap that was closed by counting anew is found", async () => {
    for (let gone = 0; gone < LENGTH - 1; gone++) {
      const left = rows.toSpliced(gone, 1).map((row, index) => ({ ...row, seq: index + 1 }));
      expect(await messages(left)).toHaveLength(LENGTH - 1 - gone);
    }
  });

  test("rows cut off at the end are found with a head that was kept, and only with one", async () => {
    for (let left = 0; left < LENGTH; left++) {
      const cut = rows.slice(0, left);
      expect(await messages(cut)).toEqual([]);
      for (let kept = left + 1; kept <= LENGTH; kept++) {
        expect(await messages(cut, head(kept))).toEqual([
          `The log ends at row ${left}; the head was made when there were ${kept}: rows were cut off.`,
        ]);
      }
    }
  });

  test("any two rows that changed places are found, numbers with them or without", async () => {
    const property = fc.asyncProperty(place, place, fc.boolean(), async (a, b, isRenumbered) => {
      fc.pre(a !== b);
      const swapped = rows.with(a, at(b)).with(b, at(a));
      const log = isRenumbered ? swapped.map((row, index) => ({ ...row, seq: index + 1 })) : swapped;
      expect(await messages(log)).not.toEqual([]);
    });
    await fc.assert(property);
  });

  test("a row that was put in between is found: copied, of another key, or chained by hand", async () => {
    const property = fc.asyncProperty(place, place, async (copied, index) => {
      const stranger = new Uint8Array(32).fill(6);
      const made = { ...at(copied), seq: index + 1, previous: at(index).previous };
      for (const row of [at(copied), made, { ...made, hash: auditHash(stranger, made) }]) {
        expect(await messages(rows.toSpliced(index, 0, row))).not.toEqual([]);
        const shifted = rows.slice(index).map((later) => ({ ...later, seq: later.seq + 1 }));
        expect(await messages([...rows.slice(0, index), row, ...shifted])).not.toEqual([]);
      }
    });
    await fc.assert(property);
  });

  test("a whole log of another key is found", async () => {
    expect(await messages(chain(LENGTH, new Uint8Array(32).fill(6)))).toHaveLength(LENGTH);
  });
});

describe("a head", () => {
  test("that was made up, mistyped or of another installation is not taken", async () => {
    const real = head(4);
    const foreign = signHead({ seq: 4, hash: at(3).hash }, new Uint8Array(32).fill(6));
    for (const text of ["", "x", real.slice(0, -1), flipDigit(real), real.replace("_4_", "_3_"), foreign]) {
      expect(await messages(rows, text)).toEqual(["The head was not signed by this installation."]);
    }
    expect(await messages(rows, ` ${real}\n`)).toEqual([]);
  });

  test("shows a log that was written anew with the key, up to there", async () => {
    const anew = chain(LENGTH).map(({ hash: _, ...row }) => row);
    let previous = NO_HEAD.hash;
    const forged = anew.map((row, index) => {
      const changed = { ...row, action: index === 2 ? "key.add" : row.action, previous };
      previous = auditHash(key, changed);
      return { ...changed, hash: previous };
    });
    expect(await messages(forged)).toEqual([]);
    expect(await messages(forged, head(5))).toEqual(["Row 5 is not the one that the head was made of."]);
  });
});
