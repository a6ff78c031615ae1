/** The gateway by TLS: with a certificate of the administrator's, or of the local authority; and by host names. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { atEnd } from "../support/cleanup.ts";
import { StartFailure, startGateway } from "../support/gateway.ts";
import { runLmk } from "../support/lmk.ts";
import { poll } from "../support/poll.ts";
import { recordingUpstream } from "../support/recording-upstream.ts";

/** Each starts a gateway of its own; on a busy machine that takes seconds. */
setDefaultTimeout(60_000);

const upstream = await recordingUpstream();
const env = {
  MISTRAL_API_KEY: "mistral-test-fake-0123456789abcdef",
  LMK_MISTRAL_UPSTREAM: upstream.url,
};
const folder = mkdtempSync(join(tmpdir(), "lmk-tls-"));
atEnd(() => rmSync(folder, { recursive: true, force: true }));

/** A certificate for localhost in a file, and its key in another. */
function selfSigned(name: string): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...[
      "-subj",
      `/CN=${name}`,
      "-keyout",
      key,
      "-out",
      cert,
      "-addext",
      "subjectAltName=DNS:localhost,IP:127.0.0.1",
    ],
  ]);
  if (made.status !== 0) throw new Error(String(made.stderr));
  return { cert, key };
}

/** What the server at this port shows; undefined where it cuts the connection, as it does while it exchanges certificates. */
function shown(
  port: number,
  servername = "localhost",
): Promise<{ name: string; serial: string } | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false }, () => {
      const { subject, serialNumber } = socket.getPeerCertificate();
      resolve({ name: String(subject?.CN), serial: serialNumber });
      socket.destroy();
    });
    socket.on("error", () => resolve(undefined));
  });
}

describe("with certificate files", () => {
  test("they are read again when they change, and a pair that does not fit is not used", async () => {
    const [first, second, third] = [selfSigned("first"), selfSigned("second"), selfSigned("third")];
    const own = { cert: join(folder, "own.pem"), key: join(folder, "own.key") };
    const use = (cert: string, key: string) => {
      for (const [from, to] of [
        [cert, own.cert],
        [key, own.key],
      ] as const) {
        writeFileSync(`${to}.next`, readFileSync(from));
        renameSync(`${to}.next`, to);
      }
    };
    use(first.cert, first.key);
    await using gateway = await startGateway({
      env: { ...env, LMK_TLS_CERT: own.cert, LMK_TLS_KEY: own.key },
    });
    expect(gateway.url).toStartWith("https://");
    expect((await shown(gateway.port))?.name).toBe("first");
    // A connection that is there goes on.
    const tls = { ca: readFileSync(first.cert, "utf8") };
    const kept = await fetch(`${gateway.url}/healthz`, { tls });
    expect(await kept.text()).toBe("ok\n");

    use(second.cert, second.key);
    await poll(
      "the second certificate",
      async () => ((await shown(gateway.port))?.name === "second" ? 1 : undefined),
      20_000,
    );
    use(third.cert, first.key);
    await poll(
      "a complaint",
      async () => (gateway.stderr().includes("is not that of the certificate") ? 1 : undefined),
      20_000,
    );
    expect((await shown(gateway.port))?.name).toBe("second");
  });

  test("files that cannot be used stop the start with a line that says so", async () => {
    const { cert } = selfSigned("alone");
    for (const [settings, message] of [
      [{ LMK_TLS_CERT: cert, LMK_TLS_KEY: join(folder, "none.key") }, "cannot be used (ENOENT)"],
      [{ LMK_TLS_CERT: cert }, "belong together"],
    ] as const) {
      const failure = await startGateway({ env: { ...env, ...settings } }).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(StartFailure);
      expect((failure as StartFailure).stderr).toContain(message);
    }
  });
});

