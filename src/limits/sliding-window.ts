/** A limit holds over any span of this length, milliseconds. */
export const WINDOW_MS = 60_000;
/** What is counted becomes free again at most this long after it left the window. */
export const GRAIN_MS = 100;

const GRAINS = WINDOW_MS / GRAIN_MS;
const SMALLEST = 8;

/**
 * What was counted in the last minute.
 *
 * Amounts are kept by tenths of a second, and the tenth that the window's beginning lies in counts whole: the sum is
 * never less than what the last 60 s had, and never more than what the last 60.1 s had. There are at most 601 tenths,
 * and only those that counted something are kept, in two rings that grow as they are needed.
 */
export class SlidingWindow {
  private grains = new Float64Array(SMALLEST);
  private amounts = new Float64Array(SMALLEST);
  private head = 0;
  private length = 0;
  private sum = 0;

  /** @param now Never less than before; what is, counts as the newest. */
  total(now: number): number {
    this.expire(now);
    return this.sum;
  }

  /** @returns the mark by which the amount can be corrected later. */
  add(now: number, amount: number): number {
    this.expire(now);
    const newest =
      this.length === 0 ? Number.NEGATIVE_INFINITY : (this.grains[this.at(this.length - 1)] ?? 0);
    const grain = Math.max(grainOf(now), newest);
    if (grain !== newest) this.append(grain);
    this.change(this.at(this.length - 1), amount);
    return grain;
  }

  /** Changes what was counted at this mark; what has left the window stays as it was. */
  correct(mark: number, difference: number): void {
    let low = 0;
    let high = this.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const grain = this.grains[this.at(middle)] ?? 0;
      if (grain < mark) low = middle + 1;
      else high = middle - 1;
      if (grain === mark) this.change(this.at(middle), difference);
    }
  }

  /** In how many milliseconds the sum will be this or less, if nothing is added. */
  msUntil(now: number, most: number): number {
    this.expire(now);
    let left = this.sum;
    for (let n = 0; n < this.length; n++) {
      if (left <= most) return n === 0 ? 0 : leavesAt(this.grains[this.at(n - 1)] ?? 0) - now;
      left -= this.amounts[this.at(n)] ?? 0;
    }
    return this.length === 0 ? 0 : leavesAt(this.grains[this.at(this.length - 1)] ?? 0) - now;
  }

  private expire(now: number): void {
    const oldest = grainOf(now) - GRAINS;
    while (this.length > 0 && (this.grains[this.head] ?? 0) < oldest) {
      this.sum -= this.amounts[this.head] ?? 0;
      this.head = this.at(1);
      this.length--;
    }
  }

  private append(grain: number): void {
    if (this.length === this.grains.length) this.grow();
    const index = this.at(this.length);
    this.grains[index] = grain;
    this.amounts[index] = 0;
    this.length++;
  }

  private grow(): void {
    const grains = new Float64Array(this.grains.length * 2);
    const amounts = new Float64Array(this.grains.length * 2);
    for (let n = 0; n < this.length; n++) {
      grains[n] = this.grains[this.at(n)] ?? 0;
      amounts[n] = this.amounts[this.at(n)] ?? 0;
    }
    this.grains = grains;
    this.amounts = amounts;
    this.head = 0;
  }

  private change(index: number, difference: number): void {
    this.amounts[index] = (this.amounts[index] ?? 0) + difference;
    this.sum += difference;
  }

  /** The ring's lengths are powers of two. */
  private at(n: number): number {
    return (this.head + n) & (this.grains.length - 1);
  }
}

function grainOf(at: number): number {
  return Math.floor(at / GRAIN_MS);
}

/** The first moment at which this grain does not count any more. */
function leavesAt(grain: number): number {
  return (grain + GRAINS + 1) * GRAIN_MS;
}
