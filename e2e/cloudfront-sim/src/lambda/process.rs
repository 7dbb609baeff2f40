//! The process group of one environment, watched until it ends.

use std::io;
use std::process::Stdio;
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::log::{LambdaLog, LogEvent};
use super::report::exit_reason;

/// A longer line is logged in pieces.
const MAX_LINE: u64 = 256 * 1024;

#[derive(Debug)]
pub(super) struct Process {
    pid: Pid,
    /// The exit status, once it has ended.
    ended: watch::Receiver<Option<String>>,
}

impl Process {
    pub(super) fn spawn(mut command: Command, log: &LambdaLog) -> io::Result<Arc<Self>> {
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let pid = pid_of(&child)?;
        log.push(raw(pid), LogEvent::Started);
        tokio::spawn(copy_lines(child.stdout.take(), raw(pid), log.clone()));
        tokio::spawn(copy_lines(child.stderr.take(), raw(pid), log.clone()));
        let (exited, ended) = watch::channel(None);
        tokio::spawn(watch_exit(child, pid, log.clone(), exited));
        Ok(Arc::new(Self { pid, ended }))
    }

    pub(super) fn pid(&self) -> u32 {
        raw(self.pid)
    }

    pub(super) fn is_alive(&self) -> bool {
        self.ended.borrow().is_none()
    }

    /// Waits for the exit status.
    pub(super) async fn exited(&self) -> String {
        let mut ended = self.ended.clone();
        // The watching task ends only with the whole async runtime.
        let status = ended.wait_for(Option::is_some).await;
        status.ok().and_then(|status| status.clone()).unwrap_or_default()
    }

    pub(super) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGKILL also ends stopped processes.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        // After its exit status was read, its id may belong to another process.
        if self.is_alive() {
            let _ = kill_process_group(self.pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

async fn watch_exit(mut child: Child, pid: Pid, log: LambdaLog, exited: watch::Sender<Option<String>>) {
    let status = match child.wait().await {
        Ok(status) => exit_reason(status),
        Err(error) => error.to_string(),
    };
    // Its children are killed with it, as when Lambda tears an environment down.
    let _ = kill_process_group(pid, Signal::KILL);
    log.push(raw(pid), LogEvent::Exited { status: status.clone() });
    exited.send_replace(Some(status));
}

async fn copy_lines(from: Option<impl AsyncRead + Unpin>, pid: u32, log: LambdaLog) {
    let Some(from) = from else { return };
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut from).take(MAX_LINE).read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
        log.push(pid, LogEvent::Output { line: text });
        line.clear();
    }
}

fn pid_of(child: &Child) -> io::Result<Pid> {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    pid.ok_or_else(|| io::Error::other("the process has no id"))
}

fn raw(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}
