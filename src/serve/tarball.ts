import { gzipSync } from "node:zlib";

const BLOCK = 512;

/**
 * A compressed tar file, the same for the same files whenever and wherever it is made.
 * @param files By path, in their order; up to 100 characters.
 */
export function tarball(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array<ArrayBuffer> {
  const blocks: Uint8Array[] = [];
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    blocks.push(header(path, bytes.length), bytes, new Uint8Array(-bytes.length & (BLOCK - 1)));
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  const packed = gzipSync(Buffer.concat(blocks), { level: 9 });
  // The byte that names the system that it was made on.
  packed[9] = 255;
  return packed;
}

/** Of a file that everybody may read and run, from the year in which npm's own begin. */
function header(path: string, size: number): Uint8Array<ArrayBuffer> {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for a tar file.`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
  block.write(path, 0);
  octal(0o755, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(499162500, 136, 12);
  block.write("        0", 148, "latin1");
  block.write("ustar\u000000", 257, "latin1");
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
