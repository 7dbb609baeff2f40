-- Times are milliseconds since 1970; flags and states are words.

create table users (
    id text not null primary key,
    name text not null unique,
    role text not null,
    -- An Argon2 hash with its cost and salt.
    password text not null,
    revision bigint not null,
    created_at bigint not null
);

create table tokens (
    hash text not null primary key,
    name text not null,
    role text not null,
    -- `admin_file` and `node_file` tokens are replaced when their file changes; `command` tokens stay.
    source text not null,
    created_at bigint not null,
    id text,
    expires_at bigint
);
create unique index tokens_by_id on tokens (id);

-- A session belongs to a user or to a token.
create table sessions (
    id text not null primary key,
    hash text not null unique,
    user_id text references users (id) on delete cascade,
    token_hash text references tokens (hash) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);

create table nodes (
    id text not null primary key,
    version text not null,
    last_seen bigint not null,
    -- The last reported status, as JSON.
    status text
);

-- Connectors that nodes reported. A node counts from its start, so each start has rows of its own.
create table connectors (
    node_id text not null,
    started_at bigint not null,
    -- SHA-256 of the identifying fields: bounded, whatever a caller reports.
    key_hash text not null,
    kind text not null,
    version text not null,
    event text,
    distribution_id text,
    distribution_domain text,
    application bigint,
    -- Delivery of requests; null: reports on responses.
    delivery text,
    last_seen bigint not null,
    calls bigint not null,
    not_inspected bigint not null,
    primary key (node_id, started_at, key_hash)
);
create index connectors_by_age on connectors (last_seen);

-- Keys that sign the calls of connectors. The secret goes into bundles, so it is stored in clear text.
create table signing_keys (
    id text not null primary key,
    name text not null,
    secret text not null,
    created_at bigint not null
);
create index signing_keys_by_age on signing_keys (created_at, id);

-- A request with its decision, which holds for all of its hits.
create table requests (
    request_id text not null primary key,
    at bigint not null,
    connector text,
    edge_request_id text,
    client_ip text not null,
    method text not null,
    scheme text,
    http_version text,
    host text not null,
    path text not null,
    query text not null,
    headers text not null,
    body bytea,
    body_bytes bigint,
    body_truncated text not null,
    outcome text not null,
    reason text,
    mode text not null,
    mode_source text not null,
    delivery text not null,
    enforced text not null,
    response_status bigint,
    -- The rules and list entries that decided, as JSON of the wire; null: none.
    decided_by text
);
create index requests_by_edge_request on requests (edge_request_id);

create table attacks (
    id text not null primary key,
    -- SHA-256 of (type, point, host, path): bounded, whatever a request holds.
    key_hash text not null,
    type text not null,
    point text not null,
    parameter text not null,
    host text not null,
    path text not null,
    first_seen bigint not null,
    last_seen bigint not null,
    hits bigint not null,
    blocked bigint not null,
    mark text,
    mark_note text,
    mark_by text,
    mark_at bigint,
    mark_revision bigint not null default 0
);
create index attacks_by_key on attacks (key_hash, last_seen);
create index attacks_by_last_seen on attacks (last_seen, id);
create index attacks_by_mark on attacks (mark) where mark is not null;

create table hits (
    id text not null primary key,
    request_id text not null references requests (request_id),
    type text not null,
    attack_id text not null references attacks (id),
    at bigint not null,
    point text not null,
    parameter text not null,
    payload text,
    severity text,
    findings text not null,
    unique (request_id, type)
);
create index hits_by_attack on hits (attack_id, at, id);

-- Merged attacks: the old id redirects to the new one.
create table attack_redirects (
    old_id text not null primary key,
    new_id text not null
);
create index attack_redirects_by_new on attack_redirects (new_id);

-- Counters by attack: statistics do not read hits.
create table attack_sources (
    attack_id text not null,
    ip text not null,
    hits bigint not null,
    primary key (attack_id, ip)
);
create index attack_sources_by_ip on attack_sources (ip, attack_id, hits);

create table attack_statuses (
    attack_id text not null,
    -- Status of the response.
    status bigint not null,
    hits bigint not null,
    primary key (attack_id, status)
);
create index attack_statuses_by_status on attack_statuses (status, attack_id, hits);

create table attack_times (
    attack_id text not null,
    -- Start of a bucket of five minutes.
    slot bigint not null,
    hits bigint not null,
    blocked bigint not null,
    primary key (attack_id, slot)
);
create index attack_times_by_slot on attack_times (slot, attack_id, hits, blocked);

