//! Processes of the console and the node.

use anyhow::{Context as _, bail, ensure};
use cloudfront_sim::lambda::LogSink;
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::process::{Child, Command};

/// The hidden subcommand through which programs are started.
pub const WITH_PARENT: &str = "with-parent";

/// Replaces this process by `command`, which the kernel kills when the parent process dies.
///
/// Otherwise, a stack killed with -9 would leave programs that hold its ports and its spool.
pub fn become_with_parent(command: &[String]) -> io::Error {
    let [program, arguments @ ..] = command else { return io::Error::other("the command is empty") };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return error.into();
    }
    std::process::Command::new(program).args(arguments).exec()
}

/// A process with its output in `logs/<name>.log`.
pub struct Process {
    name: &'static str,
    command: Vec<String>,
    log: PathBuf,
    child: Child,
}

impl Process {
    pub(super) fn start(name: &'static str, command: Vec<String>, directory: &Path) -> anyhow::Result<Self> {
        let log = directory.join("logs").join(format!("{name}.log"));
        let child = spawn(name, &command, &log)?;
        Ok(Self { name, command, log, child })
    }

    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The command line, for a manual restart.
    pub fn command(&self) -> &[String] {
        &self.command
    }

    pub fn log(&self) -> String {
        self.log.display().to_string()
    }

    /// `None` after it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Fails with the end of its log if it has ended.
    pub(super) fn still_runs(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(10).collect();
        let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
        bail!("the {} ended ({status}). The end of {}:\n{tail}", self.name, self.log.display())
    }

    /// Waits for its exit status.
    pub async fn ended(&mut self) -> String {
        self.child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// SIGSTOP, and a wait until all threads have stopped.
    pub async fn freeze(&self) -> anyhow::Result<()> {
        let pid = self.pid().with_context(|| format!("the {} is not running", self.name))?;
        self.signal(Signal::STOP);
        until_stopped(pid).await
    }

    /// SIGCONT.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGKILL: the process cannot clean up.
    pub async fn kill(&mut self) {
        let _ = self.child.kill().await;
    }

    /// SIGTERM, then SIGKILL after the time limit.
    pub async fn terminate(&mut self, limit: Duration) {
        self.signal(Signal::TERM);
        if tokio::time::timeout(limit, self.child.wait()).await.is_err() {
            self.kill().await;
        }
    }

    pub fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            let _ = kill_process(pid, signal);
        }
    }

    pub(super) async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill().await;
        self.child = spawn(self.name, &self.command, &self.log)?;
        Ok(())
    }
}

/// Waits until every thread of a process is stopped.
pub async fn until_stopped(pid: u32) -> anyhow::Result<()> {
    const TIMEOUT: Duration = Duration::from_secs(20);
    let deadline = Instant::now() + TIMEOUT;
    while !is_stopped(pid)? {
        ensure!(Instant::now() < deadline, "process {pid} is still running {TIMEOUT:?} after SIGSTOP");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

fn is_stopped(pid: u32) -> io::Result<bool> {
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // The state follows the name, which is in parentheses (proc_pid_stat(5)).
        let stat = std::fs::read_to_string(thread?.path().join("stat"))?;
        if !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T')) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn spawn(name: &str, command: &[String], log: &Path) -> anyhow::Result<Child> {
    let program = command.first().with_context(|| format!("{name} has no program"))?;
    let log = append_to(log)?;
    // Not `current_exe`: under `cargo test` that is a test.
    Command::new(up::directory()?.join("e2e"))
        .arg(WITH_PARENT)
        .args(command)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        // Ctrl-C in the terminal is only for this program, which then stops the others in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {program}"))
}

fn append_to(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.with_context(|| format!("cannot write the log {}", path.display()))
}

/// The log file of a function.
pub(super) fn log_file(directory: &Path, name: &str) -> anyhow::Result<File> {
    append_to(&directory.join("logs").join(format!("{name}.log")))
}

/// Appends each line of a function's output to a file.
pub(super) fn line_sink(file: File) -> LogSink {
    let file = Arc::new(Mutex::new(file));
    Arc::new(move |_, line| {
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(file, "{line}");
    })
}
