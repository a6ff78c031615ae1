/**
 * As little as a proxy on this platform can do: what HAProxy does here, in `Bun.serve` and `fetch`. A process of its
 * own; prints its address and serves until its standard input ends.
 */
const [upstream = "", credential = "", key = ""] = process.argv.slice(2);

const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  idleTimeout: 0,
  development: false,
  async fetch(request) {
    if (request.headers.get("authorization") !== `Bearer ${key}`) return new Response(null, { status: 403 });
    const headers = new Headers(request.headers);
    headers.delete("host");
    headers.set("authorization", `Bearer ${credential}`);
    const { url, method } = request;
    const query = url.indexOf("?");
    const init: BunFetchRequestInit & { timeout: false } = {
      method,
      headers,
      body: await request.bytes(),
      redirect: "manual",
      decompress: false,
      timeout: false,
    };
    const reply = await fetch(query === -1 ? upstream : upstream + url.slice(query), init);
    return new Response(reply.body, { status: reply.status, headers: new Headers(reply.headers) });
  },
});

console.log(server.url.origin);
await Bun.stdin.text();
process.exit(0);
