//! Attack search: plans of filters, their SQL conditions, text terms, id sets and saved views.

pub(crate) mod condition;
pub(crate) mod id_set;
pub(crate) mod plan;
pub(crate) mod terms;
pub(crate) mod text_search;
pub(crate) mod views;

#[cfg(test)]
mod tests;
