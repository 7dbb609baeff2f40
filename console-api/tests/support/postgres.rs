//! A PostgreSQL server for one test run, from the programs of the Debian package `postgresql`.

use std::{
    env, fs,
    io::{self, Write as _},
    os::unix::{
        fs::{MetadataExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The user `nobody`: PostgreSQL does not run as root.
const NOBODY: u32 = 65534;
/// Generous, because a busy machine needs long to create and start a server.
const START: Duration = Duration::from_mins(2);

pub(crate) struct Server {
    process: Child,
    dir: TempDir,
}

impl Server {
    /// Starts a server. The error is the reason why none can be started.
    pub(crate) fn start() -> Result<Self, String> {
        let programs = programs()?;
        let dir = tempfile::tempdir().unwrap();
        let is_root = dir.path().metadata().unwrap().uid() == 0;
        if is_root {
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let data = dir.path().join("data");
        let initdb = program(&programs, "initdb", dir.path())
            .args([
                "--username=console",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));
        let process = program(&programs, "postgres", dir.path())
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-k"])
            .arg(dir.path())
            .arg("-D")
            .arg(&data)
            .stderr(fs::File::create(dir.path().join("log")).unwrap())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self { process, dir };
        server.wait();
        Ok(server)
    }

    fn wait(&mut self) {
        let log = self.dir.path().join("log");
        let start = Instant::now();
        while !fs::read_to_string(&log).unwrap().contains("ready to accept connections") {
            let log = || fs::read_to_string(&log).unwrap();
            assert!(self.process.try_wait().unwrap().is_none(), "the server ended: {}", log());
            assert!(start.elapsed() < START, "the server does not start: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres:///postgres?user=console&host={}", self.dir.path().display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if the server has already ended. SIGINT does not wait for connections.
        let _ = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// Runs a test that needs a server. Without a server the test is skipped, but fails in CI.
pub(crate) fn with_server(run: impl FnOnce(&Server)) {
    match Server::start() {
        Ok(server) => run(&server),
        Err(reason) if env::var_os("CI").is_some() => panic!("{reason}"),
        // Not `eprintln`, which the test runner hides.
        Err(reason) => {
            let _ = writeln!(io::stderr(), "skipped: {reason}");
        }
    }
}

/// The folder of the newest installed version.
fn programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).max();
    newest
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
        .ok_or_else(|| "no PostgreSQL below /usr/lib/postgresql; run `apt-get install postgresql`".to_owned())
}

fn program(programs: &Path, name: &str, dir: &Path) -> Command {
    let mut command = Command::new(programs.join(name));
    command.current_dir(dir);
    let owner = dir.metadata().unwrap().uid();
    if owner == NOBODY {
        command.uid(owner).gid(owner);
    }
    command
}
