-- When problems began that nodes reported, in their last status; null: none.
alter table nodes add column spool_failed_at bigint;
alter table nodes add column left_out_at bigint;
-- The last count of dropped records, and when it last grew.
alter table nodes add column dropped bigint;
alter table nodes add column dropped_at bigint;
-- When webhooks were notified that the node is unreachable; null: it is reachable.
alter table nodes add column unreachable_at bigint;

-- Events to notify webhooks of, which are collected for some time.
create table event_counts (
    kind text not null primary key,
    pending bigint not null,
    notified_at bigint
);

-- The type of an event other than a matched attack.
alter table webhook_deliveries add column event text;
