-- The subset SQLite and PostgreSQL share: text, bigint, blob; times are milliseconds since 1970, flags and states words.

create table tokens (
    hash text not null primary key,
    name text not null,
    role text not null,
    -- `admin_file` and `node_file` are replaced when their file changes; `command` tokens stay.
    source text not null,
    created_at bigint not null
);

create table sessions (
    hash text not null primary key,
    token_hash text not null references tokens (hash) on delete cascade,
    expires_at bigint not null
);

create table nodes (
    id text not null primary key,
    version text not null,
    last_seen bigint not null
);

-- What was decided is kept here once, for all hits of the request.
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
    body blob,
    body_bytes bigint,
    body_truncated text not null,
    outcome text not null,
    reason text,
    mode text not null,
    mode_source text not null,
    delivery text not null,
    enforced text not null,
    response_status bigint
);
create index requests_by_edge_request on requests (edge_request_id);

create table attacks (
    id text not null primary key,
    -- SHA-256 of (type, point, host, path): short whatever a hostile request holds.
    key_hash text not null,
    type text not null,
    point text not null,
    parameter text not null,
    host text not null,
    path text not null,
    first_seen bigint not null,
    last_seen bigint not null,
    hits bigint not null,
    blocked bigint not null
);
create index attacks_by_key on attacks (key_hash, last_seen);
create index attacks_by_last_seen on attacks (last_seen, id);

create table attack_sources (
    attack_id text not null,
    ip text not null,
    hits bigint not null,
    primary key (attack_id, ip)
);

create table attack_redirects (
    old_id text not null primary key,
    new_id text not null
);
create index attack_redirects_by_new on attack_redirects (new_id);

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

create table not_inspected (
    id text not null primary key,
    request_id text not null,
    reason text not null,
    at bigint not null
);
create index not_inspected_by_request on not_inspected (request_id);
create index not_inspected_by_time on not_inspected (at, id);
create index not_inspected_by_reason on not_inspected (reason);

-- Reports that came before their request did, or whose request had no hit at all.
create table pending_responses (
    request_id text not null,
    event text not null,
    status bigint not null,
    received_at bigint not null,
    primary key (request_id, event)
);
create index pending_responses_by_age on pending_responses (received_at);
