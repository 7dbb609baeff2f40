-- The number of the last batch of hits: batches are stored one after another.
create table arrivals (
    one bigint not null primary key check (one = 1),
    number bigint not null
);
-- The batch of a hit: live streams send hits in the order of their arrival; null: stored by an older
-- version.
alter table hits add column arrival bigint;
create index hits_by_arrival on hits (arrival, id) where arrival is not null;
