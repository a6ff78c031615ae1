/** Bytes that come bit by bit, in one run; its room doubles, so that each of them is moved a few times at most. */
export class Gathered {
  length: number;
  private room: Buffer<ArrayBuffer>;

  /** @param first Not changed, and not copied before more comes. */
  constructor(first: Buffer<ArrayBuffer>) {
    this.room = first;
    this.length = first.length;
  }

  /** @returns All so far, good until the next call. */
  add(bytes: Uint8Array): Buffer<ArrayBuffer> {
    const length = this.length + bytes.length;
    if (length > this.room.length) {
      const room = Buffer.allocUnsafeSlow(length * 2);
      room.set(this.room.subarray(0, this.length));
      this.room = room;
    }
    this.room.set(bytes, this.length);
    this.length = length;
    return this.room.subarray(0, length);
  }
}
