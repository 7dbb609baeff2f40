-- Searches that people keep: their own, or for all.
create table views (
    id text not null primary key,
    revision bigint not null,
    owner text not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- What is searched for, and how it is shown, as JSON.
    draft text not null,
    shared text not null
);
create index views_by_age on views (created_at, id);
