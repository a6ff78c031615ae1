import { networkOf } from "../gateway/private-address.ts";

/**
 * Why an address that an administrator chose may not be called, for that administrator; undefined where it may.
 * @param whose "The webhook's", at the beginning of a sentence.
 */
export async function addressProblem(
  whose: string,
  url: string,
  allowPrivate: boolean,
): Promise<string | undefined> {
  const { protocol, hostname, username } = new URL(url);
  if (username !== "") return `${whose} URL must not contain a user name.`;
  const network = await networkOf(hostname);
  if (network === "metadata")
    return `${whose} host is where clouds tell machines their credentials; nothing is sent there.`;
  if (allowPrivate) return undefined;
  if (protocol !== "https:") return `${whose} URL must begin with https:// (or allow private addresses).`;
  if (network === "public") return undefined;
  return network === "unknown"
    ? `${whose} host name cannot be resolved.`
    : `${whose} host is in a private network; allow that if it is meant.`;
}
