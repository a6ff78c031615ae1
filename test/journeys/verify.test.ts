/** `lmk verify` on a real data directory, while its gateway runs and after, and after somebody has edited it. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { serveRecorded } from "../support/record.ts";

const upstream = await serveRecorded({
  async fetch(request) {
    const { model } = (await request.json()) as { model: string };
    const usage = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
    return Response.json({ id: "c", object: "chat.completion", model, choices: [], usage });
  },
});

const gateway = await startGateway({
  env: {
    OPENAI_API_KEY: "sk-test-fake-verify-0123456789",
    LMK_OPENAI_UPSTREAM: `${upstream.origin}/v1`,
  },
});

async function chat(model: string): Promise<void> {
  const response = await fetch(`${gateway.url}/openai/v1/chat/completions`, {
    method: "POST",
    headers: { ...gateway.bearer, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "Hi" }], max_tokens: 200 }),
  });
  expect([response.status, await response.text()]).toMatchObject([200, expect.any(String)]);
}

interface Report {
  blocks: number;
  holds: number;
  entries: number;
  open: number;
  total: string;
  recomputed: number;
  notRecomputable: number;
  requests: number;
  heads: string[];
  findings: { block: number | null; hold: number | null; what: string }[];
}

async function verify(...args: string[]): Promise<{ code: number; err: string; report: Report }> {
  const { code, out, err } = await runLmk(gateway, ["verify", "--json", ...args]);
  if (out === "") throw new Error(err);
  return { code, err, report: JSON.parse(out) as Report };
}

/** A copy of the data directory, in which somebody has run this. */
async function edited(...statements: string[]) {
  const copy = mkdtempSync(join(tmpdir(), "lmk-verify-"));
  try {
    cpSync(gateway.dataDir, copy, { recursive: true });
    const database = new Database(join(copy, "llamakey.db"));
    for (const statement of statements) expect(database.run(statement).changes).toBeGreaterThan(0);
    database.close();
    return await verify("--data-dir", copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

let earlierHead = "";
let earlierAuditHead = "";

test("says nothing is wrong while the gateway runs, and after", async () => {
  await gateway.api("PUT", "/budgets", { scope: "organisation", name: "all", amount: "5", per: "month" });
  for (let n = 0; n < 5; n++) await chat("gpt-4o-mini");
  await gateway.api("PUT", "/prices", {
    provider: "openai",
    model: "gpt-own",
    prices: { input_tokens: "1", output_tokens: "2" },
  });
  for (let n = 0; n < 5; n++) await chat("gpt-own");
  const rows = await poll("ten rows of the log", async () => {
    const all = await gateway.requests();
    return all.length >= 10 ? all : undefined;
  });
  const running = await verify();
  expect(running).toMatchObject({ code: 0, report: { findings: [], recomputed: 10, open: 0, holds: 10 } });
  [earlierHead = "", earlierAuditHead = ""] = running.report.heads;
  await gateway.stop();
  const { code, report } = await verify();
  expect([code, report.findings]).toEqual([0, []]);
  const spent = rows.reduce((sum, { costNanos }) => sum + BigInt(costNanos ?? 0), 0n);
  // 5 x (1000 x $0.15 + 100 x $0.60) and 5 x (1000 x $1 + 100 x $2), for a million each.
  expect(spent).toBe(5n * 210_000n + 5n * 1_200_000n);
  expect(report.total).toBe("0.00705");
  expect(await verify("--head", earlierHead)).toMatchObject({ code: 0 });
}, 60_000);

const EDITS: [what: string, statements: string[], finding: RegExp][] = [
  [
    "an amount in a block",
    [`UPDATE ledger_blocks SET text = replace(text, '"1200000"', '"1000000"') WHERE text LIKE '%"1200000"%'`],
    /its text, time or place is not what was written/,
  ],
  ["the time of a block", ["UPDATE ledger_blocks SET at = at + 1 WHERE seq = 2"], /text, time or place/],
  ["a block that is gone", ["DELETE FROM ledger_blocks WHERE seq = 2"], /blocks between 1 and 3 are missing/],
  [
    "an account",
    ["UPDATE accounts SET posted = posted - 1"],
    /says 7049999, and its entries come to 7050000/,
  ],
  ["an account that is gone", ["DELETE FROM accounts"], /is not stored any more/],
  ["the checkpoint", ["DELETE FROM ledger_checkpoint"], /the checkpoint is gone/],
  [
    "a row of the audit log",
    ["UPDATE audit SET address = '10.0.0.1' WHERE seq = 1"],
    /audit log: Row 1 was changed/,
  ],
  [
    "a kept price book",
    [
      "UPDATE kept_price_books SET basis = replace(basis, '1000000000', '900000000') WHERE basis LIKE '%gpt-own%'",
    ],
    /the kept prices of book \w+ are not what they were/,
  ],
  ["the kept list prices", ["UPDATE kept_snapshots SET text = text || ' '"], /are not what they were/],
  [
    "price books that are gone",
    ["DELETE FROM kept_price_books"],
    /the prices of hold \d+ \(book \w+\) are gone/,
  ],
  [
    "a cost in the log",
    ["UPDATE requests SET cost_nanos = cost_nanos - 7 WHERE seq = 3"],
    /the log says 7 less of request/,
  ],
  ["a row that is gone", ["DELETE FROM requests WHERE seq = 3"], /ended, and the log has no request/],
];
for (const [what, statements, finding] of EDITS) {
  test(`finds ${what}`, async () => {
    const { code, report } = await edited(...statements);
    expect(code).toBe(1);
    expect(report.findings.map((one) => one.what).join("\n")).toMatch(finding);
  });
}

test("finds a ledger that was cut off cleanly, by a head that was kept", async () => {
  const cut = [
    "DELETE FROM audit",
    "DELETE FROM ledger_blocks",
    "DELETE FROM ledger_checkpoint",
    "DELETE FROM accounts",
    "UPDATE requests SET cost_nanos = NULL, usage = NULL WHERE cost_nanos IS NOT NULL",
    ...["people", "traffic", "latency"].flatMap((name) => [
      `DELETE FROM ${name}_hours`,
      `DELETE FROM ${name}_days`,
    ]),
    "DELETE FROM usage_days",
    "UPDATE rolled_up SET seq = 0",
  ];
  const copy = mkdtempSync(join(tmpdir(), "lmk-verify-"));
  cpSync(gateway.dataDir, copy, { recursive: true });
  const database = new Database(join(copy, "llamakey.db"));
  for (const statement of cut) database.run(statement);
  database.close();
  expect(await verify("--data-dir", copy)).toMatchObject({ code: 0, report: { blocks: 0 } });
  const found = await verify("--data-dir", copy, "--head", earlierHead, "--head", earlierAuditHead);
  expect(found.code).toBe(1);
  expect(found.report.findings.map(({ what }) => what).sort()).toEqual([
    expect.stringMatching(/^audit log: The log ends at row 0/),
    expect.stringMatching(/^the ledger ends with block 0, but had block \d+ once$/),
  ]);
  const forged = await runLmk(gateway, ["verify", "--head", earlierHead.replace(/^\d+/, "1")]);
  expect(forged).toMatchObject({ code: 1, out: "" });
  expect(forged.err).toContain("not a head");
  rmSync(copy, { recursive: true, force: true });
});

test("says where there is no database", async () => {
  const { code, out, err } = await runLmk(gateway, ["verify", "--data-dir", "nowhere"]);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("There is no database");
});
