/**
 * Who may import whom in src/. A folder or file without a row here may not exist: a new room is a decision.
 *
 * - `sees`: the rows whose files it may import, types included; its own folder always
 * - `packages`: the npm packages it may import
 * - `platform`: whether it may import `node:` and `bun:` modules
 *
 * Tests (`*.test.ts`) may import anything.
 *
 * @typedef {{ sees: string[] | "all", packages: string[] | "all", platform: boolean }} Row
 */

// What the gateway and the admin API stand on; neither sees the other.
const core = ["domain", "providers", "pricing", "ledger", "limits", "vault"];

/** @type {Record<string, Row>} */
export const rules = {
  // Nouns and pure rules: nothing but the language.
  domain: { sees: [], packages: [], platform: false },

  providers: { sees: ["domain"], packages: [], platform: true },
  pricing: { sees: ["domain"], packages: [], platform: true },
  ledger: { sees: ["domain"], packages: [], platform: true },
  limits: { sees: ["domain"], packages: [], platform: true },
  vault: { sees: ["domain"], packages: [], platform: true },

  // HTTP/1.1 to providers, over the platform's sockets: knows nothing of what is sent.
  upstream: { sees: [], packages: [], platform: true },

  // Handed a store, a ledger and a clock through interfaces: never sees storage.
  gateway: { sees: [...core, "upstream"], packages: [], platform: true },
  admin: {
    sees: core,
    packages: ["hono", "@hono/zod-openapi", "zod", "@simplewebauthn/server", "openid-client"],
    platform: true,
  },

  // Certificates: handed a vault and a store through interfaces.
  tls: { sees: ["domain"], packages: ["asn1js", "pkijs"], platform: true },
  // Where clients ask for a tunnel; what ends here is handed on to a port of the gateway's.
  proxy: { sees: ["domain", "gateway"], packages: [], platform: true },

  storage: { sees: ["domain"], packages: [], platform: true },
  telemetry: { sees: ["domain"], packages: [], platform: true },
  // The packages change files of settings and keep the rest of them.
  client: {
    sees: ["domain", "providers"],
    packages: ["diff", "jsonc-parser", "smol-toml", "yaml"],
    platform: true,
  },

  // They talk to the admin API over HTTP, as any other client does.
  commands: { sees: ["client", "domain"], packages: ["commander", "zod"], platform: true },

  "config.ts": { sees: ["domain", "providers"], packages: ["zod"], platform: true },

  // The command line of a user's machine alone, for Node.
  "client-main.ts": { sees: ["commands"], packages: [], platform: true },

  "version.ts": { sees: [], packages: [], platform: false },

  // The only places where objects are constructed: the running gateway, and the command line around it.
  serve: { sees: "all", packages: "all", platform: true },
  "main.ts": { sees: "all", packages: "all", platform: true },
};

/** What the product never imports: it must build and run without them. */
export const outside = ["test", "bench", "web", "scripts", "bin"];
