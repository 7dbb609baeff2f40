//! `/live`, `/ready`, `/wallarm-external-health`.

/// The process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The node can do its work: its spool was opened and its engine compiled before this listener was.
pub(super) async fn ready() -> &'static str {
    "ok\n"
}
