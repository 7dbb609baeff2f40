-- SHA-256 of the token that a node first delivered with. While that token exists, no other may speak for the node.
alter table nodes add column token_hash text;
