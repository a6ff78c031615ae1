import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, readConfig } from "./config.ts";
import { createKey } from "./domain/key.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lmk-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const REAL = "sk-proj-0123456789abcdef";

function problems(environment: Record<string, string>): readonly string[] {
  try {
    readConfig(environment, folder);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function provider(environment: Record<string, string>, id: string) {
  return readConfig(environment, folder).providers.find((one) => one.provider.id === id);
}

test("nothing set is enough: this machine only, port 8000, data beside, providers without keys", () => {
  const config = readConfig({}, folder);
  expect([config.host, config.port, config.publicUrl]).toEqual(["127.0.0.1", 8000, undefined]);
  expect(config.dataDir).toBe(join(folder, "llamakey-data"));
  const ids = config.providers.map((one) => one.provider.id);
  expect(ids.slice(0, 2)).toEqual(["openai", "anthropic"]);
  for (const id of ["azure", "anyscale", "ollama"]) expect(ids).not.toContain(id);
  expect(config.providers.every((one) => one.environmentCredential === undefined)).toBe(true);
  expect(config.providers.every((one) => one.environmentCredential === undefined)).toBe(true);
  expect(config.warnings).toEqual([]);
  expect(Object.isFrozen(config)).toBe(true);
});

describe("a credential that tokens are made of", () => {
  const client = { VECTARA_CLIENT_ID: "client", VECTARA_CLIENT_SECRET: "secret" };

  test("is what its variables say together, beside a key of one variable", () => {
    const parts = provider(client, "vectara")?.environmentCredential;
    expect(parts?.secret).toBe('{"client_id":"client","client_secret":"secret"}');
    expect(parts?.variable).toBe("VECTARA_CLIENT_ID and VECTARA_CLIENT_SECRET");
    const key = provider({ ...client, VECTARA_API_KEY: "zut_0123456789" }, "vectara");
    expect(key?.environmentCredential?.variable).toBe("VECTARA_API_KEY");
  });

  test("that is not whole stops the start", () => {
    expect(problems({ VECTARA_CLIENT_ID: "client" })).toEqual([
      "VECTARA_CLIENT_ID and VECTARA_CLIENT_SECRET belong together; VECTARA_CLIENT_SECRET is not set.",
    ]);
  });

  test("that holds a master key is a client's", () => {
    const { warnings, providers } = readConfig(
      { ...client, VECTARA_CLIENT_SECRET: createKey().text },
      folder,
    );
    expect(warnings).toEqual([expect.stringContaining("ignored")]);
    expect(providers.every((one) => one.environmentCredential === undefined)).toBe(true);
  });

  test("in a file that cannot be used is warned of: other programs read that variable, too", () => {
    const file = "account.json";
    for (const [text, why] of [
      [undefined, "cannot be read"],
      ["{}", "is not a service account's JSON"],
      [`{"refresh_token":"${createKey().text}"}`, "has written for a client"],
    ] as const) {
      if (text !== undefined) writeFileSync(join(folder, file), text);
      const { warnings } = readConfig({ GOOGLE_APPLICATION_CREDENTIALS: file }, folder);
      expect(warnings).toEqual([expect.stringContaining(why)]);
    }
  });

  test("has a token server of the administrator's choice, and names the account", () => {
    const set = provider({ LMK_VECTARA_AUTH: "http://127.0.0.1:9/", VECTARA_CUSTOMER_ID: "42" }, "vectara");
    expect(set?.provider.credential.mint?.auth).toBe("http://127.0.0.1:9");
    expect(set?.provider.account?.value).toBe("42");
    expect(provider({}, "vectara")?.provider.credential.mint?.auth).toBe("https://auth.vectara.io");
    expect(provider({}, "vectara")?.provider.account?.value).toBeUndefined();
  });

  test("leaves the path of its tokens to the gateway", () => {
    expect(problems({ LMK_SERVER_VECTARA_AUTH: "http://127.0.0.1:9" })[0]).toContain("taken");
  });
});

describe("LMK_LISTEN", () => {
  for (const [text, host, port] of [
    ["127.0.0.1:1", "127.0.0.1", 1],
    ["localhost:65535", "localhost", 65535],
    ["[::1]:0", "::1", 0],
    ["9000", "127.0.0.1", 9000],
    [":9000", "127.0.0.1", 9000],
  ] as const) {
    test(`${text} is ${host}, port ${port}`, () => {
      const config = readConfig({ LMK_LISTEN: text }, folder);
      expect([config.host, config.port]).toEqual([host, port]);
    });
  }

  for (const text of [
    "x",
    "127.0.0.1",
    "127.0.0.1:",
    "127.0.0.1:65536",
    "::1:80",
    "a:b:1",
    "1:2:3",
    "127.0.0.1:-1",
  ]) {
    test(`${text} is refused`, () => expect(problems({ LMK_LISTEN: text }).join()).toContain("LMK_LISTEN"));
  }

  for (const host of ["0.0.0.0", "[::]", "10.0.0.1", "127.evil.example", "example.com"]) {
    test(`${host} opens the gateway to others: the public URL is then needed`, () => {
      expect(problems({ LMK_LISTEN: `${host}:80` }).join()).toContain("LMK_PUBLIC_URL");
      expect(problems({ LMK_LISTEN: `${host}:80`, LMK_PUBLIC_URL: "https://llm.example" })).toEqual([]);
    });
  }
});

describe("a provider's key", () => {
  test("comes from the environment, then from .env; empty counts as unset", () => {
    writeFileSync(
      join(folder, ".env"),
      'OPENAI_API_KEY="sk-from-the-file-0"\nANTHROPIC_API_KEY=sk-ant-from-file # comment\n',
    );
    expect(provider({ OPENAI_API_KEY: REAL }, "openai")?.environmentCredential?.secret).toBe(REAL);
    for (const empty of ["", " ", "\t"]) {
      expect(provider({ OPENAI_API_KEY: empty }, "openai")?.environmentCredential?.secret).toBe(
        "sk-from-the-file-0",
      );
    }
    expect(provider({}, "anthropic")?.environmentCredential?.secret).toBe("sk-ant-from-file");
  });

  test("is trimmed, and named by its variable", () => {
    expect(provider({ OPENAI_API_KEY: ` ${REAL}\n` }, "openai")?.environmentCredential).toEqual({
      variable: "OPENAI_API_KEY",
      secret: REAL,
    });
  });

  test("that is a master key of ours is ignored with a warning that does not quote it", () => {
    for (const alias of ["", "sk-", "sk-ant-", "hf_"]) {
      const poisoned = alias + createKey().text;
      const config = readConfig({ OPENAI_API_KEY: poisoned }, folder);
      expect(config.providers[0]?.environmentCredential).toBeUndefined();
      expect(config.warnings.join()).toContain("OPENAI_API_KEY holds a LlaMaKey master key");
      expect(config.warnings.join()).not.toContain(poisoned.slice(-40));
    }
  });

  test("for a provider without an address is warned of", () => {
    expect(readConfig({ ANYSCALE_API_KEY: REAL }, folder).warnings.join()).toContain("LMK_ANYSCALE_UPSTREAM");
  });
});

describe("servers of one's own", () => {
  test("have a name, a base without a slash at its end, and a key if there is one", () => {
    const environment = { LMK_SERVER_GPU_BOX: "http://gpu:8000/v1/", LMK_SERVER_GPU_BOX_KEY: "secret-0123" };
    expect(provider(environment, "gpu-box")).toMatchObject({
      upstream: "http://gpu:8000/v1",
      environmentCredential: { secret: "secret-0123" },
    });
    const ids = readConfig(environment, folder).providers.map((one) => one.provider.id);
    expect(ids.at(-1)).toBe("gpu-box");
    expect(ids).not.toContain("gpu-box-key");
  });

  for (const name of ["OPENAI", "API", "CLAIM", "LMK", "CONSOLE", "HEALTHZ", "READYZ", "METRICS"]) {
    test(`cannot be called ${name.toLowerCase()}`, () => {
      expect(problems({ [`LMK_SERVER_${name}`]: "http://x/v1" }).join()).toContain("taken");
    });
  }
});

describe("dedicated endpoints of Hugging Face", () => {
  const address = "https://abc.eu-west-1.aws.endpoints.huggingface.cloud";

  test("are providers of their names, with a token of their own or the common one", () => {
    const environment = {
      LMK_HF_ENDPOINT_LAB: `${address}/`,
      LMK_HF_ENDPOINT_MY_TGI: address,
      LMK_HF_ENDPOINT_MY_TGI_KEY: "hf_own_0123456789",
      HF_TOKEN: "hf_common_0123456789",
    };
    expect(provider(environment, "hf-lab")).toMatchObject({
      upstream: address,
      environmentCredential: { variable: "HF_TOKEN" },
    });
    expect(provider(environment, "hf-my-tgi")?.environmentCredential).toEqual({
      variable: "LMK_HF_ENDPOINT_MY_TGI_KEY",
      secret: "hf_own_0123456789",
    });
    expect(readConfig(environment, folder).warnings).toEqual([]);
  });

  test("may be given with the version that most clients want", () => {
    expect(provider({ LMK_HF_ENDPOINT_LAB: `${address}/v1` }, "hf-lab")?.upstream).toBe(address);
  });

  test("have timeouts as all others", () => {
    const environment = { LMK_HF_ENDPOINT_LAB: address, LMK_HF_LAB_TIMEOUTS: "first-byte=20m" };
    expect(provider(environment, "hf-lab")?.provider.timeouts.firstByteMs).toBe(20 * 60_000);
    expect(readConfig(environment, folder).warnings).toEqual([]);
  });
});

test("a base replaces a provider's whole own one", () => {
  expect(provider({ LMK_OPENAI_UPSTREAM: "http://127.0.0.1:4010/v1/" }, "openai")?.upstream).toBe(
    "http://127.0.0.1:4010/v1",
  );
});

test("timeouts that are named replace the provider's, the others stay", () => {
  const { timeouts } = provider({ LMK_OPENAI_TIMEOUTS: "connect=2s, idle=500ms" }, "openai")?.provider ?? {};
  expect(timeouts).toMatchObject({ connectMs: 2000, idleMs: 500, firstByteMs: 900_000, totalMs: 3_600_000 });
  const other = provider({ LMK_OPENAI_TIMEOUTS: "connect=2s" }, "anthropic")?.provider.timeouts;
  expect(other?.connectMs).toBe(10_000);
  for (const text of ["", "connect", "connect=", "connect=2", "speed=2s", "connect=2s;idle=1s"]) {
    if (text !== "") expect(problems({ LMK_OPENAI_TIMEOUTS: text }).join()).toContain("LMK_OPENAI_TIMEOUTS");
  }
});

test("every problem is named at once, and none quotes a secret", () => {
  const found = problems({
    LMK_LISTEN: "x",
    LMK_DRAIN: "soon",
    LMK_ADMIN_TOKEN: "short-SECRET",
    OPENAI_API_KEY: "sk SECRET 0123",
    LMK_ANTHROPIC_UPSTREAM: "https://ada:SECRET@x",
  });
  expect(found).toHaveLength(5);
  expect(found.join("\n")).not.toContain("SECRET");
});

test("a misspelt setting is warned of; those of others are not", () => {
  expect(readConfig({ LMK_LISTNE: "x" }, folder).warnings).toEqual([
    "LMK_LISTNE is not a setting; is it misspelt?",
  ]);
  expect(readConfig({ LMK_URL: "x", LMK_KEY: "y", LMKX: "z" }, folder).warnings).toEqual([]);
});

test("TLS and proxy mode are set as a whole, or the start says what is missing", () => {
  for (const [settings, message] of [
    [{ LMK_TLS_CERT: "cert.pem" }, "belong together"],
    [{ LMK_TLS: "lokal" }, "it must be local"],
    [{ LMK_TLS: "local", LMK_TLS_CERT: "a", LMK_TLS_KEY: "b" }, "leave LMK_TLS_CERT"],
    [{ LMK_TLS_LIFETIME: "400d" }, "at most 90d"],
    [{ LMK_PROXY_LISTEN: "here" }, "LMK_PROXY_LISTEN is"],
    [{ LMK_PROXY_LISTEN: "0.0.0.0:3128" }, "set LMK_PROXY_URL"],
    [{ LMK_PROXY_LISTEN: "3128", LMK_PROXY_TUNNEL: "https://x" }, "names of hosts"],
    [{ LMK_PROXY_LISTEN: "3128", LMK_PROXY_TUNNEL: "10.0.0.1" }, "names of hosts"],
    [{ LMK_PROXY_TUNNEL: "*", LMK_UPSTREAM_PROXY: "http://p:1" }, "tunnels are direct"],
  ] as const) {
    expect(() => readConfig(settings, tmpdir())).toThrow(message);
  }
  const { tls, proxy } = readConfig(
    { LMK_TLS: "local", LMK_PROXY_LISTEN: "3128", LMK_PROXY_TUNNEL: "pypi.org, *.Example.com" },
    tmpdir(),
  );
  expect(tls).toEqual({ kind: "local" });
  expect(proxy).toEqual({
    host: "127.0.0.1",
    port: 3128,
    publicUrl: undefined,
    tunnels: ["pypi.org", "*.example.com"],
  });
});
