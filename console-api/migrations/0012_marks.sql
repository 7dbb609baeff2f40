-- What people say an attack is. Null: nothing, or nothing any more.
alter table attacks add column mark text;
alter table attacks add column mark_note text;
alter table attacks add column mark_by text;
alter table attacks add column mark_at bigint;
-- Counts the changes of the mark.
alter table attacks add column mark_revision bigint not null default 0;
