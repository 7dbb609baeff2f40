-- The connectors that nodes said called them. A node counts from its start, so each start has rows of its own.
create table connectors (
    node_id text not null,
    started_at bigint not null,
    -- SHA-256 of what tells it from others: short whatever a caller says of itself.
    key_hash text not null,
    kind text not null,
    version text not null,
    event text,
    distribution_id text,
    distribution_domain text,
    application bigint,
    -- Of requests; null: it reports on responses.
    delivery text,
    last_seen bigint not null,
    calls bigint not null,
    not_inspected bigint not null,
    primary key (node_id, started_at, key_hash)
);
create index connectors_by_age on connectors (last_seen);

-- The node that told of it first; null: an older console took it in.
alter table not_inspected add column node_id text;
drop index not_inspected_by_reason;
create index not_inspected_by_node on not_inspected (node_id, reason);
