//! Attack search: filters, text terms, id sets and saved views.

pub(crate) mod filter;
pub(crate) mod id_set;
pub(crate) mod terms;
pub(crate) mod text_search;
pub(crate) mod views;
