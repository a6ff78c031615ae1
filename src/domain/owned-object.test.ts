import { expect, test } from "bun:test";
import fc from "fast-check";
import { maySee, strictestSharing } from "./owned-object.ts";
import type { Sharing } from "./policy.ts";

const ORDER: readonly Sharing[] = ["own", "group", "all"];

test("the strictest of those that say something wins; own where none does", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.constantFrom(...ORDER), { nil: undefined })), (said) => {
      const strictest = ORDER.find((one) => said.includes(one));
      expect(strictestSharing(said)).toBe(strictest ?? "own");
    }),
  );
});

test("who sees more with a laxer policy sees all that the stricter one shows", () => {
  const ids = fc.constantFrom("a", "b", "c");
  const who = fc.record({ userId: ids, groupId: ids });
  fc.assert(
    fc.property(fc.option(who, { nil: undefined }), who, (object, caller) => {
      const [own, group, all] = ORDER.map((sharing) => maySee(object, caller, sharing));
      expect(own).toBe(object?.userId === caller.userId);
      expect(group).toBe(own === true || object?.groupId === caller.groupId);
      expect(all).toBe(true);
    }),
  );
});
