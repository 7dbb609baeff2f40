//! Syslog over TLS.

use super::{add, at, deliveries, event_of};
use crate::harness::{Console, attack};
use console_api::{authorities::Authorities, notification::Sender, webhook::Targets};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use std::{fs, io, sync::Arc};
use tempfile::TempDir;
use tokio::{io::AsyncReadExt as _, net::TcpListener, task::JoinHandle};
use tokio_rustls::TlsAcceptor;

struct Server {
    address: String,
    /// The file of its authority.
    folder: TempDir,
    /// The frame of the first connection.
    frame: JoinHandle<io::Result<String>>,
}

impl Server {
    /// A server whose certificate names this host.
    async fn start(name: &str) -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority);
        let certificate = CertificateDer::from_pem_slice(certificate.unwrap().pem().as_bytes()).unwrap();
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let frame = tokio::spawn(async move {
            let (stream, _) = listener.accept().await?;
            let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await?;
            Ok(text)
        });
        Self { address, folder, frame }
    }

    /// Sends an attack to the server, and returns the delivery.
    async fn receive(&self, console: &Console, trusts_authority: bool) -> Value {
        let webhook =
            json!({"name": "Log", "url": format!("syslog+tls://{}", self.address), "format": "cef"});
        let (id, _) = add(console, &webhook).await;
        console.ingest(&[attack(1, 0)]).await;
        let mut dispatcher = at(console, 0);
        if trusts_authority {
            let authorities = Authorities::of_file(&self.folder.path().join("ca.pem")).unwrap();
            let targets = Targets::allowing(vec!["127.0.0.0/8".parse().unwrap()]);
            dispatcher.sender = Sender::new(targets, &authorities);
        }
        dispatcher.round().await.unwrap();
        deliveries(console, &id, "").await.swap_remove(0)
    }
}

#[tokio::test]
async fn sends_cef_to_syslog_over_tls() {
    let console = Console::start().await;
    let server = Server::start("127.0.0.1").await;
    let delivery = server.receive(&console, true).await;
    assert_eq!(delivery["state"], "delivered", "{delivery}");
    let frame = server.frame.await.unwrap().unwrap();
    let (length, message) = frame.split_once(' ').unwrap();
    assert_eq!(length.parse(), Ok(message.len()));
    let event = event_of(message, delivery["id"].as_str().unwrap());
    assert!(event.starts_with("CEF:0|wallarm-console|"), "{event}");
}

#[tokio::test]
async fn sends_nothing_to_a_syslog_server_of_another_authority_or_name() {
    for (name, trusts_authority, expected) in
        [("127.0.0.1", false, "UnknownIssuer"), ("logs.example.com", true, "not valid for name")]
    {
        let console = Console::start().await;
        let server = Server::start(name).await;
        let delivery = server.receive(&console, trusts_authority).await;
        let error = delivery["error"].as_str().unwrap();
        assert!(delivery["state"] == "pending" && error.contains(expected), "{error}");
        assert!(server.frame.await.unwrap().is_err());
    }
}
