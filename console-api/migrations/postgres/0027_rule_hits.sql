-- When a rule ends; null: never.
alter table rules add column expires_at bigint;

-- Hits by rule or list entry and hour, so that lists of rules do not read hits. Slot 0: all hours.
-- Hits stored before have no rule to search by, so they are not counted.
create table rule_hits (
    rule text not null,
    slot bigint not null,
    hits bigint not null,
    last_at bigint not null,
    primary key (rule, slot)
);
