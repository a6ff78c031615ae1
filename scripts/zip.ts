import { crc32, deflateRawSync } from "node:zlib";

interface Entry {
  readonly path: string;
  /** Of a Unix file. */
  readonly mode: number;
  readonly content: Uint8Array;
}

/** 1980-01-01, the first day that there is. */
const FIRST_DAY = 0x21;
const DEFLATED = 8;
/** 2.0, for compressed files; made on Unix, so that modes count. */
const VERSION = 20;
const MADE_BY_UNIX = (3 << 8) | VERSION;
const REGULAR_FILE = 0o100000;

/** A zip file, the same for the same entries whenever and wherever it is made. Paths are ASCII; up to 4 GiB. */
export function zip(entries: readonly Entry[]): Uint8Array {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const { path, mode, content } of entries) {
    const packed = deflateRawSync(content, { level: 6 });
    const name = Buffer.from(path, "latin1");
    // Version, flags, method, time and day, checksum, sizes, length of the name, and of what else there is: none.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(VERSION, 0);
    common.writeUInt16LE(DEFLATED, 4);
    common.writeUInt16LE(FIRST_DAY, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const file = [Buffer.from("PK\x03\x04", "latin1"), common, name, packed];
    // Comment, disk, kind of text: none; then mode and place.
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((REGULAR_FILE | mode) * 0x10000, 6);
    rest.writeUInt32LE(offset, 10);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(MADE_BY_UNIX);
    directory.push(Buffer.from("PK\x01\x02", "latin1"), madeBy, common, rest, name);
    files.push(...file);
    offset += file.reduce((sum, part) => sum + part.length, 0);
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}
