//! Who may call what.

use crate::harness::{Console, now, request_id, send, token_of, uuid};
use axum::{
    body::Body,
    http::{Request, header},
};
use console_api::{actor::Role, token::Token};

fn reads() -> Vec<String> {
    let id = uuid(1);
    vec![
        "/api/v1/attacks".to_owned(),
        "/api/v1/attacks?group_by=type".to_owned(),
        "/api/v1/attacks/schema".to_owned(),
        "/api/v1/attacks/export.csv".to_owned(),
        "/api/v1/attacks/export.ndjson".to_owned(),
        format!("/api/v1/attacks/{id}"),
        format!("/api/v1/attacks/{id}/hits"),
        format!("/api/v1/hits?request_id={}", request_id(1)),
        format!("/api/v1/hits/{id}"),
        "/api/v1/not-inspected".to_owned(),
        "/api/v1/nodes".to_owned(),
    ]
}

fn ingest(token: Option<&str>) -> Request<Body> {
    let request = Request::post("/api/v1/ingest").header(header::CONTENT_TYPE, "application/json");
    let request = token
        .into_iter()
        .fold(request, |request, token| request.header(header::AUTHORIZATION, format!("Bearer {token}")));
    request.body(Body::from("{}")).unwrap()
}

#[tokio::test]
async fn nothing_is_told_without_a_token() {
    let console = Console::start().await;
    for path in reads() {
        for authorization in ["", "Bearer wlc_nobody_knows_this_token", "Basic YTpi"] {
            let request = Request::get(&path).header(header::AUTHORIZATION, authorization);
            let answer = send(&console.router, request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 401, "{path} {authorization}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    assert_eq!(send(&console.router, ingest(None)).await.status, 401);
}

#[tokio::test]
async fn a_node_reads_nothing() {
    let console = Console::start().await;
    for path in reads().into_iter().chain(["/attacks".to_owned(), "/not-inspected".to_owned()]) {
        assert_eq!(console.get_as(Role::Node, &path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn people_deliver_nothing() {
    let console = Console::start().await;
    for role in [Role::Admin, Role::Analyst, Role::ReadOnly] {
        assert_eq!(send(&console.router, ingest(Some(&token_of(role)))).await.status, 403);
    }
}

#[tokio::test]
async fn an_unknown_address_says_so_as_problem_json() {
    let console = Console::start().await;
    let answer = console.get("/api/v1/nothing").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, "application/problem+json"));
    let answer = console.get("/api/v1/ingest").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (405, "application/problem+json"));
}

#[tokio::test]
async fn a_new_token_in_the_file_replaces_the_old() {
    let console = Console::start().await;
    let call = async |token: &Token| {
        let request =
            Request::get("/api/v1/nodes").header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
        send(&console.router, request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    let (old, new) = (Token::generate(), Token::generate());
    console.store.provision(&old, Role::Admin, now()).await.unwrap();
    assert_eq!((call(&old).await, call(&new).await), (200, 401));
    console.store.provision(&new, Role::Admin, now()).await.unwrap();
    assert_eq!((call(&old).await, call(&new).await), (401, 200));
    assert_eq!(console.get_as(Role::Admin, "/api/v1/nodes").await.status, 200, "other tokens stay");
}
