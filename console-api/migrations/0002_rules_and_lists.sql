-- What nodes decide by. One row, made by the first change: each change of rules or lists changes it, in the same transaction.
create table ruleset (
    one bigint not null primary key,
    version bigint not null,
    id text not null
);

create table rules (
    id text not null primary key,
    revision bigint not null,
    kind text not null,
    -- Where it holds, what it does, and the comment, as JSON of the wire.
    scope text not null,
    effect text not null,
    comment text not null,
    created_at bigint not null,
    updated_at bigint not null
);
create index rules_by_age on rules (created_at, id);

create table list_entries (
    id text not null primary key,
    list text not null,
    -- As JSON of the wire.
    source text not null,
    applications text not null,
    expires_at bigint,
    reason text not null,
    created_at bigint not null
);
create index list_entries_by_age on list_entries (created_at, id);

-- What of the rules and lists had a say in a decision, as JSON of the wire; null: nothing, or an older node.
alter table requests add column decided_by text;
