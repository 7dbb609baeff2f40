-- The change of several objects that a line is a part of, which is undone together; null: none.
alter table audit add column batch text;
create index audit_by_batch on audit (batch, id) where batch is not null;
