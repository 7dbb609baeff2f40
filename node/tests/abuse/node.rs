//! A node process, with its memory and descriptors.

use serde_json::json;
use std::{
    fs,
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than any step takes, even on a busy machine, unless it hangs.
pub(crate) const FOREVER: Duration = Duration::from_mins(2);

/// The secret of the signing key `edge`.
pub(crate) const SECRET: &str = "a secret of the abuse tests, long enough";

pub(crate) struct Node {
    process: Child,
    pub address: SocketAddr,
    descriptors: usize,
    resident: u64,
    _folder: TempDir,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Node {
    /// Starts a node with these `limits`.
    pub(crate) fn start(limits: &str) -> Self {
        let mut node = Self::launch(limits, false);
        // The memory at rest does not count as cost of the abuse.
        for _ in 0..20 {
            assert!(inspect(node.address).contains(r#""action":"block""#));
        }
        node.resident = node.status("VmRSS:");
        node.descriptors = node.open_descriptors();
        node
    }

    /// Starts a node that wants signed calls.
    pub(crate) fn start_with_signing_key(limits: &str) -> Self {
        Self::launch(limits, true)
    }

    fn launch(limits: &str, is_signed: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let key = folder.path().join("key");
        fs::write(&key, SECRET).unwrap();
        let keys = if is_signed {
            format!("[{{ id: edge, secret_file: '{}' }}]", key.display())
        } else {
            "[]".to_owned()
        };
        let config = format!(
            "version: 4\nmode: connector-server\nconnector: {{ address: '{address}' }}\n\
             route_config: {{ wallarm_mode: block }}\nlimits: {{ {limits} }}\n\
             metrics: {{ enabled: false, legacy_status: {{ enabled: false }} }}\nhealth_check: {{ enabled: false }}\n\
             spool: {{ directory: '{}' }}\nlog: {{ level: warn }}\nsigning_keys: {keys}\n",
            folder.path().join("spool").display()
        );
        let file = folder.path().join("node.yaml");
        fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallarm-node"));
        let process = command.arg("run").arg("--config").arg(file).stdin(Stdio::null()).spawn().unwrap();
        let mut node = Self { process, address, descriptors: 0, resident: 0, _folder: folder };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert_eq!(node.process.try_wait().unwrap(), None, "the node ended");
            assert!(started.elapsed() < FOREVER, "the node does not respond");
            sleep(Duration::from_millis(20));
        }
        node
    }

    /// Peak memory above that at rest.
    pub(crate) fn growth(&self) -> u64 {
        self.status("VmHWM:").saturating_sub(self.resident)
    }

    /// Waits until every connection is gone and the node still works.
    pub(crate) fn assert_released(&mut self) {
        let start = Instant::now();
        while self.open_descriptors() > self.descriptors + 8 {
            assert_eq!(self.process.try_wait().unwrap(), None, "the node ended");
            assert!(start.elapsed() < FOREVER, "{} descriptors are still open", self.open_descriptors());
            sleep(Duration::from_millis(100));
        }
        assert!(inspect(self.address).contains(r#""action":"block""#));
    }

    pub(crate) fn open_descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.process.id())).unwrap().count()
    }

    fn status(&self, name: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
    }
}

/// A call with an attack.
pub(crate) fn call() -> Vec<u8> {
    let message = json!({ "client_ip": "203.0.113.178", "method": "GET", "host": "shop.example.com", "path": "/etc/passwd" });
    post("application/json", message.to_string().as_bytes())
}

pub(crate) fn post(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST /v1/inspect/request HTTP/1.1\r\nhost: node\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Calls once on a new connection. Returns the response.
pub(crate) fn inspect(address: SocketAddr) -> String {
    send(address, &call()).unwrap()
}

/// Sends bytes, shuts down the sending side, and reads the response.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> std::io::Result<String> {
    use std::io::Write as _;
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(FOREVER))?;
    stream.set_write_timeout(Some(FOREVER))?;
    stream.write_all(bytes)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
