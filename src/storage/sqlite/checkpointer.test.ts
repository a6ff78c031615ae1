import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { poll } from "../../../test/support/poll.ts";
import { openSqliteStore } from "./open.ts";

test("what was written is brought into the database file without a call that waits for it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lmk-checkpoint-"));
  const path = join(folder, "x.db");
  const store = await openSqliteStore(path);
  try {
    const before = statSync(path).size;
    // A fraction of what the writer would wait for.
    await store.keepPriceBook({ hash: "h", basis: "b", snapshotHash: "s" }, "x".repeat(500_000));
    const grown = () => (statSync(path).size > before + 500_000 ? true : undefined);
    expect(await poll("checkpoint", grown, 5000)).toBe(true);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
