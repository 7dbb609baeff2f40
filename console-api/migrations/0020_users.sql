-- People who sign in with a password. Sessions are theirs, or a token's; those who are signed in sign in once more.
create table users (
    id text not null primary key,
    name text not null unique,
    role text not null,
    -- As Argon2 writes it: the cost and the salt are part of it.
    password text not null,
    revision bigint not null,
    created_at bigint not null
);

alter table tokens add column id text;
alter table tokens add column expires_at bigint;
-- Those that are there already are named after their digest.
update tokens set id = substr(hash, 1, 8) || '-' || substr(hash, 9, 4) || '-' || substr(hash, 13, 4) || '-' ||
    substr(hash, 17, 4) || '-' || substr(hash, 21, 12);
create unique index tokens_by_id on tokens (id);

drop table sessions;
create table sessions (
    id text not null primary key,
    hash text not null unique,
    user_id text references users (id) on delete cascade,
    token_hash text references tokens (hash) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);
