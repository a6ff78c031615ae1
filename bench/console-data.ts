/** A large installation's database, made at once: what it holds is nobody's. */
import { Database } from "bun:sqlite";

export interface Size {
  readonly users: number;
  readonly keys: number;
  readonly rows: number;
}

const GROUPS = 20;
const DAYS = 30;
const MODELS = [
  ["openai", "gpt-5"],
  ["openai", "gpt-5-mini"],
  ["openai", "text-embedding-3-small"],
  ["anthropic", "claude-sonnet-5"],
  ["anthropic", "claude-haiku-5"],
  ["gemini", "gemini-3-flash"],
  ["mistral", "mistral-small-latest"],
  ["cohere", "command-a"],
];

/**
 * Fills a database that a gateway has begun and left: users in groups, each with keys, and their calls of a month, most
 * of them in the hours in which people work.
 * @param now Epoch milliseconds: the last call.
 */
export function fillConsole(path: string, { users, keys, rows }: Size, now: number): void {
  const database = new Database(path);
  database.run("PRAGMA synchronous = OFF");
  database.run("PRAGMA cache_size = -262144");
  const count = (most: number) =>
    `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${most})`;
  database.transaction(() => {
    database.run(
      `INSERT INTO groups (id, name, created_at) ${count(GROUPS)} SELECT 'grp_load' || i, 'team ' || i, ${now} FROM n`,
    );
    database.run(
      `INSERT INTO users (id, name, group_id, created_at)
       ${count(users)} SELECT 'usr_load' || i, 'person ' || i, 'grp_load' || (i % ${GROUPS}), ${now} FROM n`,
    );
    database.run(
      `INSERT INTO keys (id, name, user_id, created_at)
       ${count(keys)} SELECT 'load' || substr('000000' || i, -6), 'key', 'usr_load' || (i % ${users}), ${now} + i FROM n`,
    );
    const models = MODELS.map(([provider, model], at) => `(${at}, '${provider}', '${model}')`).join(", ");
    // Multiplied by large primes, so that neighbours differ and no two runs do.
    database.run(
      `INSERT INTO requests (id, at, key_id, user_id, group_id, provider, method, endpoint, model, status, refusal, ending,
         first_byte_ms, duration_ms, bytes_in, bytes_out, address, usage, evidence, input_tokens, output_tokens, cost_nanos, sent_ms)
       ${count(rows)}, models(m, provider, model) AS (VALUES ${models})
       SELECT 'lmkreq-load-' || i, ${now} - ${DAYS * 86_400_000} + CAST(i * ${(DAYS * 86_400_000) / rows} AS INTEGER),
         'load' || substr('000000' || (i * 7919 / 11 % ${keys}), -6), 'usr_load' || (i * 7919 / 11 % ${keys} % ${users}),
         'grp_load' || (i * 7919 / 11 % ${keys} % ${users} % ${GROUPS}), provider, 'POST', '/v1/chat/completions', model,
         CASE WHEN i % 50 = 0 THEN 429 WHEN i % 71 = 0 THEN 500 ELSE 200 END,
         CASE WHEN i % 50 = 0 THEN 'rate_limited' END, CASE WHEN i % 50 = 0 THEN 'refused' ELSE 'complete' END,
         100 + i % 900, 300 + i * 31 % 9000, 600, 900, '10.0.0.' || (i % 250),
         CASE WHEN i % 50 <> 0 THEN '{"input_tokens":109,"output_tokens":98}' END, CASE WHEN i % 50 <> 0 THEN 'reported' END,
         CASE WHEN i % 50 <> 0 THEN 109 END, CASE WHEN i % 50 <> 0 THEN 98 END,
         CASE WHEN i % 50 <> 0 THEN 1234000 + i % 1000 END, 1.5
       FROM n JOIN models ON m = i * 31 % ${MODELS.length}`,
    );
  })();
  database.close();
}
