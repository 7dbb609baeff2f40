-- Where attacks are told. The secret is kept as it is: calls are signed with it.
create table webhooks (
    id text not null primary key,
    revision bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- What its makers want, as JSON.
    draft text not null,
    enabled text not null,
    secret text not null,
    -- Attacks that were not told because too many waited already.
    dropped bigint not null
);
create index webhooks_by_age on webhooks (created_at, id);

-- What was told, is to be told, or could not be. An attack is told once to each webhook.
create table webhook_deliveries (
    id text not null primary key,
    webhook_id text not null references webhooks (id) on delete cascade,
    -- Null: a test.
    attack_id text,
    created_at bigint not null,
    state text not null,
    attempts bigint not null,
    -- When to try; null: not again by itself.
    next_at bigint,
    status bigint,
    error text,
    body text not null
);
create unique index webhook_deliveries_by_attack on webhook_deliveries (webhook_id, attack_id);
create index webhook_deliveries_by_age on webhook_deliveries (webhook_id, created_at, id);
create index webhook_deliveries_by_turn on webhook_deliveries (state, next_at);

-- Attacks that began or grew since webhooks were last asked about them.
create table grown_attacks (
    attack_id text not null primary key,
    times bigint not null
);
