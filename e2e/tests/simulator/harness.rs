//! What the tests share: zips from a few lines of Python, and functions started from them.

use std::fs;
use std::io::{Cursor, Write};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use e2e::lambda::{Function, FunctionConfig, LambdaLog, LogEvent, PythonRuntime, silent};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The one Python of this run; named once in the output.
pub(crate) fn python() -> PythonRuntime {
    static PYTHON: OnceLock<PythonRuntime> = OnceLock::new();
    let found = || {
        let python = PythonRuntime::detect().unwrap();
        eprintln!("functions run with {python}");
        python
    };
    PYTHON.get_or_init(found).clone()
}

/// A function together with the directory its zip lies in.
pub(crate) struct TestFunction {
    pub function: Arc<Function>,
    _directory: TempDir,
}

impl std::ops::Deref for TestFunction {
    type Target = Function;

    fn deref(&self) -> &Function {
        &self.function
    }
}

/// A function of this source, started with the defaults.
pub(crate) async fn function(source: &str) -> TestFunction {
    configured(source, |_| {}).await
}

/// A function of this source, with its settings changed.
pub(crate) async fn configured(source: &str, change: impl FnOnce(&mut FunctionConfig)) -> TestFunction {
    let directory = TempDir::new().unwrap();
    let zip = directory.path().join("function.zip");
    fs::write(&zip, zipped(&[("lambda_function.py", source, 0o644)])).unwrap();
    let mut config = FunctionConfig { sink: silent(), ..FunctionConfig::new("under-test", zip, python()) };
    change(&mut config);
    let function = Arc::new(Function::start(config).await.unwrap());
    TestFunction { function, _directory: directory }
}

/// A zip of these names, texts and modes.
pub(crate) fn zipped(files: &[(&str, &str, u32)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text, mode) in files {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The letter after the name in `/proc/PID/stat`: `S` sleeps, `T` is stopped. `None` once the process is gone.
pub(crate) fn process_state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Waits for what another process does in its own time.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < patience, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// How many entries of a kind there are.
pub(crate) fn count(log: &LambdaLog, is: impl Fn(&LogEvent) -> bool) -> usize {
    log.events().iter().filter(|event| is(event)).count()
}
