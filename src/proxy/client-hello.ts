/** What a client's first bytes say. */
export type Hello =
  /** Not all of it is there yet. */
  | { readonly kind: "incomplete" }
  /** Not TLS, or larger than any client sends. */
  | { readonly kind: "unreadable" }
  /** @property serverName Lower-case; undefined where the client asks for none. */
  | { readonly kind: "hello"; readonly serverName: string | undefined };

/** Hybrid key shares and session tickets make a few KiB. */
export const MAX_HELLO_BYTES = 16 * 1024;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const INCOMPLETE: Hello = { kind: "incomplete" };
const UNREADABLE: Hello = { kind: "unreadable" };

/**
 * Reads which server a TLS client asks for (RFC 8446 4.1.2, RFC 6066 3), without answering it.
 * @param bytes Everything that it has sent so far.
 */
export function readClientHello(bytes: Buffer): Hello {
  const message = handshakeMessage(bytes);
  if (!Buffer.isBuffer(message)) return message;
  try {
    return { kind: "hello", serverName: serverNameIn(extensionsIn(message)) };
  } catch (error) {
    if (error instanceof RangeError) return UNREADABLE;
    throw error;
  }
}

/** The client's hello without its header, put together from the records that carry it. */
function handshakeMessage(bytes: Buffer): Buffer | Hello {
  const pieces: Buffer[] = [];
  let length = 0;
  for (let at = 0; ; ) {
    if (bytes.length > at && bytes[at] !== HANDSHAKE) return UNREADABLE;
    if (bytes.length < at + 5) return INCOMPLETE;
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (end === at + 5 || end > MAX_HELLO_BYTES) return UNREADABLE;
    if (bytes.length < end) return INCOMPLETE;
    pieces.push(bytes.subarray(at + 5, end));
    length += end - at - 5;
    at = end;
    if (length < 4) continue;
    const message = Buffer.concat(pieces);
    if (message[0] !== CLIENT_HELLO) return UNREADABLE;
    const wanted = message.readUIntBE(1, 3);
    if (wanted > MAX_HELLO_BYTES) return UNREADABLE;
    if (length >= 4 + wanted) return message.subarray(4, 4 + wanted);
  }
}

/** @throws RangeError where it ends too early. */
function extensionsIn(hello: Buffer): Buffer {
  // Version and random; then session id, cipher suites and compression methods, each behind its length.
  let at = 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  return at === hello.length ? Buffer.alloc(0) : part(hello, at + 2, hello.readUInt16BE(at));
}

/** @throws RangeError */
function serverNameIn(extensions: Buffer): string | undefined {
  let found: string | undefined;
  for (let at = 0; at < extensions.length; ) {
    const type = extensions.readUInt16BE(at);
    const content = part(extensions, at + 4, extensions.readUInt16BE(at + 2));
    at += 4 + content.length;
    if (type !== SERVER_NAME) continue;
    // Two of them, or a list of several names: two readers could take different ones.
    if (found !== undefined || content.readUInt16BE(0) !== content.length - 2 || content.readUInt8(2) !== 0)
      throw new RangeError("ambiguous server name");
    const name = part(content, 5, content.readUInt16BE(3));
    if (name.length !== content.length - 5) throw new RangeError("several server names");
    found = name.toString("latin1").toLowerCase();
  }
  return found;
}

function part(bytes: Buffer, start: number, length: number): Buffer {
  if (start + length > bytes.length) throw new RangeError("cut short");
  return bytes.subarray(start, start + length);
}