-- Search terms: each distinct text of a field once, in lower case. The program adds an index of trigrams when `pg_trgm`
-- is available.
create table terms (
    -- The first 16 bytes of the SHA-256 of field and text.
    id bytea not null primary key,
    -- The field's name in the search language.
    field text not null,
    text text not null
);
-- Payloads are many, the texts of all other fields few: those are found without reading payloads.
create index terms_by_field on terms (field) where field <> 'payload';

-- The name that SQLite gives to its index of trigrams.
create view term_parts as select id, field, text from terms;

create table attack_terms (
    attack_id text not null,
    term_id bytea not null,
    primary key (attack_id, term_id)
);
create index attack_terms_by_term on attack_terms (term_id, attack_id);

create table not_inspected (
    id text not null primary key,
    request_id text not null,
    reason text not null,
    at bigint not null,
    -- The node that reported it first; null: unknown.
    node_id text
);
create index not_inspected_by_request on not_inspected (request_id);
create index not_inspected_by_time on not_inspected (at, id);
create index not_inspected_by_node on not_inspected (node_id, reason);

-- Response reports that arrived before their request, or whose request had no hit.
create table pending_responses (
    request_id text not null,
    event text not null,
    status bigint not null,
    received_at bigint not null,
    primary key (request_id, event)
);
create index pending_responses_by_age on pending_responses (received_at);

-- One row, created by the first change. Each change of rules or lists updates it in the same transaction.
create table ruleset (
    one bigint not null primary key,
    version bigint not null,
    id text not null
);

create table rules (
    id text not null primary key,
    revision bigint not null,
    kind text not null,
    -- As JSON of the wire.
    scope text not null,
    effect text not null,
    comment text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index rules_by_age on rules (created_at, id);

create table list_entries (
    id text not null primary key,
    list text not null,
    -- As JSON of the wire.
    source text not null,
    applications text not null,
    expires_at bigint,
    reason text not null,
    created_at bigint not null,
    revision bigint not null default 1
);
create index list_entries_by_age on list_entries (created_at, id);

create table replays (
    id text not null primary key,
    created_at bigint not null,
    updated_at bigint not null,
    author text not null,
    status text not null,
    draft text not null,
    -- Hits to scan.
    hits bigint not null,
    report text not null
);
create index replays_by_age on replays (created_at, id);

-- Saved searches.
create table views (
    id text not null primary key,
    revision bigint not null,
    owner text not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- Query and presentation, as JSON.
    draft text not null,
    shared text not null
);
create index views_by_age on views (created_at, id);

-- The audit log. Written in the transaction of the change; never updated, never deleted.
create table audit (
    id text not null primary key,
    at bigint not null,
    actor text not null,
    -- Null: not authenticated.
    role text,
    action text not null,
    kind text not null,
    object text not null,
    -- The object as JSON; null: absent.
    before text,
    after text,
    -- The ruleset version that the change made: past versions are derived from these rows.
    ruleset bigint
);
create index audit_by_time on audit (at, id);
create index audit_by_object on audit (kind, object, at, id);
create index audit_by_ruleset on audit (ruleset, id);

-- The secret signs calls, so it is stored in clear text.
create table webhooks (
    id text not null primary key,
    revision bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- As JSON.
    draft text not null,
    enabled text not null,
    secret text not null,
    -- Attacks without a delivery, because the queue was full.
    dropped bigint not null
);
create index webhooks_by_age on webhooks (created_at, id);

-- One delivery for each attack and webhook.
create table webhook_deliveries (
    id text not null primary key,
    webhook_id text not null references webhooks (id) on delete cascade,
    -- Null: a test.
    attack_id text,
    created_at bigint not null,
    state text not null,
    attempts bigint not null,
    -- Time of the next attempt; null: no further automatic attempt.
    next_at bigint,
    status bigint,
    error text,
    body text not null
);
create unique index webhook_deliveries_by_attack on webhook_deliveries (webhook_id, attack_id);
create index webhook_deliveries_by_age on webhook_deliveries (webhook_id, created_at, id);
create index webhook_deliveries_by_turn on webhook_deliveries (state, next_at);

-- Attacks that began or grew since they were last matched against webhooks.
create table grown_attacks (
    attack_id text not null primary key,
    times bigint not null
);
