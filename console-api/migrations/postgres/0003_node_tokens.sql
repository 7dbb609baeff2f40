-- SHA-256 of the token that a node first delivered with. While that token exists, the node delivers with no other.
alter table nodes add column token_hash text;
