//! The measured servers: processes on free ports of loopback, stopped on drop.

use anyhow::Context as _;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const START: Duration = Duration::from_mins(1);
const MODULE: &str = "/usr/lib/nginx/modules/ngx_http_modsecurity_module.so";
const RULES: &str = "/usr/share/modsecurity-crs/rules";
const TO_INSTALL: &str = "apt-get install nginx libnginx-mod-http-modsecurity modsecurity-crs";

pub(crate) struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// nginx with one worker that answers every request, optionally with ModSecurity and its rules.
pub(crate) fn nginx(folder: &Path, with_rules: bool) -> anyhow::Result<Server> {
    anyhow::ensure!(
        Path::new(MODULE).exists() && Path::new(RULES).exists(),
        "missing; install: {TO_INSTALL}"
    );
    let (address, origin) = (free_address()?, free_address()?);
    let folder = folder.join(if with_rules { "modsecurity" } else { "plain" });
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("rules.conf"), MODSECURITY)?;
    let rules = if with_rules { "modsecurity on; modsecurity_rules_file @FOLDER/rules.conf;" } else { "" };
    let config = NGINX
        .replace("@MODULE", MODULE)
        .replace("@ADDRESS", &address.to_string())
        .replace("@ORIGIN", &origin.to_string())
        .replace("@RULES", rules)
        .replace("@FOLDER", &folder.display().to_string());
    fs::write(folder.join("nginx.conf"), config)?;
    let mut command = Command::new("nginx");
    // `master_process off`: a single process, which can be stopped.
    command.arg("-p").arg(&folder).args(["-c", "nginx.conf", "-e", "error.log"]);
    start(command, address)
}

/// Proxies to a server of the same process: `return` alone replies before bodies are inspected.
const NGINX: &str = "
load_module @MODULE;
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log error.log crit;
events { worker_connections 256; }
http {
  access_log off;
  client_max_body_size 16m;
  client_body_buffer_size 16m;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  large_client_header_buffers 4 64k;
  keepalive_requests 1000000;
  upstream origin { server @ORIGIN; keepalive 4; }
  server {
    listen @ADDRESS;
    @RULES
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ''; }
  }
  server { listen @ORIGIN; keepalive_requests 1000000; location / { return 200 'ok'; } }
}
";

/// The packaged rules, paranoia level 1, in blocking mode, without the audit log.
const MODSECURITY: &str = "
Include /etc/nginx/modsecurity.conf
SecRuleEngine On
SecAuditEngine Off
Include /etc/modsecurity/crs/crs-setup.conf
Include /usr/share/modsecurity-crs/rules/*.conf
";

/// Our node in mode `block`.
pub(crate) fn node(folder: &Path) -> anyhow::Result<Server> {
    let address = free_address()?;
    let spool = folder.join("spool");
    let config = format!(
        "version: 4\nmode: connector-server\nconnector: {{ address: '{address}' }}\nroute_config: {{ wallarm_mode: block }}\n\
         metrics: {{ enabled: false, legacy_status: {{ enabled: false }} }}\nhealth_check: {{ enabled: false }}\n\
         spool: {{ directory: '{}' }}\nlog: {{ level: error }}\n",
        spool.display()
    );
    fs::write(folder.join("node.yaml"), config)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_wallarm-node"));
    command.arg("run").arg("--config").arg(folder.join("node.yaml"));
    start(command, address)
}

fn free_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Waits until the server accepts connections.
fn start(mut command: Command, address: SocketAddr) -> anyhow::Result<Server> {
    let process = command.stdin(Stdio::null()).spawn().with_context(|| format!("{command:?}"))?;
    let mut server = Server { process, address };
    let started = Instant::now();
    while TcpStream::connect(address).is_err() {
        if let Some(status) = server.process.try_wait()? {
            anyhow::bail!("{command:?} ended: {status}");
        }
        anyhow::ensure!(started.elapsed() < START, "{command:?} does not respond");
        sleep(Duration::from_millis(50));
    }
    Ok(server)
}
