-- Requests of access logs, by what inspected them. The day is one of UTC; empty: earlier ones.
create table coverage (
    day text not null,
    distribution text not null,
    behavior text not null,
    requests bigint not null,
    edge bigint not null,
    bypassed bigint not null,
    fail_open bigint not null,
    cached bigint not null,
    answered bigint not null,
    no_function bigint not null,
    cache_hits bigint not null,
    log_attacks bigint not null,
    primary key (day, distribution, behavior)
) without rowid;

-- The last counts of each journal: earlier ones are duplicates.
create table coverage_sources (
    source text not null primary key,
    sequence bigint not null,
    last_at bigint not null
);

-- Distributions whose coverage fell: the day of the last event, and whether it is still low.
create table coverage_alerts (
    distribution text not null primary key,
    day text not null,
    is_low bigint not null
);

-- Commands that end, such as ingest-logs: not unreachable afterwards.
alter table nodes add column is_command bigint not null default 0;

-- How CloudFront answered, in JSON; null: no log had the request.
alter table requests add column logged text;

-- What the node knew the request of a hit from: edge or log.
alter table hits add column seen_by text;
update hits set seen_by = (select case when r.delivery = 'log' then 'log' else 'edge' end
    from requests r where r.request_id = hits.request_id);

-- All columns of hits that searches read.
drop index hits_by_attack;
create index hits_by_attack on hits
    (attack_id, at, id, ip, method, severity, status, blocked, suspicious, payload_id,
    country, network, user_agent, http_version, connector, node, rule, signature, score, seen_by);

-- Blocked hits of versions before 0022 are counted by the program, which fills in their columns.
insert into attack_facets (attack_id, facet, value, hits, blocked, suspicious)
    select attack_id, 'seen_by', coalesce(seen_by, ''), count(*), cast(sum(blocked) as bigint),
        cast(sum(suspicious) as bigint) from hits group by attack_id, coalesce(seen_by, '');
