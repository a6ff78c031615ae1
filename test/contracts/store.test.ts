import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../src/storage/sqlite/open.ts";
import { describeAudit } from "./audit.ts";
import { describeStore, type StorePlace } from "./store.ts";

const makePlace = async (): Promise<StorePlace> => {
  const folder = mkdtempSync(join(tmpdir(), "lmk-store-"));
  return {
    open: () => openSqliteStore(join(folder, "store.db")),
    execute: async (statement) => {
      using database = new Database(join(folder, "store.db"));
      database.run(statement);
    },
    failAudit: "CREATE TRIGGER fail_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END",
    remove: async () => rmSync(folder, { recursive: true, force: true }),
  };
};

describeStore("the SQLite store", makePlace);
describeAudit("the SQLite store", makePlace);
