-- When a rule ends; null: never.
alter table rules add column expires_at bigint;

-- Hits by rule or list entry and hour, so that lists of rules do not read hits. Slot 0: all hours.
create table rule_hits (
    rule text not null,
    slot bigint not null,
    hits bigint not null,
    last_at bigint not null,
    primary key (rule, slot)
) without rowid;

insert into rule_hits (rule, slot, hits, last_at)
    select n.rule, n.at - n.at % 3600000, count(*), max(n.at) from (
        select json_extract(r.decided_by, '$.rule.id') as rule, h.at as at
            from hits h join requests r on r.request_id = h.request_id
        union all select json_extract(r.decided_by, '$.list.id'), h.at
            from hits h join requests r on r.request_id = h.request_id
        union all select json_extract(s.value, '$.id'), h.at
            from hits h join requests r on r.request_id = h.request_id
            cross join json_each(r.decided_by, '$.silenced_by') s
        union all select substr(r.mode_source, 6), h.at
            from hits h join requests r on r.request_id = h.request_id where r.mode_source like 'rule:%'
    ) n where n.rule is not null group by 1, 2;
insert into rule_hits (rule, slot, hits, last_at)
    select rule, 0, cast(sum(hits) as bigint), max(last_at) from rule_hits group by rule;
