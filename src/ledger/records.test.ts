/** What stands in a block is hashed, and read again years later: not a byte of its form may change. */
import { expect, test } from "bun:test";
import type { HoldFacts } from "../domain/ledger.ts";
import { entryText, holdText, parseRecords } from "./records.ts";

const facts: HoldFacts = {
  requestId: "lmkreq-1",
  attempt: 2,
  at: 1_774_699_200_000,
  keyId: "key_a",
  userId: "usr_b",
  groupId: "grp_c",
  provider: "openai",
  method: "POST",
  endpoint: '/v1/"quoted"\n',
  model: "modèle \u2028 \ud800",
};

test("a hold", () => {
  const text = holdText(7, facts, 9_007_199_254_740_993n, [{ id: "bud_a@0" }, { id: "bud_b@0" }]);
  expect(text).toBe(
    '["hold",7,1774699200000,"lmkreq-1",2,"key_a","usr_b","grp_c","openai","POST","/v1/\\"quoted\\"\\n","modèle \u2028 \\ud800","9007199254740993",["bud_a@0","bud_b@0"]]\n',
  );
  const accounts = ["bud_a@0", "bud_b@0"];
  expect(parseRecords(text)).toEqual([
    { kind: "hold", hold: { ...facts, id: 7, ceiling: 9_007_199_254_740_993n, accounts } },
  ]);
  expect(holdText(8, { ...facts, endpoint: "/x", model: null }, null, [])).toBe(
    '["hold",8,1774699200000,"lmkreq-1",2,"key_a","usr_b","grp_c","openai","POST","/x",null,null,[]]\n',
  );
});

test("an end", () => {
  const costing = {
    priceBook: "0f",
    uses: [{ model: "gpt-5", quantities: { input_tokens: 109, output_tokens: 98 } }],
    serviceTier: "flex",
    region: null,
    reportedCost: 5n,
  };
  const entry = {
    holdId: 7,
    at: 1_774_699_200_001,
    kind: "settled",
    amount: 12n,
    evidence: "reported",
  } as const;
  expect(entryText({ ...entry, costing })).toBe(
    '["end",7,1774699200001,"settled","12","reported",["0f",[["gpt-5",{"input_tokens":109,"output_tokens":98}]],"flex",null,"5"]]\n',
  );
  const decided = { ...entry, kind: "decided", evidence: null, costing: null } as const;
  expect(entryText({ ...decided, reason: 'their "bill"' })).toBe(
    '["end",7,1774699200001,"decided","12",null,null,"their \\"bill\\""]\n',
  );
  expect(entryText({ ...decided, kind: "voided", amount: null })).toBe(
    '["end",7,1774699200001,"voided",null,null,null]\n',
  );
});
