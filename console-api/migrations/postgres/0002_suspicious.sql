-- Hits that are no attack at the sensitivity of their request. All of them: the attack is suspicious.
alter table attacks add column suspicious bigint not null default 0;
-- The suspicious attacks, which statistics leave out.
create index attacks_suspicious on attacks ((hits - suspicious), id) where hits - suspicious = 0;

alter table attack_sources add column suspicious bigint not null default 0;
drop index attack_sources_by_ip;
create index attack_sources_by_ip on attack_sources (ip, attack_id, hits, suspicious);

alter table attack_statuses add column suspicious bigint not null default 0;
drop index attack_statuses_by_status;
create index attack_statuses_by_status on attack_statuses (status, attack_id, hits, suspicious);

alter table attack_times add column suspicious bigint not null default 0;
drop index attack_times_by_slot;
create index attack_times_by_slot on attack_times (slot, attack_id, hits, blocked, suspicious);
