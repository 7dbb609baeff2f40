-- The key of the secrets: a text sealed with it detects a wrong key file. One row, created by the first start.
create table secret_key (
    one bigint not null primary key,
    key_check text not null,
    -- `no`: pages may contain the bytes of secrets that were stored in plain text.
    is_clean text not null
);
