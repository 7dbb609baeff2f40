//! The listener: idle connections, and TLS.

use crate::program::{Console, PROGRAM, call, token};
use rcgen::{CertificateParams, KeyPair};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::Arc,
    time::Duration,
};

#[test]
fn idle_connections_do_not_keep_others_out() {
    const IDLE: usize = 1_500;
    let dir = tempfile::tempdir().unwrap();
    let console = Console::start(dir.path());
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| TcpStream::connect(&console.address).unwrap()).collect();
    assert!(call(&console.address, "", "GET /live", "").unwrap().starts_with("HTTP/1.1 200"));
    let admin = token(dir.path(), "admin-token");
    assert!(console.call(&admin, "GET /api/v1/nodes", "").starts_with("HTTP/1.1 200"));
    assert_eq!(idle.len(), IDLE);
}

#[test]
fn serves_tls_only_with_a_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let [certificate, key] = certificate(dir.path());
    let console = Console::start_with(dir.path(), &["--tls-certificate", &certificate, "--tls-key", &key]);
    let admin = fs::read_to_string(dir.path().join("admin-password")).unwrap();
    let credentials = format!(r#"{{"user":"admin","password":"{}"}}"#, admin.trim());
    let length = credentials.len();
    let request = format!(
        "POST /api/v1/sessions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{credentials}"
    );
    let answer = over_tls(&console.address, Path::new(&certificate), &request);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age=31536000"), "{answer}");
    assert!(answer.contains("SameSite=Strict; Secure"), "{answer}");
    let plain = call(&console.address, "", "GET /live", "");
    assert!(plain.is_err() || !plain.unwrap().starts_with("HTTP/1.1 200"), "plain HTTP is refused");
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let [certificate, _] = certificate(dir.path());
    let refused = |arguments: &[&str]| {
        let output = Command::new(PROGRAM)
            .args(["serve", "--listen", "127.0.0.1:0", "--data", data])
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--tls-certificate", &certificate]).contains("--tls-key"));
    let missing = refused(&["--tls-certificate", &certificate, "--tls-key", "/nowhere/key.pem"]);
    assert!(missing.contains("--tls-key: /nowhere/key.pem cannot be read"), "{missing}");
}

/// The files of a self-signed certificate and its key.
pub(crate) fn certificate(dir: &Path) -> [String; 2] {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let files = [dir.join("console.pem"), dir.join("console.key")];
    fs::write(&files[0], certificate.pem()).unwrap();
    fs::write(&files[1], key.serialize_pem()).unwrap();
    files.map(|file| file.to_str().unwrap().to_owned())
}

/// A connection to a server whose certificate has this name and authority.
pub(crate) fn tls_stream(
    address: &str,
    authority: &Path,
    name: &'static str,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), ServerName::try_from(name).unwrap()).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(90))).unwrap();
    StreamOwned::new(client, stream)
}

fn over_tls(address: &str, certificate: &Path, request: &str) -> String {
    let mut stream = tls_stream(address, certificate, "localhost");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // The console may close without a close_notify.
    let _end = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}
