//! A node process, with its memory and processor time.

use anyhow::Context as _;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const START: Duration = Duration::from_secs(30);

pub(crate) struct Target {
    process: Child,
    pub address: SocketAddr,
}

impl Drop for Target {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Target {
    pub(crate) fn start(folder: &Path, mode: &str) -> anyhow::Result<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let config = format!(
            "version: 4\nmode: connector-server\nconnector: {{ address: '{address}' }}\n\
             route_config: {{ wallarm_mode: '{mode}' }}\n\
             metrics: {{ enabled: false, legacy_status: {{ enabled: false }} }}\nhealth_check: {{ enabled: false }}\n\
             spool: {{ directory: '{}' }}\nlog: {{ level: warn }}\n",
            folder.join(mode).display()
        );
        let file = folder.join(format!("{mode}.yaml"));
        fs::write(&file, config)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_wallarm-node"));
        let process = command.arg("run").arg("--config").arg(file).stdin(Stdio::null()).spawn()?;
        let mut target = Self { process, address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = target.process.try_wait()? {
                anyhow::bail!("the node ended: {status}");
            }
            anyhow::ensure!(started.elapsed() < START, "the node does not respond");
            sleep(Duration::from_millis(20));
        }
        Ok(target)
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kibibytes * 1024)
    }

    /// Processor time used.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name in parentheses may contain spaces. Fields 14 and 15 are user and system time.
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks = |field: usize| fields.get(field - 3).and_then(|text| text.parse::<u64>().ok());
        let ticks = ticks(14).zip(ticks(15)).context("no times in /proc/PID/stat")?;
        Ok(Duration::from_millis((ticks.0 + ticks.1) * 1000 / rustix::param::clock_ticks_per_second()))
    }
}
