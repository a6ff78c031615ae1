import { randomBytes } from "node:crypto";
import type { ConsoleBundle } from "./console-bundle.ts";

const ASSETS = "/console/assets/";

/** For every answer: nothing here is for another site, to frame, to read or to guess the type of. */
const ALWAYS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const TITLE = "LlaMaKey";
const SHUT_OFF = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

/**
 * Answers `/console`: one page for every path of it, and the files that the page names.
 * @param bundle Asked for at each page, so that a checkout's console is as its sources are now.
 */
export function consolePages(bundle: () => Promise<ConsoleBundle>): (request: Request) => Promise<Response> {
  let shown: ConsoleBundle | undefined;
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(405, "Only GET is for this path.\n", { allow: "GET, HEAD" });
    }
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(ASSETS)) {
      shown = await bundle();
      return page(shown);
    }
    shown ??= await bundle();
    return asset(shown, pathname.slice(ASSETS.length), request.headers.get("accept-encoding") ?? "");
  };
}

function asset({ files }: ConsoleBundle, name: string, accepted: string): Response {
  const file = Object.hasOwn(files, name) ? files[name] : undefined;
  if (file === undefined) return plain(404, "There is nothing at this path.\n");
  const headers = {
    ...ALWAYS,
    "content-type": file.type,
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
  };
  const gzip = Buffer.from(file.gzip, "base64");
  return /\bgzip\b/.test(accepted)
    ? new Response(gzip, { headers: { ...headers, "content-encoding": "gzip" } })
    : new Response(Bun.gunzipSync(gzip), { headers });
}

/** Scripts and styles run by a number that no earlier page had: not even this origin's other paths can lend any. */
function page({ boot, main, preload, styles }: ConsoleBundle): Response {
  const nonce = randomBytes(16).toString("base64url");
  const script = (name: string, rest: string) =>
    `<script ${rest} nonce="${nonce}" src="${ASSETS}${name}"></script>`;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="style-nonce" content="${nonce}">
<title>${TITLE}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
${styles.map((name) => `<link rel="stylesheet" nonce="${nonce}" href="${ASSETS}${name}">`).join("\n")}
${script(boot, "")}
${preload.map((name) => `<link rel="modulepreload" nonce="${nonce}" href="${ASSETS}${name}">`).join("\n")}
${script(main, 'type="module"')}
</head>
<body>
<div id="console"></div>
<noscript>The console needs JavaScript. The command line does all of it, too: lmk --help</noscript>
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "img-src data:",
    "connect-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return new Response(html, {
    headers: {
      ...ALWAYS,
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": policy.join("; "),
      "permissions-policy": SHUT_OFF,
    },
  });
}

/** A key whose bow is a llama's head, as far as sixteen pixels go. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0f6a4e"/><path d="M12 7v4a6 6 0 1 0 4.6 11L19 24.5h3v-3h3v-3.5l-4.3-4.3A6 6 0 0 0 16 11.200V7l-2 2z" fill="#fff"/></svg>`;

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, {
    status,
    headers: {
      ...ALWAYS,
      ...headers,
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
    },
  });
}
