//! The proxies of `docs/console.md`, with the configurations printed there: sign-in, the client's
//! address, cookies over TLS, long polls and live streams.

use crate::{
    kill::batch,
    listener::{certificate, tls_stream},
    program::{Console, json_of, token},
};
use jiff::Timestamp;
use serde_json::json;
use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const DOCS: &str = include_str!("../../../docs/console.md");
/// The address of the console in the documentation.
const DOCUMENTED: &str = "127.0.0.1:3000";
/// Generous, because a busy machine needs long to start a proxy.
const START: Duration = Duration::from_mins(1);

/// The only block of this language in the documentation, for a console at this address.
fn documented(language: &str, console: &str) -> String {
    let start = format!("```{language}\n");
    let (_, rest) = DOCS.split_once(&start).unwrap();
    let (block, others) = rest.split_once("```").unwrap();
    assert!(!others.contains(&start) && block.contains(DOCUMENTED), "{block}");
    block.replace(DOCUMENTED, console)
}

/// A running proxy with TLS.
struct Proxy {
    process: Child,
    port: u16,
    /// The authority of its certificate, and the name in it.
    authority: PathBuf,
    name: &'static str,
}

impl Proxy {
    fn start(
        command: &mut Command,
        dir: &Path,
        port: u16,
        (authority, name): (PathBuf, &'static str),
    ) -> Self {
        let log = dir.join("proxy.log");
        let process = command.stderr(fs::File::create(&log).unwrap()).stdout(Stdio::null()).spawn().unwrap();
        let mut proxy = Self { process, port, authority, name };
        let start = Instant::now();
        while !proxy.is_ready() {
            let log = || fs::read_to_string(&log).unwrap();
            assert!(proxy.process.try_wait().unwrap().is_none(), "the proxy ended: {}", log());
            assert!(start.elapsed() < START, "the proxy does not start: {}", log());
            thread::sleep(Duration::from_millis(20));
        }
        proxy
    }

    /// Whether it listens, and has its certificate.
    fn is_ready(&self) -> bool {
        let address = format!("127.0.0.1:{}", self.port);
        self.authority.exists()
            && TcpStream::connect(&address).is_ok()
            && write!(tls_stream(&address, &self.authority, self.name), "GET /live HTTP/1.1\r\n").is_ok()
    }

    /// Sends a request, and returns the connection.
    fn send(&self, line: &str, headers: &str, body: &str) -> impl io::Read + use<> {
        let mut stream = tls_stream(&format!("127.0.0.1:{}", self.port), &self.authority, self.name);
        write!(
            stream,
            "{line} HTTP/1.1\r\nhost: {}\r\n{headers}content-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            self.name,
            body.len()
        )
        .unwrap();
        stream
    }

    fn call(&self, line: &str, headers: &str, body: &str) -> String {
        let mut answer = Vec::new();
        // Proxies may close without a close_notify.
        let _end = self.send(line, headers, body).read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Fails only if the process has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Runs a test with an installed program. Without it the test is skipped, but fails in CI.
fn with_program(program: &str, package: &str, run: impl FnOnce(&Path)) {
    let folders = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .chain(["/usr/sbin".into()])
        .collect::<Vec<_>>();
    match folders.iter().map(|folder| folder.join(program)).find(|path| path.is_file()) {
        Some(path) => run(&path),
        None if env::var_os("CI").is_some() => panic!("no {program}; run `apt-get install {package}`"),
        None => {
            // Not `eprintln`, which the test runner hides.
            let _ = writeln!(io::stderr(), "skipped: no {program}; run `apt-get install {package}`");
        }
    }
}

/// Signs in through a proxy, and waits for changes and attacks.
///
/// `client`: the address that the console must see when a client claims two addresses: the last one
/// if the proxy takes the client for another proxy, else the client's own.
fn assert_works(data: &Path, console: &Console, proxy: &Proxy, client: &str) {
    let password = token(data, "admin-password");
    let sign_in = |password: &str| {
        let credentials = json!({"user": "admin", "password": password}).to_string();
        let claimed = "x-forwarded-for: 198.51.100.66, 203.0.113.9\r\n";
        proxy.call("POST /api/v1/sessions", claimed, &credentials)
    };
    assert!(sign_in("wrong horse battery").starts_with("HTTP/1.1 401"));
    let refused = console.call(&token(data, "admin-token"), "GET /api/v1/audit?action=refuse", "");
    assert_eq!(json_of(&refused)["items"][0]["after"]["source"], client);

    let answer = sign_in(&password);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let head = answer.to_ascii_lowercase();
    assert!(head.contains("strict-transport-security: max-age=31536000"), "{answer}");
    let cookie = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("set-cookie: ")).unwrap();
    assert!(cookie.ends_with("SameSite=Strict; Secure"), "{cookie}");
    let session = format!("cookie: {}\r\n", cookie["set-cookie: ".len()..].split(';').next().unwrap());
    let origin = format!("origin: https://{}\r\n", proxy.name);
    let entry = json!({"list": "deny", "source": {"network": "192.0.2.1"}}).to_string();
    let change = |headers: &str| proxy.call("POST /api/v1/ip-lists", headers, &entry);
    assert!(change(&session).starts_with("HTTP/1.1 403"), "a change without an origin is refused");
    assert!(change(&format!("{session}{origin}")).starts_with("HTTP/1.1 201"), "the scheme and host arrive");

    assert_waits_for_a_change(data, console, proxy);
    assert_streams(data, console, proxy, &session);
}

/// A long poll ends with the change, not with its time.
fn assert_waits_for_a_change(data: &Path, console: &Console, proxy: &Proxy) {
    let node = token(data, "node-token");
    let known = console.call(&node, "GET /api/v1/node/config", "");
    let etag = known.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let headers = format!("authorization: Bearer {node}\r\nif-none-match: {etag}\r\n");
    let start = Instant::now();
    let answer = thread::scope(|scope| {
        let poll = scope.spawn(|| proxy.call("GET /api/v1/node/config?wait=60", &headers, ""));
        let entry = json!({"list": "deny", "source": {"network": "192.0.2.2"}}).to_string();
        let admin = token(data, "admin-token");
        assert!(console.call(&admin, "POST /api/v1/ip-lists", &entry).starts_with("HTTP/1.1 201"));
        poll.join().unwrap()
    });
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("192.0.2.2"), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(50), "{:?}", start.elapsed());
}

/// An event arrives while its stream is open.
fn assert_streams(data: &Path, console: &Console, proxy: &Proxy, session: &str) {
    let mut stream = BufReader::new(proxy.send("GET /api/v1/attacks/stream", session, ""));
    let mut lines = || {
        let mut line = String::new();
        assert!(stream.read_line(&mut line).unwrap() > 0, "the stream ended");
        line
    };
    assert!(lines().starts_with("HTTP/1.1 200"));
    while lines().trim() != "" {}
    // The stream shows recent hits only.
    let batch = batch(0).replace("2026-01-01T10:00:00Z", &Timestamp::now().to_string());
    let stored = console.call(&token(data, "node-token"), "POST /api/v1/ingest", &batch);
    assert!(stored.contains(r#""rejected":[]"#), "{stored}");
    while !lines().contains("/etc/passwd") {}
}

#[test]
fn nginx_with_the_documented_configuration() {
    with_program("nginx", "nginx", |nginx| {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let console = Console::start(&data);
        let [pem, key] = certificate(dir.path());
        let port = free_port();
        let location = documented("nginx", &console.address);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};\n", dir.path().join(name).display()))
            .concat();
        let config = format!(
            "daemon off;\nmaster_process off;\npid {};\nevents {{}}\nhttp {{\n{temporary}access_log off;\nserver {{\n\
             listen 127.0.0.1:{port} ssl;\nssl_certificate {pem};\nssl_certificate_key {key};\n{location}}}\n}}\n",
            dir.path().join("nginx.pid").display()
        );
        let file = dir.path().join("nginx.conf");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(nginx);
        command.arg("-e").arg("stderr").arg("-p").arg(dir.path()).arg("-c").arg(&file);
        let proxy = Proxy::start(&mut command, dir.path(), port, (pem.into(), "localhost"));
        assert_works(&data, &console, &proxy, "203.0.113.9");
    });
}

#[test]
fn caddy_with_the_documented_configuration() {
    with_program("caddy", "caddy", |caddy| {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let console = Console::start(&data);
        let (port, store) = (free_port(), dir.path().join("caddy"));
        // Other ports, and an authority of its own instead of a public one.
        let options = format!(
            "{{\nadmin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\nhttps_port {port}\n\
             default_bind 127.0.0.1\nstorage file_system {}\n}}\n",
            store.display()
        );
        let file = dir.path().join("Caddyfile");
        fs::write(&file, options + &documented("caddy", &console.address)).unwrap();
        let mut command = Command::new(caddy);
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", dir.path());
        let authority = store.join("pki/authorities/local/root.crt");
        let proxy = Proxy::start(&mut command, dir.path(), port, (authority, "console.example.com"));
        assert_works(&data, &console, &proxy, "127.0.0.1");
    });
}
