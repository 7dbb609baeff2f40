-- When an attack's hits came, in slots of five minutes: what time series are added up from.
create table attack_times (
    attack_id text not null,
    -- Where the slot starts, in milliseconds.
    slot bigint not null,
    hits bigint not null,
    blocked bigint not null,
    primary key (attack_id, slot)
);
create index attack_times_by_slot on attack_times (slot);

insert into attack_times (attack_id, slot, hits, blocked)
select h.attack_id, h.at - h.at % 300000, count(*),
    cast(sum(case when r.outcome = 'blocked' and r.enforced <> 'no' then 1 else 0 end) as bigint)
from hits h join requests r on r.request_id = h.request_id
group by h.attack_id, h.at - h.at % 300000;
