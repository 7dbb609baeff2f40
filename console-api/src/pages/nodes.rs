//! The page of nodes, with their reported status and problems.

use super::{render, view};
use crate::{
    actor::Role,
    clock::Clock,
    error::ApiError,
    extract::{Admin, Id, Reader},
    store::{Node, Store},
    use_cases::nodes,
};
use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};

#[derive(Template)]
#[template(path = "nodes.html")]
struct NodesPage {
    nodes: Vec<Node>,
    ruleset: u64,
    is_admin: bool,
}

pub(super) async fn list(
    Reader(actor): Reader,
    State(store): State<Store>,
    State(clock): State<Clock>,
) -> Result<Response, ApiError> {
    let (ruleset, _) = store.ruleset_head().await?;
    let (nodes, is_admin) = (store.nodes(clock.now()).await?, actor.role == Role::Admin);
    Ok(render(&NodesPage { nodes, ruleset, is_admin }))
}

pub(super) async fn release(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    nodes::release(&store, &author, id).await?;
    Ok(Redirect::to("/nodes"))
}

pub(super) async fn remove(
    Admin(author): Admin,
    State(store): State<Store>,
    Id(id): Id,
) -> Result<Redirect, ApiError> {
    nodes::remove(&store, &author, id).await?;
    Ok(Redirect::to("/nodes"))
}
