import { createHash, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";

/** The gateway's own certificate, and the system's certificates with it, in a folder of the user's. */
export const CA_FILE = "ca.pem";
const BUNDLE_FILE = "ca-bundle.pem";

/** Where systems keep what they trust, in one file: Debian, Fedora, older Red Hat, SUSE, Alpine and macOS, FreeBSD. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/local/etc/ssl/cert.pem",
];

/**
 * The variables by which programs trust a gateway with a certificate of its own.
 *
 * Those that replace what the system trusts name the bundle of both; Node and Deno add to what they have. Python's ssl,
 * httpx, Go and OpenSSL read the first, requests the second, botocore the third.
 */
export function trustVariables(folder: string): [name: string, value: string][] {
  const bundle = inFolder(folder, BUNDLE_FILE);
  const replacing = [
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "CODEX_CA_CERTIFICATE",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "DENO_CERT",
  ];
  return [
    ...replacing.map((name): [string, string] => [name, bundle]),
    ["NODE_EXTRA_CA_CERTS", inFolder(folder, CA_FILE)],
  ];
}

/**
 * Writes both files, replacing what an earlier call wrote there, and returns the variables that name them.
 * @param certificate The gateway's, PEM, from `/lmk/ca.pem`.
 * @param environment Of the user: a bundle that it names already stays trusted.
 * @throws the platform's error where the folder cannot be written.
 */
export function writeTrust(
  folder: string,
  certificate: string,
  environment: Readonly<Record<string, string | undefined>>,
): [name: string, value: string][] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const further = environment["NODE_EXTRA_CA_CERTS"];
  const isFurther = !!further && further !== inFolder(folder, CA_FILE) && existsSync(further);
  write(join(folder, CA_FILE), certificate + (isFurther ? readFileSync(further, "utf8") : ""));
  write(join(folder, BUNDLE_FILE), `${systemBundle(folder, environment).trimEnd()}\n${certificate}`);
  return trustVariables(folder);
}

/** SHA-256 of a certificate, `AB:CD:...`; undefined for a text that holds none. */
export function fingerprintOf(certificate: string): string | undefined {
  try {
    const { raw } = new X509Certificate(certificate);
    const hex = createHash("sha256").update(raw).digest("hex").toUpperCase();
    return hex.match(/../g)?.join(":");
  } catch {
    return undefined;
  }
}

/** True where a person has written this fingerprint, with or without colons and in whatever case. */
export function isFingerprint(text: string, fingerprint: string): boolean {
  const plain = (one: string) =>
    one
      .replace(/^sha256[:=]/i, "")
      .replace(/[:\s]/g, "")
      .toUpperCase();
  return plain(text) === plain(fingerprint);
}

/** What is trusted without us. */
function systemBundle(folder: string, environment: Readonly<Record<string, string | undefined>>): string {
  const own = inFolder(folder, BUNDLE_FILE);
  const named = [environment["SSL_CERT_FILE"], environment["REQUESTS_CA_BUNDLE"]];
  for (const file of [...named, ...SYSTEM_BUNDLES]) {
    if (file && file !== own && existsSync(file)) return readFileSync(file, "utf8");
  }
  return rootCertificates.join("\n");
}

/** At once, whole or not at all: programs read it while it is written. */
function write(file: string, text: string): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, text, { mode: 0o644 });
  renameSync(next, file);
}

/** Not the platform's way of joining: the folder may be one of another machine. */
function inFolder(folder: string, file: string): string {
  const separator = folder.includes("\\") && !folder.includes("/") ? "\\" : "/";
  return `${folder.replace(/[\\/]+$/, "")}${separator}${file}`;
}
