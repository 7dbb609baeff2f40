-- Sources in the order in which they are added up.
create index attack_sources_by_ip on attack_sources (ip, attack_id, hits);
-- The few attacks that somebody has marked.
create index attacks_by_mark on attacks (mark) where mark is not null;
