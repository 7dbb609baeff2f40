-- What attacks are searched by: each different text of a field once, in lower case.
create table terms (
    -- The first 16 bytes of the SHA-256 of field and text: short whatever was sent.
    id blob not null primary key,
    -- As searches name it.
    field text not null,
    text text not null
);

-- Which attacks have it. Filled by the program, which makes the ids; see `store/terms.rs`.
create table attack_terms (
    attack_id text not null,
    term_id blob not null,
    primary key (attack_id, term_id)
);
create index attack_terms_by_term on attack_terms (term_id, attack_id);

drop table attack_payloads;

-- Answers, and slots of time, in the order in which they are looked for and added up.
create index attack_statuses_by_status on attack_statuses (status, attack_id, hits);
drop index attack_times_by_slot;
create index attack_times_by_slot on attack_times (slot, attack_id, hits, blocked);
