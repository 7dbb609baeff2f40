//! Node certificates that the connector accepts.

use crate::certificates::{Authority, Identity, authority, pin};
use axum::{Router, http::StatusCode, routing::post, serve::Listener as _};
use connector::{
    Parameters,
    node_client::{CallError, NodeClient},
};
use std::time::Duration;

/// Starts a node with this certificate and returns its address.
async fn serve(identity: &Identity) -> String {
    let listener = identity.listen().await;
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let router = Router::new().route(shared::INSPECT_REQUEST_PATH, post(async || StatusCode::ACCEPTED));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Calls the node with these authorities and pins.
async fn call(node: &str, authorities: Option<&str>, pins: Option<&str>) -> Result<(), CallError> {
    let parameters = Parameters::read(|name| match name {
        "WLRM_FUNCTION" => Some("request".to_owned()),
        "WLRM_NODE_ADDR" => Some(node.to_owned()),
        "WLRM_NODE_CA" => authorities.map(str::to_owned),
        "WLRM_NODE_PIN" => pins.map(str::to_owned),
        _ => None,
    });
    let request = r#"{"client_ip":"::1","method":"GET","host":"h","path":"/"}"#;
    let request = serde_json::from_str(request).unwrap();
    NodeClient::new(parameters.unwrap().node).copy(&request, Duration::from_secs(10)).await
}

fn is_refused(result: &Result<(), CallError>) -> bool {
    matches!(result, Err(error @ CallError::Connection(_)) if error.to_string().contains("certificate"))
}

async fn node(authority: &Authority, name: &str, expired: bool) -> String {
    serve(&Identity::new(authority, name, expired)).await
}

#[tokio::test]
async fn trusts_a_configured_private_authority() {
    let (ours, other) = (authority(), authority());
    let node = node(&ours, "localhost", false).await;
    call(&node, Some(&ours.pem()), None).await.unwrap();
    call(&node, Some(&format!("{}{}", other.pem(), ours.pem())), None).await.unwrap();
    assert!(is_refused(&call(&node, Some(&other.pem()), None).await), "another authority");
    assert!(is_refused(&call(&node, None, None).await), "the public authorities");
}

#[tokio::test]
async fn rejects_a_certificate_that_is_expired_or_for_another_name() {
    let authority = authority();
    for (name, expired) in [("other.example.com", false), ("localhost", true)] {
        let node = node(&authority, name, expired).await;
        assert!(is_refused(&call(&node, Some(&authority.pem()), None).await), "{name} {expired}");
    }
}

#[tokio::test]
async fn accepts_only_a_pinned_certificate_whatever_its_issuer() {
    let authority = authority();
    let (ours, other) = (Identity::new(&authority, "other.example.com", true), "ab".repeat(32));
    let node = serve(&ours).await;
    for pinned in [&ours.certificate, &ours.public_key] {
        call(&node, None, Some(&pin(pinned))).await.unwrap();
        call(&node, None, Some(&format!("{other},{}", pin(pinned)))).await.unwrap();
    }
    assert!(is_refused(&call(&node, None, Some(&other)).await));
    // The authority's certificate: a pin matches the certificate of the node itself.
    assert!(is_refused(&call(&node, None, Some(&pin(authority.der()))).await));
}

#[tokio::test]
async fn requires_both_when_pins_and_authorities_are_set() {
    let authority = authority();
    let ours = Identity::new(&authority, "localhost", false);
    let expired = Identity::new(&authority, "localhost", true);
    let pem = authority.pem();
    call(&serve(&ours).await, Some(&pem), Some(&pin(&ours.public_key))).await.unwrap();
    assert!(is_refused(&call(&serve(&ours).await, Some(&pem), Some(&pin(&expired.public_key))).await));
    assert!(is_refused(&call(&serve(&expired).await, Some(&pem), Some(&pin(&expired.public_key))).await));
}
