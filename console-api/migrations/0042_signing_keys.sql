-- Keys that connectors sign their calls of nodes with. The secret is baked into bundles, so it is kept as it is.
create table signing_keys (
    id text not null primary key,
    name text not null,
    secret text not null,
    created_at bigint not null
);
create index signing_keys_by_age on signing_keys (created_at, id);
