//! The `cloudfront-sim` program as a process.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

pub(crate) const SIMULATOR: &str = env!("CARGO_BIN_EXE_cloudfront-sim");

/// A running simulator, in a directory of its own.
pub(crate) struct Simulator {
    pub(crate) process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    directory: TempDir,
}

impl Simulator {
    /// Starts with these files in its directory.
    pub(crate) fn start(files: &[(&str, &[u8])], arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        let mut process = Command::new(SIMULATOR)
            .env("TMPDIR", directory.path())
            .current_dir(directory.path())
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, directory }
    }

    /// The address in the next line, after this prefix.
    pub(crate) async fn address_after(&mut self, prefix: &str) -> SocketAddr {
        let line =
            self.lines.next_line().await.unwrap().expect("the simulator prints the line before it ends");
        line.strip_prefix(prefix).unwrap_or_else(|| panic!("{line}")).parse().unwrap()
    }

    pub(crate) fn signal(&self, signal: i32) {
        let id = self.process.id().unwrap().to_string();
        std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}
