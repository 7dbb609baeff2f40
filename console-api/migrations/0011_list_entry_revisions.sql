-- Entries can be changed, by those who know how they are now.
alter table list_entries add column revision bigint not null default 1;
