-- The different payloads of an attack: what words are looked for in. There are far fewer than hits.
create table attack_payloads (
    attack_id text not null,
    payload text not null,
    primary key (attack_id, payload)
);

insert into attack_payloads (attack_id, payload)
select distinct attack_id, substr(payload, 1, 500) from hits where payload is not null;
