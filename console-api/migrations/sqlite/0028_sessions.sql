-- Where a session is used: the latest address, the browser, and the last activity; null: not known.
alter table sessions add column ip text;
alter table sessions add column browser text;
alter table sessions add column last_active_at bigint;
