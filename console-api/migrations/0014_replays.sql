-- Rules tried on what was recorded: what was asked, how far it is, and what came of it, as JSON.
create table replays (
    id text not null primary key,
    created_at bigint not null,
    updated_at bigint not null,
    author text not null,
    status text not null,
    draft text not null,
    -- How many hits there were to look at.
    hits bigint not null,
    report text not null
);
create index replays_by_age on replays (created_at, id);
