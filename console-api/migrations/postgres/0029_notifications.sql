-- The secret before a rotation, which also signs deliveries until that time; null: none.
alter table webhooks add column previous_secret text;
alter table webhooks add column previous_secret_until bigint;
-- Messages sent in a minute (since 1970) to a webhook with a rate limit.
alter table webhooks add column sent_minute bigint not null default 0;
alter table webhooks add column sent bigint not null default 0;

-- The version that webhooks were notified of.
alter table ruleset add column notified_version bigint not null default 0;
update ruleset set notified_version = version;

-- Attacks that a webhook is notified of by a digest.
create table digest_attacks (
    webhook_id text not null references webhooks (id) on delete cascade,
    attack_id text not null,
    matched_at bigint not null,
    -- The delivery of the digest; null: it is not made yet.
    delivery_id text,
    primary key (webhook_id, attack_id)
);
create index digest_attacks_by_time on digest_attacks (webhook_id, matched_at) where delivery_id is null;
create index digest_attacks_by_delivery on digest_attacks (delivery_id);
