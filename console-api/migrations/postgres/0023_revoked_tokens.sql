-- SHA-256 of revoked tokens of token files: the file does not bring them back at the next start.
create table revoked_tokens (
    hash text not null primary key,
    revoked_at bigint not null
);