describe("with the local authority", () => {
  test("clients that trust it are answered, the command line too", async () => {
    await using gateway = await startGateway({ env, args: ["--tls=local"] });
    expect(gateway.url).toStartWith("https://localhost:");
    const ca = readFileSync(join(gateway.dataDir, "ca.pem"), "utf8");
    const plain = await fetch(`${gateway.url}/healthz`).catch((error: Error) => error);
    expect(plain).toBeInstanceOf(Error);
    const served = await fetch(`${gateway.url}/lmk/ca.pem`, { tls: { ca } });
    expect(await served.text()).toBe(ca);
    // The first user's exports name what to trust.
    const { exports } = gateway;
    expect(readFileSync(exports["SSL_CERT_FILE"] ?? "", "utf8")).toContain(ca.trim());
    expect(readFileSync(exports["NODE_EXTRA_CA_CERTS"] ?? "", "utf8")).toContain(ca.trim());
    const users = await runLmk(gateway, ["user", "list"], {});
    expect(users).toMatchObject({ code: 0 });

    // The same authority after a restart.
    await gateway.restart();
    expect(readFileSync(join(gateway.dataDir, "ca.pem"), "utf8")).toBe(ca);
  });

  test("certificates are renewed by themselves", async () => {
    await using gateway = await startGateway({
      env: { ...env, LMK_TLS_LIFETIME: "6s" },
      args: ["--tls=local"],
    });
    const ca = readFileSync(join(gateway.dataDir, "ca.pem"), "utf8");
    const look = async () => (await shown(gateway.port))?.serial;
    const first = await poll("a certificate", look, 20_000);
    const other = async () => {
      const serial = await look();
      return serial === first ? undefined : serial;
    };
    await poll("another certificate", other, 30_000);
    // Where the machine is so busy that one ends before the next is made, that one comes all the same.
    const ask = () =>
      fetch(`${gateway.url}/mistral/v1/models`, { tls: { ca }, headers: gateway.bearer }).catch(
        () => undefined,
      );
    const answer = await poll("an answer", ask, 20_000);
    expect(answer.status).toBe(200);
  });

  test("lmk env trusts nobody unasked, and writes down what it was told to trust", async () => {
    await using gateway = await startGateway({
      env: { ...env, LMK_PROXY_LISTEN: "127.0.0.1:0" },
      args: ["--tls=local"],
    });
    const home = mkdtempSync(join(tmpdir(), "lmk-home-"));
    atEnd(() => rmSync(home, { recursive: true, force: true }));
    const ask = (...args: string[]) =>
      runLmk(
        gateway,
        ["env", "--proxy", "--format", "json", "--key", gateway.key, "--url", gateway.url, ...args],
        {
          HOME: home,
          LMK_DATA_DIR: home,
          NO_PROXY: "internal.test",
        },
      );
    const refused = await ask();
    expect(refused.code).not.toBe(0);
    const fingerprint = /--fingerprint ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})/.exec(refused.err)?.[1] ?? "";
    expect(gateway.stdout()).toContain(fingerprint);
    expect((await ask("--fingerprint", fingerprint.replace(/^../, "00"))).err).toContain(
      "Somebody may be in between",
    );
    const told = await ask("--fingerprint", fingerprint.toLowerCase().replaceAll(":", ""));
    expect(told.err).toBe("");
    const variables = JSON.parse(told.out) as Record<string, string>;
    expect(variables).toMatchObject({
      HTTPS_PROXY: expect.stringMatching(/^http:\/\/lmk:lmkp\.\S+@127\.0\.0\.1:\d+$/),
      NO_PROXY: "localhost,127.0.0.1,::1,internal.test",
      NODE_USE_ENV_PROXY: "1",
      MISTRAL_API_KEY: gateway.key,
      SSL_CERT_FILE: join(home, ".config/llamakey/ca-bundle.pem"),
    });
    // Once it is trusted, nobody is asked again.
    expect((await ask()).code).toBe(0);
    const bundle = readFileSync(variables["SSL_CERT_FILE"] ?? "", "utf8");
    expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
  });

  test("a gateway without one has nothing to trust, and is no proxy", async () => {
    await using gateway = await startGateway({ env });
    expect((await fetch(`${gateway.url}/lmk/ca.pem`)).status).toBe(404);
    expect((await fetch(`${gateway.url}/lmk/env?proxy&trust=/x`, { headers: gateway.bearer })).status).toBe(
      404,
    );
  });
});

test("a host name below the gateway's own chooses the provider, and then has no paths of the gateway", async () => {
  await using gateway = await startGateway({ env });
  const ask = (host: string, path: string) =>
    fetch(gateway.url + path, { headers: { host, ...gateway.bearer } });
  for (const host of ["mistral.localhost", `MISTRAL.localhost:${gateway.port}`, "mistral.localhost."]) {
    expect((await ask(host, "/v1/models")).status).toBe(200);
    expect(upstream.last.target).toBe("/v1/models");
  }
  expect(
    (await ask("mistral.localhost", "/api/v1/users")).headers.get("x-llamakey-request-id"),
  ).not.toBeNull();
  expect(upstream.last.target).toBe("/api/v1/users");
  // Any other host is the gateway's own, and a provider's real name is one in proxy mode alone.
  for (const host of ["mistral.example.com", "api.mistral.ai", "x.mistral.localhost"])
    expect((await ask(host, "/v1/models")).status).toBe(404);
  expect((await ask("localhost", "/mistral/v1/models")).status).toBe(200);
});
