-- Facets: values of hits to search and group by. Null: not known; hits stored before have none.
alter table hits add column country text;
alter table hits add column network text;
alter table hits add column user_agent text;
alter table hits add column http_version text;
alter table hits add column connector text;
alter table hits add column node text;
alter table hits add column rule text;
alter table hits add column signature text;
-- Of the findings.
alter table hits add column score bigint;

-- All of these columns: searches read this index only.
drop index hits_by_attack;
create index hits_by_attack on hits
    (attack_id, at, id, ip, method, severity, status, blocked, suspicious, payload_id,
    country, network, user_agent, http_version, connector, node, rule, signature, score);
-- The list of hits.
create index hits_by_time on hits (at, id);

-- Counters by attack: statistics do not read hits.
create table attack_facets (
    attack_id text not null,
    facet text not null,
    -- Empty: not known.
    value text not null,
    hits bigint not null,
    blocked bigint not null,
    suspicious bigint not null,
    primary key (attack_id, facet, value)
);
create index attack_facets_by_value on attack_facets (facet, value, attack_id, hits, blocked, suspicious);

insert into attack_facets (attack_id, facet, value, hits, blocked, suspicious)
    select a.id, f.facet, '', a.hits, a.blocked, a.suspicious from attacks a cross join (
        select 'country' as facet union all select 'network' union all select 'user_agent'
        union all select 'http_version' union all select 'connector' union all select 'node'
        union all select 'rule' union all select 'signature' union all select 'score') f;
-- Blocked hits of versions before 0022 are counted by the program, which fills in their columns.
insert into attack_facets (attack_id, facet, value, hits, blocked, suspicious)
    select attack_id, 'severity', coalesce(severity, ''), count(*), cast(sum(blocked) as bigint),
        cast(sum(suspicious) as bigint) from hits group by attack_id, coalesce(severity, '');
delete from attack_terms where term_id in (select id from terms where field = 'severity');
delete from terms where field = 'severity';
