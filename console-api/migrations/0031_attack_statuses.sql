-- What an attack's requests were answered with: so that it can be added up without a look at every hit.
create table attack_statuses (
    attack_id text not null,
    status bigint not null,
    hits bigint not null,
    primary key (attack_id, status)
);

insert into attack_statuses (attack_id, status, hits)
select h.attack_id, r.response_status, count(*)
from hits h join requests r on r.request_id = h.request_id
where r.response_status is not null
group by h.attack_id, r.response_status;
