-- In lower case, as words are looked for.
insert into attack_payloads (attack_id, payload)
select distinct attack_id, lower(payload) from attack_payloads where payload <> lower(payload)
on conflict (attack_id, payload) do nothing;
delete from attack_payloads where payload <> lower(payload);
