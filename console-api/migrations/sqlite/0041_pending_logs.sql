-- How CloudFront answered a request that has no row yet, in JSON; null: the report is not from a log.
alter table pending_responses add column logged text;
