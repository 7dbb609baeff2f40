-- Which version of the ruleset a change made. From these changes each version since can be told.
alter table audit add column ruleset bigint;
create index audit_by_ruleset on audit (ruleset, id);
