-- What texts are searched through: an index of their parts takes its place in SQLite. Filled by the program; see
-- `store/text_index.rs`.
create view term_parts as select id, field, text from terms;

-- Payloads are many, the texts of all other fields few: these are found without reading those.
create index terms_by_field on terms (field) where field <> 'payload';
