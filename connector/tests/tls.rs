//! Which certificates of a node the connector takes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use connector::{
    Parameters,
    node_client::{CallError, NodeClient},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

/// A node that answers 202 to whatever comes, under a certificate for this name.
async fn node(authority: &CertifiedIssuer<'_, KeyPair>, name: &str, expired: bool) -> SocketAddr {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if expired {
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2021, 1, 1);
    }
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let Ok(mut tls) = acceptor.accept(connection).await else { continue };
            let _ = tls.read(&mut [0; 4096]).await;
            let _ = tls
                .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .await;
            let _ = tls.shutdown().await;
        }
    });
    address
}

/// One call to the node, with these authorities instead of the public ones.
async fn call(node: SocketAddr, authorities: Option<&str>) -> Result<(), CallError> {
    let address = format!("https://localhost:{}", node.port());
    let parameters = Parameters::read(|name| match name {
        "WLRM_FUNCTION" => Some("request".to_owned()),
        "WLRM_NODE_ADDR" => Some(address.clone()),
        "WLRM_NODE_CA" => authorities.map(str::to_owned),
        "WLRM_DEADLINE_MS" => Some("4500".to_owned()),
        _ => None,
    });
    let request = r#"{"client_ip":"::1","method":"GET","host":"h","path":"/"}"#;
    NodeClient::new(parameters.unwrap().node).copy(&serde_json::from_str(request).unwrap()).await
}

fn is_refused(result: &Result<(), CallError>) -> bool {
    matches!(result, Err(error @ CallError::Connection(_)) if error.to_string().contains("certificate"))
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named() {
    let (ours, other) = (authority(), authority());
    let node = node(&ours, "localhost", false).await;
    call(node, Some(&ours.pem())).await.unwrap();
    call(node, Some(&format!("{}{}", other.pem(), ours.pem()))).await.unwrap();
    assert!(is_refused(&call(node, Some(&other.pem())).await), "another authority");
    assert!(is_refused(&call(node, None).await), "the public authorities");
}

#[tokio::test]
async fn a_certificate_for_another_name_or_of_the_past_is_refused() {
    let authority = authority();
    let other = node(&authority, "other.example.com", false).await;
    assert!(is_refused(&call(other, Some(&authority.pem())).await));
    let expired = node(&authority, "localhost", true).await;
    assert!(is_refused(&call(expired, Some(&authority.pem())).await));
}
