/** Disks that fail under a running gateway: nothing is forwarded that cannot be written down first. */
import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { recordingUpstream, reply } from "../support/recording-upstream.ts";

const folder = mkdtempSync(join(tmpdir(), "lmk-disk-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const library = join(folder, "failing-disk.so");
const source = join(import.meta.dir, "../support/failing-disk.c");
const canPreload =
  process.platform === "linux" &&
  spawnSync("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"]).status === 0;

describe("a disk that cannot keep what it is given", () => {
  for (const [how, what] of [
    ["fsync", "that fails to sync"],
    ["full", "that is full"],
  ] as const)
    test.skipIf(!canPreload)(
      `${what}: no request is forwarded that cannot be written down, and they go on when it can (allowed: needs a C compiler)`,
      async () => {
        const flag = join(folder, how);
        const upstream = await recordingUpstream();
        upstream.answer = reply({ body: "{}" });
        await using gateway = await startGateway({
          env: { LMK_SERVER_BOX: upstream.url, LD_PRELOAD: library, FAIL_DISK: flag },
        });
        const ask = () => fetch(`${gateway.url}/box/x`, { headers: gateway.bearer });
        expect((await ask()).status).toBe(200);

        writeFileSync(flag, how);
        // The ledger's log has its place on the disk: until the database needs more, holds are durable there.
        const refused = await poll("a refusal", async () => {
          const answer = await ask();
          return answer.status === 503 ? answer : undefined;
        });
        const before = upstream.requests.length;
        expect(before).toBeLessThanOrEqual(how === "fsync" ? 1 : 20);
        expect(refused.headers.get("x-llamakey-refusal")).toBe("storage_unavailable");
        expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
        expect((await Promise.all(Array.from({ length: 20 }, ask))).map(({ status }) => status)).toEqual(
          Array(20).fill(503),
        );
        expect(upstream.requests).toHaveLength(before);
        expect(gateway.stderr()).toContain("The ledger cannot be written, so no request is taken");

        rmSync(flag);
        await poll("a request that is taken", async () => ((await ask()).status === 200 ? true : undefined));
        expect(gateway.stderr()).toContain("The ledger can be written again.");
        const after = upstream.requests.length;
        await gateway.stop();
        // What was tried meanwhile is whole, and nothing of it stands twice.
        const verified = await runLmk(gateway, ["verify", "--json"]);
        const { findings, open } = JSON.parse(verified.out) as { findings: unknown[]; open: number };
        expect({ code: verified.code, findings, open }).toEqual({ code: 0, findings: [], open: 0 });
        await gateway.start({ LD_PRELOAD: "" });
        expect((await ask()).status).toBe(200);
        expect(upstream.requests).toHaveLength(after + 1);
        // Also of those that were taken while the database could not take them.
        await poll("a row of each", async () => {
          const rows = (await gateway.requests()).filter(({ status }) => status === 200);
          return rows.length === after + 1 ? true : undefined;
        });
      },
      60_000,
    );

  test.skipIf(process.getuid?.() !== 0)(
    "is one line where another user may only read it (allowed: needs root)",
    async () => {
      const gateway = await startGateway();
      await gateway.stop();
      const { dataDir, cwd } = gateway;
      spawnSync("chmod", ["-R", "a+rX", cwd]);
      chmodSync(join(dataDir, "vault.key"), 0o444);
      chmodSync(join(dataDir, "admin.token"), 0o444);
      const root = join(import.meta.dir, "../..");
      const started = Bun.spawnSync(
        [process.execPath, "--no-env-file", `--config=${root}/bunfig.toml`, `${root}/src/main.ts`, "serve"],
        {
          cwd,
          uid: 65534,
          gid: 65534,
          env: { PATH: process.env["PATH"] ?? "", LMK_LISTEN: "127.0.0.1:0", HOME: cwd },
        },
      );
      expect(started.exitCode).toBe(1);
      const lines = started.stderr.toString().trim().split("\n");
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^lmk: .*(?:read-only|cannot be|permission|EACCES)/i);
      await gateway.end();
    },
  );
});
