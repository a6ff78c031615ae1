/** Where a client asks a proxy to connect to. */
export interface Target {
  /** Lower-case, without a trailing dot. */
  readonly host: string;
  readonly port: number;
}

const AUTHORITY = /^([^\s:@/?#[\]\\%]+):(\d{1,5})$/;
/** What a public host can be called: at least two labels, the last of them no number. IDN in its ASCII form. */
const NAME =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?!\d+$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Reads what stands behind `CONNECT`.
 * @returns what is wrong with it where it is not `name:port`: for the client.
 */
export function readTarget(text: string): Target | string {
  if (/^\[|^[\d.]+:\d+$|^0x[\da-f.]+:\d+$/i.test(text)) {
    return "Hosts are named here, not numbered: an address could be anybody's.";
  }
  const [, name = "", digits = ""] = AUTHORITY.exec(text) ?? [];
  const port = Number(digits);
  if (name === "" || port < 1 || port > 65_535) {
    return "CONNECT wants a host and a port, such as api.openai.com:443, and nothing else.";
  }
  const host = name.toLowerCase().replace(/\.$/, "");
  if (!NAME.test(host))
    return "This is no name that a host on the internet has; write IDN in its ASCII form.";
  return { host, port };
}
