-- Who changed what, and when. Written in the transaction of the change; never changed, never forgotten.
create table audit (
    id text not null primary key,
    at bigint not null,
    actor text not null,
    -- Null: nobody who had proved who they are.
    role text,
    action text not null,
    kind text not null,
    object text not null,
    -- As JSON; null: it was not there.
    before text,
    after text
);
create index audit_by_time on audit (at, id);
create index audit_by_object on audit (kind, object, at, id);
