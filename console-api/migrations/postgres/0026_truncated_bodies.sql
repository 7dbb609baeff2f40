-- Requests with a body of which no stage sees the rest, and the bytes of the rest.
alter table connectors add column truncated bigint not null default 0;
alter table connectors add column unseen_bytes bigint not null default 0;
