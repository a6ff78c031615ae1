/** What a program tells of its calls: one line of JSON. Nothing of an SDK is configured in these programs. */
import { createHash, randomBytes } from "node:crypto";

export const HELLO = "Say hello";
export const FAIL = "Fail with 400";
export const CONTENT = randomBytes(40_000);
export const DIGEST = createHash("sha256").update(CONTENT).digest("hex");

/** @param {string} content */
export const says = (content) => [{ role: /** @type {const} */ ("user"), content }];

/**
 * Each call's own result, or what it failed with: one call's failure does not hide the others.
 * @param {Record<string, () => Promise<unknown>>} calls
 */
export async function tell(calls) {
  /** @type {Record<string, unknown>} */
  const told = {};
  for (const [name, call] of Object.entries(calls)) {
    try {
      told[name] = await call();
    } catch (error) {
      told[name] =
        `${/** @type {Error} */ (error).constructor.name}: ${/** @type {Error} */ (error).message}`;
    }
  }
  console.log(JSON.stringify(told));
}
