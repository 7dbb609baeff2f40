-- Users of an OpenID provider: issuer and subject; null: users with a password.
alter table users add column issuer text;
alter table users add column subject text;
create unique index users_by_identity on users (issuer, subject);

-- Identities of deleted users, which cannot sign in again.
create table removed_identities (
    issuer text not null,
    subject text not null,
    removed_at bigint not null,
    primary key (issuer, subject)
);
