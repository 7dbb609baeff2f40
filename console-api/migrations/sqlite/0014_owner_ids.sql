-- Ids of users and tokens: another one can get the name of one that was deleted. A view of this name belongs to the one
-- that existed when it was saved.
alter table views add column owner_id text;
update views set owner_id = coalesce(
    (select u.id from users u where u.name = views.owner and u.created_at <= views.created_at),
    (select t.id from tokens t where t.name = views.owner and t.created_at <= views.created_at
        order by t.created_at desc limit 1));
create index views_by_owner on views (owner_id);

alter table audit add column actor_id text;

-- Networks that users have signed in from, as address keys.
create table known_networks (
    user_id text not null references users (id) on delete cascade,
    network text not null,
    last_seen bigint not null,
    primary key (user_id, network)
);
create index known_networks_by_age on known_networks (last_seen);
