use super::*;
use crate::{ConnectionLimits, Listener, bind};
use axum::{Router, routing::get};
use prometheus_client::metrics::counter::Counter;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{ClientConfig, pki_types::ServerName};
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;

type Stream = tokio_rustls::client::TlsStream<TcpStream>;

const FOREVER: Duration = Duration::from_secs(20);

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for a name and its key, both PEM.
    fn issue(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (parameters.signed_by(&key, &self.0).unwrap().pem(), key.serialize_pem())
    }
}

struct Server {
    folder: TempDir,
    config: TlsConfig,
    authority: Authority,
    /// The authority of clients.
    others: Authority,
}

impl Server {
    fn new(with_client_authorities: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let (authority, others) = (Authority::new(), Authority::new());
        fs::write(file("clients.pem"), others.0.pem()).unwrap();
        let config = TlsConfig {
            certificate: file("node.pem"),
            key: file("node.key"),
            client_authorities: with_client_authorities.then(|| file("clients.pem")),
            settings: Settings {
                certificate: "connector.tls_cert",
                key: "connector.tls_key",
                client_authorities: "connector.tls_client_ca",
            },
        };
        let server = Self { folder, config, authority, others };
        server.install("first.example");
        server
    }

    fn install(&self, name: &str) {
        let (certificate, key) = self.authority.issue(name);
        fs::write(&self.config.certificate, certificate).unwrap();
        fs::write(&self.config.key, key).unwrap();
    }

    fn open(&self) -> SocketAddr {
        let (tls, reload) = Tls::open(&self.config).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(reload.run(stop.clone()));
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = socket.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "ok"));
        let limits = Arc::new(ConnectionLimits::default());
        let listener = Listener { socket, router, tls: Some(tls), limits, refused: Counter::default() };
        tokio::spawn(listener.serve(stop));
        address
    }

    async fn connect(
        &self,
        address: SocketAddr,
        name: &str,
        certificate: Option<&(String, String)>,
    ) -> io::Result<Stream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.0.der().clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        let stream = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from(name.to_owned()).unwrap(), stream)
            .await
    }
}

async fn call(stream: &mut Stream) -> io::Result<String> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: node\r\n\r\n").await?;
    let mut text = String::new();
    while !text.ends_with("ok") {
        let mut chunk = [0; 1024];
        match stream.read(&mut chunk).await? {
            0 => break,
            count => text += &String::from_utf8_lossy(&chunk[..count]),
        }
    }
    Ok(text)
}

#[tokio::test]
async fn new_connections_use_a_new_certificate_and_old_ones_continue() {
    let server = Server::new(false);
    let address = server.open();
    let mut old = server.connect(address, "first.example", None).await.unwrap();
    assert!(call(&mut old).await.unwrap().ends_with("ok"));
    server.install("second.example");
    let seen = tokio::time::timeout(FOREVER, async {
        while server.connect(address, "second.example", None).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    seen.await.expect("the new certificate is shown");
    assert!(call(&mut old).await.unwrap().ends_with("ok"));
}

#[tokio::test]
async fn an_invalid_certificate_leaves_the_old_one_in_use() {
    let server = Server::new(false);
    let (tls, mut reload) = Tls::open(&server.config).unwrap();
    let before = tls.0.borrow().clone();
    assert!(!reload.reload().unwrap());
    fs::write(&server.config.certificate, "not a certificate").unwrap();
    let message = reload.reload().unwrap_err().to_string();
    assert!(
        message.starts_with("connector.tls_cert: ") && message.ends_with("contains no certificate in PEM"),
        "{message}"
    );
    let (mismatched, _) = server.authority.issue("first.example");
    fs::write(&server.config.certificate, mismatched).unwrap();
    assert!(matches!(reload.reload(), Err(TlsError::Pair { .. })), "a certificate of another key");
    assert!(Arc::ptr_eq(&before, &tls.0.borrow()));
    server.install("second.example");
    assert!(reload.reload().unwrap());
    assert!(!Arc::ptr_eq(&before, &tls.0.borrow()));
}

#[tokio::test]
async fn requires_a_client_certificate_of_a_configured_authority() {
    let server = Server::new(true);
    let address = server.open();
    let call = async |certificate: Option<&(String, String)>| {
        // In TLS 1.3 the client sees the refusal with its first read.
        let mut stream = server.connect(address, "first.example", certificate).await?;
        call(&mut stream).await
    };
    let (known, unknown) = (server.others.issue("edge"), Authority::new().issue("edge"));
    assert!(call(Some(&known)).await.unwrap().ends_with("ok"));
    assert!(call(Some(&unknown)).await.is_err());
    assert!(call(None).await.is_err());
}

#[test]
fn a_missing_file_is_reported_with_its_key() {
    let mut server = Server::new(false);
    server.config.key = server.folder.path().join("nowhere");
    let message = Tls::open(&server.config).err().unwrap().to_string();
    assert!(
        message.starts_with("connector.tls_key: ") && message.contains("nowhere cannot be read"),
        "{message}"
    );
}
