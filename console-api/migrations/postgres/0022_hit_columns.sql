-- What searches compare and count of a hit, so that they read neither its findings nor its request.
-- Address keys; null: not yet filled in by the program, which does so before it serves.
alter table hits add column ip text;
-- In upper case.
alter table hits add column method text;
-- Status of the response, if known.
alter table hits add column status bigint;
alter table hits add column blocked bigint not null default 0;
alter table hits add column suspicious bigint not null default 0;
-- The term of the payload.
alter table hits add column payload_id bytea;

create index hits_incomplete on hits (id) where ip is null;
-- All of these columns: searches read this index only.
drop index hits_by_attack;
create index hits_by_attack on hits
    (attack_id, at, id, ip, method, severity, status, blocked, suspicious, payload_id);

alter table attack_sources add column blocked bigint not null default 0;
drop index attack_sources_by_ip;
create index attack_sources_by_ip on attack_sources (ip, attack_id, hits, blocked, suspicious);
