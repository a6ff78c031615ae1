/**
 * Waits until `read` gives something, and returns that; what is written off the hot path comes a little later.
 * @param limitMs How long nobody waits for anything: a busy machine stands still for seconds.
 */
export async function poll<T>(
  what: string,
  read: () => T | undefined | Promise<T | undefined>,
  limitMs = 20_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`After ${limitMs} ms still no ${what}.`);
    await Bun.sleep(10);
  }
}
