-- What a node last told of itself, as JSON.
alter table nodes add column status text;
