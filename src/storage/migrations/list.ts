/**
 * The schema's history, oldest first: a database's version is the number of these it has run.
 * Never edit one that was released; append.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE groups (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    expires_at BIGINT
  );
  CREATE TABLE users (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    group_id TEXT NOT NULL REFERENCES groups (id),
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    expires_at BIGINT
  );
  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    expires_at BIGINT
  );
  CREATE TABLE key_secrets (
    key_id TEXT NOT NULL REFERENCES keys (id),
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (key_id, version)
  );
  CREATE TABLE credentials (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    name TEXT NOT NULL,
    upstream TEXT NOT NULL,
    sealed BLOB NOT NULL,
    masked TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (provider, name)
  );
  CREATE TABLE secrets (
    purpose TEXT PRIMARY KEY,
    wrapped BLOB NOT NULL
  );
  CREATE TABLE requests (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at BIGINT NOT NULL,
    key_id TEXT,
    user_id TEXT,
    group_id TEXT,
    provider TEXT,
    method TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT,
    status INTEGER NOT NULL,
    refusal TEXT,
    ending TEXT NOT NULL,
    first_byte_ms DOUBLE PRECISION,
    duration_ms DOUBLE PRECISION NOT NULL,
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    upstream_request_id TEXT,
    address TEXT
  );
  CREATE INDEX requests_at ON requests (at);
  `,
  `
  ALTER TABLE requests ADD COLUMN usage TEXT;
  ALTER TABLE requests ADD COLUMN evidence TEXT;
  ALTER TABLE requests ADD COLUMN input_tokens BIGINT;
  ALTER TABLE requests ADD COLUMN output_tokens BIGINT;
  ALTER TABLE requests ADD COLUMN cost_nanos BIGINT;
  ALTER TABLE requests ADD COLUMN price_book INTEGER;
  CREATE TABLE price_books (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE
  );
  CREATE TABLE metered_jobs (
    job TEXT PRIMARY KEY,
    request_id TEXT NOT NULL
  );
  `,
  `
  CREATE TABLE price_overrides (
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    service_tier TEXT NOT NULL,
    rates TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, model, service_tier)
  );
  CREATE TABLE pricing_defaults (
    provider TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    price TEXT
  );
  CREATE TABLE pinned_snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    text TEXT NOT NULL,
    pinned_at BIGINT NOT NULL
  );
  `,
  `
  CREATE TABLE ledger_blocks (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    text TEXT NOT NULL,
    hash BLOB NOT NULL
  );
  CREATE TABLE ledger_checkpoint (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    next_hold BIGINT NOT NULL,
    open_holds TEXT NOT NULL
  );
  CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    budget_id TEXT NOT NULL,
    start_at BIGINT NOT NULL,
    end_at BIGINT,
    posted BIGINT NOT NULL
  );
  CREATE INDEX accounts_end ON accounts (end_at);
  `,
  `
  CREATE TABLE policies (
    scope_kind TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    document TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (scope_kind, scope_id)
  );
  CREATE TABLE budgets (
    id TEXT PRIMARY KEY,
    scope_kind TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    name TEXT NOT NULL,
    amount_nanos BIGINT NOT NULL,
    period TEXT NOT NULL,
    hours BIGINT,
    provider TEXT,
    model TEXT,
    thresholds TEXT NOT NULL,
    shadow BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
  );
  CREATE UNIQUE INDEX budgets_name ON budgets (scope_kind, scope_id, name) WHERE removed_at IS NULL;
  CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  );
  CREATE TABLE threshold_events (
    id TEXT PRIMARY KEY,
    budget_id TEXT NOT NULL,
    period_start BIGINT NOT NULL,
    threshold BIGINT NOT NULL,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    outcome TEXT,
    closed_at BIGINT,
    UNIQUE (budget_id, period_start, threshold)
  );
  ALTER TABLE requests ADD COLUMN shadow_refusal TEXT;
  `,
  `
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_id TEXT,
    actor_name TEXT NOT NULL,
    address TEXT,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_name TEXT NOT NULL,
    fields_before TEXT,
    fields_after TEXT,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  );
  CREATE INDEX audit_target ON audit (target_id);
  `,
  `
  CREATE TABLE kept_snapshots (
    hash TEXT PRIMARY KEY,
    text TEXT NOT NULL
  );
  CREATE TABLE kept_price_books (
    hash TEXT PRIMARY KEY,
    basis TEXT NOT NULL,
    snapshot_hash TEXT NOT NULL
  );
  CREATE TABLE pruned_requests (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    before BIGINT NOT NULL
  );
  `,
  `
  ALTER TABLE credentials ADD COLUMN weight INTEGER NOT NULL DEFAULT 1;
  `,
  `
  CREATE TABLE objects (
    seq INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    credential_id TEXT,
    key_id TEXT,
    user_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT,
    UNIQUE (provider, kind, id)
  );
  `,
  `
  ALTER TABLE keys ADD COLUMN parent_id TEXT REFERENCES keys (id);
  ALTER TABLE keys ADD COLUMN parent_secret INTEGER;
  CREATE INDEX keys_parent ON keys (parent_id);
  CREATE INDEX keys_children ON keys (expires_at) WHERE parent_id IS NOT NULL;
  `,
  `
  ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
  UPDATE users SET role = 'owner' WHERE id = (SELECT id FROM users ORDER BY created_at, id LIMIT 1);
  CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id),
    method TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    stepped_up_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT,
    agent TEXT NOT NULL
  );
  CREATE INDEX sessions_user ON sessions (user_id);
  CREATE TABLE sign_in_links (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id),
    by_operator BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
  );
  CREATE TABLE passwords (
    user_id TEXT PRIMARY KEY REFERENCES users (id),
    hash TEXT NOT NULL,
    changed_at BIGINT NOT NULL
  );
  CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    public_key BLOB NOT NULL,
    counter BIGINT NOT NULL,
    transports TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
  );
  CREATE INDEX passkeys_user ON passkeys (user_id);
  CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    last_used_at BIGINT
  );
  CREATE INDEX api_tokens_user ON api_tokens (user_id);
  CREATE TABLE identities (
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    managed BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
  );
  `,
  `
  CREATE TABLE claims (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    key_name TEXT NOT NULL,
    key_expires_at BIGINT,
    hash BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    claimed_at BIGINT,
    key_id TEXT
  );
  CREATE INDEX claims_key ON claims (key_id);
  `,
  `
  CREATE TABLE usage_days (
    at BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    PRIMARY KEY (at, user_id, group_id, key_id, provider, model)
  ) WITHOUT ROWID;
  CREATE TABLE people_hours (
    at BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    PRIMARY KEY (at, user_id, group_id)
  ) WITHOUT ROWID;
  CREATE TABLE people_days (
    at BIGINT NOT NULL,
    user_id TEXT NOT NULL,
    group_id TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    PRIMARY KEY (at, user_id, group_id)
  ) WITHOUT ROWID;
  CREATE TABLE traffic_hours (
    at BIGINT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    PRIMARY KEY (at, provider, model)
  ) WITHOUT ROWID;
  CREATE TABLE traffic_days (
    at BIGINT NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    requests BIGINT NOT NULL,
    errors BIGINT NOT NULL,
    refusals BIGINT NOT NULL,
    input_tokens BIGINT NOT NULL,
    output_tokens BIGINT NOT NULL,
    cost_nanos BIGINT NOT NULL,
    unpriced BIGINT NOT NULL,
    PRIMARY KEY (at, provider, model)
  ) WITHOUT ROWID;
  CREATE TABLE latency_hours (
    at BIGINT NOT NULL,
    provider TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    first_bytes BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    PRIMARY KEY (at, provider, bucket)
  ) WITHOUT ROWID;
  CREATE TABLE latency_days (
    at BIGINT NOT NULL,
    provider TEXT NOT NULL,
    bucket INTEGER NOT NULL,
    first_bytes BIGINT NOT NULL,
    ends BIGINT NOT NULL,
    PRIMARY KEY (at, provider, bucket)
  ) WITHOUT ROWID;
  CREATE TABLE rolled_up (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL
  );
  INSERT INTO rolled_up (id, seq) VALUES (1, 0);
  ALTER TABLE requests ADD COLUMN sent_ms DOUBLE PRECISION;
  CREATE INDEX requests_id ON requests (id);
  CREATE INDEX requests_user ON requests (user_id, at);
  CREATE INDEX requests_failed ON requests (status, at) WHERE status >= 400;
  CREATE INDEX requests_refused ON requests (refusal, at) WHERE refusal IS NOT NULL;
  `,
  `
  ALTER TABLE keys ADD COLUMN frozen_at BIGINT;
  ALTER TABLE keys ADD COLUMN frozen_why TEXT;
  CREATE TABLE asks (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    scope_kind TEXT,
    scope_id TEXT,
    budget_id TEXT,
    name TEXT,
    amount TEXT,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT,
    answer TEXT
  );
  CREATE INDEX asks_user ON asks (user_id, created_at);
  CREATE INDEX asks_state ON asks (state, created_at);
  CREATE TABLE answered_creations (
    key TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    request_hash TEXT NOT NULL,
    status INTEGER,
    answer TEXT
  );
  CREATE INDEX answered_creations_at ON answered_creations (at);
  `,
  `
  ALTER TABLE keys ADD COLUMN leaked_at BIGINT;
  ALTER TABLE keys ADD COLUMN leaked_in TEXT;
  ALTER TABLE keys ADD COLUMN leaked_version BIGINT;
  ALTER TABLE keys ADD COLUMN leaked_request TEXT;
  CREATE TABLE webhook_events (
    id TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    body TEXT NOT NULL,
    outcome TEXT,
    closed_at BIGINT
  );
  `,
  `
  CREATE TABLE named_providers (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    upstream TEXT NOT NULL,
    allow_private BIGINT NOT NULL,
    created_at BIGINT NOT NULL
  );
  `,
  `
  ALTER TABLE sign_in_links ADD COLUMN made_by TEXT REFERENCES users (id);
  `,
  `
  CREATE TABLE commit_log (
    database TEXT NOT NULL,
    applied BIGINT NOT NULL
  );
  INSERT INTO commit_log VALUES (lower(hex(randomblob(16))), 0);
  `,
];
