import { isIP } from "node:net";
import * as asn1js from "asn1js";
import * as pkijs from "pkijs";

/** What a certificate names: hosts and addresses. */
export interface Subject {
  readonly names: readonly string[];
  readonly addresses: readonly string[];
}

/** From, inclusive, and to, epoch milliseconds. */
export interface Validity {
  readonly from: number;
  readonly to: number;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
const AUTHORITY_NAME = "LlaMaKey local authority";

const OID = {
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  alternativeName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
};
/** `dNSName` and `iPAddress` of RFC 5280's GeneralName. */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

export function generateKeyPair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

/** PEM, PKCS #8. */
export async function privateKeyPem(key: CryptoKey): Promise<string> {
  return pem("PRIVATE KEY", await crypto.subtle.exportKey("pkcs8", key));
}

/** The pair that a private key in PEM belongs to. */
export async function readKeyPair(text: string): Promise<CryptoKeyPair> {
  const privateKey = await crypto.subtle.importKey("pkcs8", derOf(text), ALGORITHM, true, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const publicJwk = { kty, crv, x, y } as JsonWebKey;
  const publicKey = await crypto.subtle.importKey("jwk", publicJwk, ALGORITHM, true, ["verify"]);
  return { privateKey, publicKey };
}

/**
 * An authority's own certificate, PEM. It can vouch for these names, those below them, and these addresses, and for
 * nothing else: the constraints are critical, so that whoever does not know them does not trust it at all.
 */
export async function authorityCertificate(
  pair: CryptoKeyPair,
  permitted: Subject,
  validity: Validity,
): Promise<string> {
  const certificate = await begin(pair.publicKey, AUTHORITY_NAME, validity);
  const subtrees = [
    ...permitted.names.map(dnsName),
    ...permitted.addresses.map((address) => ipAddress(withMask(addressBytes(address)))),
  ].map((base) => new pkijs.GeneralSubtree({ base }));
  const constraints = new pkijs.NameConstraints({ permittedSubtrees: subtrees });
  certificate.extensions = [
    extension(OID.basicConstraints, true, new pkijs.BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    // Signs certificates and lists of revoked ones.
    extension(OID.keyUsage, true, keyUsage(0b0000_0110, 1)),
    extension(OID.nameConstraints, true, constraints),
    await subjectKeyIdentifier(pair.publicKey),
  ];
  return signed(certificate, pair.privateKey);
}

/** A server's certificate, PEM. */
export async function serverCertificate(
  publicKey: CryptoKey,
  subject: Subject,
  validity: Validity,
  authority: CryptoKeyPair,
): Promise<string> {
  // A common name may have 64 characters, and nobody looks at it where there are alternative names.
  const certificate = await begin(publicKey, "LlaMaKey", validity);
  const altNames = [
    ...subject.names.map(dnsName),
    ...subject.addresses.map((address) => ipAddress(octets(addressBytes(address)))),
  ];
  const keyIdentifier = octets(await keyIdentifierOf(authority.publicKey));
  certificate.extensions = [
    extension(OID.basicConstraints, true, new pkijs.BasicConstraints({ cA: false })),
    // Signs what the handshake is made of.
    extension(OID.keyUsage, true, keyUsage(0b1000_0000, 7)),
    extension(OID.extendedKeyUsage, false, new pkijs.ExtKeyUsage({ keyPurposes: [OID.serverAuth] })),
    extension(OID.alternativeName, false, new pkijs.GeneralNames({ names: altNames })),
    extension(OID.authorityKeyIdentifier, false, new pkijs.AuthorityKeyIdentifier({ keyIdentifier })),
    await subjectKeyIdentifier(publicKey),
  ];
  return signed(certificate, authority.privateKey);
}

async function begin(
  publicKey: CryptoKey,
  commonName: string,
  validity: Validity,
): Promise<pkijs.Certificate> {
  const certificate = new pkijs.Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1js.Integer({ valueHex: serialNumber() });
  certificate.issuer = distinguishedName(AUTHORITY_NAME);
  certificate.subject = distinguishedName(commonName);
  certificate.notBefore.value = new Date(validity.from);
  certificate.notAfter.value = new Date(validity.to);
  await certificate.subjectPublicKeyInfo.importKey(publicKey);
  return certificate;
}

async function signed(certificate: pkijs.Certificate, key: CryptoKey): Promise<string> {
  await certificate.sign(key, "SHA-256");
  return pem("CERTIFICATE", certificate.toSchema(true).toBER(false));
}

/** 16 random bytes that are a positive number without leading zeros. */
function serialNumber(): ArrayBuffer {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.buffer;
}

function distinguishedName(commonName: string): pkijs.RelativeDistinguishedNames {
  const value = new asn1js.Utf8String({ value: commonName });
  return new pkijs.RelativeDistinguishedNames({
    typesAndValues: [new pkijs.AttributeTypeAndValue({ type: OID.commonName, value })],
  });
}

function extension(extnID: string, critical: boolean, content: Encodable): pkijs.Extension {
  const block = "toSchema" in content ? content.toSchema() : content;
  return new pkijs.Extension({ extnID, critical, extnValue: block.toBER(false) });
}

type Encodable = asn1js.BaseBlock | { toSchema(): asn1js.BaseBlock };

function keyUsage(bits: number, unusedBits: number): asn1js.BitString {
  return new asn1js.BitString({ valueHex: new Uint8Array([bits]).buffer, unusedBits });
}

async function subjectKeyIdentifier(publicKey: CryptoKey): Promise<pkijs.Extension> {
  return extension(OID.subjectKeyIdentifier, false, octets(await keyIdentifierOf(publicKey)));
}

/** RFC 7093, method 1: the hash's leftmost 160 bits. */
async function keyIdentifierOf(publicKey: CryptoKey): Promise<Uint8Array<ArrayBuffer>> {
  const point = await crypto.subtle.exportKey("raw", publicKey);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", point)).slice(0, 20);
}

function dnsName(value: string): pkijs.GeneralName {
  return new pkijs.GeneralName({ type: DNS_NAME, value });
}

function ipAddress(value: asn1js.OctetString): pkijs.GeneralName {
  return new pkijs.GeneralName({ type: IP_ADDRESS, value });
}

function octets(bytes: Uint8Array<ArrayBuffer>): asn1js.OctetString {
  return new asn1js.OctetString({ valueHex: bytes.buffer });
}

/** An address with a mask that leaves it alone. */
function withMask(address: Uint8Array): asn1js.OctetString {
  const bytes = new Uint8Array(address.length * 2).fill(0xff);
  bytes.set(address);
  return octets(bytes);
}

/** @param address IPv4 or IPv6, without brackets or zone. */
function addressBytes(address: string): Uint8Array<ArrayBuffer> {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  // The platform writes it in its shortest form, without an IPv4 part.
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = short.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((one) => Number.parseInt(one, 16)));
  const [first, last] = [words(head), words(tail ?? "")];
  const all = [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function pem(label: string, der: ArrayBuffer): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .match(/.{1,64}/g);
  return `-----BEGIN ${label}-----\n${lines?.join("\n")}\n-----END ${label}-----\n`;
}

function derOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text.replace(/-----[^-]+-----|\s/g, ""), "base64"));
}
