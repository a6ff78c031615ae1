/**
 * Stand-ins at the providers' own names and at port 443, in a network in which those names are this machine: see
 * `sealed.py`. What comes by TLS is passed on to the stand-in in plain text, where it is recorded.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { atEnd } from "./cleanup.ts";

/** Undefined where the providers' names are this machine; else why they are not. */
export const unnamed: string | undefined =
  process.platform === "linux" && readFileSync("/etc/hosts", "utf8").includes("api.mistral.ai")
    ? undefined
    : "the providers' names are no stand-ins' here; npm test makes a network in which they are";

export interface RealHosts {
  /** What a gateway must trust to reach them. */
  readonly caFile: string;
  /** The names that were asked for, one for each connection. */
  readonly asked: readonly string[];
}

/** @param ports Each name's stand-in, by its port on loopback. */
export async function serveRealHosts(ports: ReadonlyMap<string, number>): Promise<RealHosts> {
  const folder = mkdtempSync(join(tmpdir(), "lmk-hosts-"));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = [...ports.keys()].map((name) => `DNS:${name}`).join(",");
  const made = spawnSync("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=stand-ins", "-keyout", key, "-out", cert, "-addext", `subjectAltName=${names}`],
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${made.stderr}`);
  const asked: string[] = [];
  const options = { key: readFileSync(key), cert: readFileSync(cert), ALPNProtocols: ["http/1.1"] };
  const server = createServer(options, (client: TLSSocket) => {
    const name = String(client.servername);
    asked.push(name);
    const inner = connect(ports.get(name) ?? 0, "127.0.0.1");
    for (const [socket, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(443, "127.0.0.1", resolve);
  });
  atEnd(() => {
    server.close();
  });
  return { caFile: cert, asked };
}
