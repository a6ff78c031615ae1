/** What a browser does that is signed in to the console: it keeps cookies and says where its pages come from. */
import type { Gateway } from "./gateway.ts";

export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export class BrowserSession {
  /** Of its pages. */
  readonly origin: string;
  csrf = "";
  private readonly cookies = new Map<string, string>();
  private readonly url: string;

  /** @param origin Where the browser believes it is; the gateway's own machine by default. */
  constructor(url: string, origin = url.replace("127.0.0.1", "localhost")) {
    this.url = url;
    this.origin = origin;
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  set cookie(text: string) {
    this.cookies.clear();
    for (const pair of text.split("; ")) this.keep(pair);
  }

  /** One request of a page's script. @param headers On top of the browser's own; an empty one is not sent. */
  async send<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer<T>> {
    const changes = method !== "GET";
    const all: Record<string, string> = {
      host: new URL(this.origin).host,
      "sec-fetch-site": "same-origin",
      "sec-fetch-mode": "cors",
      "sec-fetch-dest": "empty",
      "user-agent": "TestBrowser/1.0",
      cookie: this.cookie,
      ...(changes ? { origin: this.origin, "x-lmk-csrf": this.csrf } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    };
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== "")),
      redirect: "manual",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const set of response.headers.getSetCookie()) this.keep(set.split(";")[0] ?? "");
    const text = await response.text();
    const isJson = /json/.test(response.headers.get("content-type") ?? "");
    return {
      status: response.status,
      body: (isJson ? JSON.parse(text) : text) as T,
      headers: response.headers,
    };
  }

  /** Signs in by a link's address. */
  async open(link: string): Promise<Answer<{ csrf?: string }>> {
    const token = link.split("#link=")[1] ?? link;
    return this.entered(await this.send("POST", "/session/link", { token }));
  }

  /** Takes the token for changes out of an answer that has begun a session. */
  entered<T extends { csrf?: string }>(answer: Answer<T>): Answer<T> {
    this.csrf = answer.body.csrf ?? this.csrf;
    return answer;
  }

  private keep(pair: string): void {
    const at = pair.indexOf("=");
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}

/** A browser in which this user, by name, is signed in. */
export async function signedIn(gateway: Gateway, user: string): Promise<BrowserSession> {
  const { url } = await gateway.api<{ url: string }>("POST", `/users/${user}/sign-in-link`, {});
  const browser = new BrowserSession(gateway.url);
  const { status } = await browser.open(url);
  if (status !== 200) throw new Error(`Signing ${user} in was answered with ${status}.`);
  return browser;
}

/** The link that a first start prints. */
export function printedLink(gateway: Gateway): string {
  const link = /http\S+#link=\w+/.exec(gateway.stdout())?.[0];
  if (link === undefined) throw new Error(`The start printed no link:\n${gateway.stdout()}`);
  return link;
}
