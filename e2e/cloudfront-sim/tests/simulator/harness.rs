//! The test harness: functions from a few lines of Python, and a distribution with an origin.

use std::fs;
use std::io::{Cursor, Write};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use cloudfront_sim::clock::Clock;
use cloudfront_sim::cloudfront::{self, Association, CloudFront, DistributionConfig};
use cloudfront_sim::http1::{Client, Options, Request, Response};
use cloudfront_sim::lambda::{Function, FunctionConfig, LambdaLog, LogEvent, PythonRuntime, silent};
use cloudfront_sim::origin::Origin;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::net::TcpListener;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The Python of this run, printed once.
pub(crate) fn python() -> PythonRuntime {
    static PYTHON: OnceLock<PythonRuntime> = OnceLock::new();
    let detect_once = || {
        let python = PythonRuntime::detect().unwrap();
        eprintln!("functions run with {python}");
        python
    };
    PYTHON.get_or_init(detect_once).clone()
}

/// A function and the directory of its zip.
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

/// A function of this source with default settings.
pub(crate) async fn function(source: &str) -> TestFunction {
    configured(source, |_| {}).await
}

/// A function with this body, in which `request` and `response` are defined.
pub(crate) async fn does(lines: &str) -> TestFunction {
    let source = "def lambda_handler(event, context):\n    cf = event['Records'][0]['cf']\n    request = cf['request']\n    response = cf.get('response')\n";
    let indented: Vec<_> = lines.lines().map(|line| format!("    {line}")).collect();
    function(&(source.to_owned() + &indented.join("\n"))).await
}

/// A function of this source with changed settings.
pub(crate) async fn configured(source: &str, change: impl FnOnce(&mut FunctionConfig)) -> TestFunction {
    from_files(&[("lambda_function.py", source, 0o644)], change).await
}

/// A function of these names, texts and modes.
pub(crate) async fn from_files(
    files: &[(&str, &str, u32)],
    change: impl FnOnce(&mut FunctionConfig),
) -> TestFunction {
    let directory = TempDir::new().unwrap();
    let zip = directory.path().join("function.zip");
    fs::write(&zip, zipped(files)).unwrap();
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

/// The state in `/proc/PID/stat`: `S` sleeping, `T` stopped. `None` after the process has ended.
pub(crate) fn process_state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Waits for a condition that depends on another process.
pub(crate) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "condition never held: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The number of matching events.
pub(crate) fn count(log: &LambdaLog, is: impl Fn(&LogEvent) -> bool) -> usize {
    log.events().iter().filter(|event| is(event)).count()
}

/// A distribution in front of an origin, with a visitor and a fixed clock.
pub(crate) struct Edge {
    pub(crate) origin: Origin,
    pub(crate) cloudfront: CloudFront,
    pub(crate) clock: Clock,
    visitor: Client,
}

impl Edge {
    /// In front of the sample origin.
    pub(crate) async fn start(set: impl FnOnce(&mut DistributionConfig)) -> Self {
        Self::in_front_of(Origin::start(any_port().await).unwrap(), set).await
    }

    /// In front of an origin with these responses.
    pub(crate) async fn before(
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
        set: impl FnOnce(&mut DistributionConfig),
    ) -> Self {
        Self::before_slow(move |request| std::future::ready(answer(&request)), set).await
    }

    /// In front of an origin with asynchronous responses.
    pub(crate) async fn before_slow<F: Future<Output = Response> + Send + 'static>(
        answer: impl Fn(Request) -> F + Send + Sync + 'static,
        set: impl FnOnce(&mut DistributionConfig),
    ) -> Self {
        Self::in_front_of(Origin::answering(any_port().await, answer).unwrap(), set).await
    }

    async fn in_front_of(origin: Origin, set: impl FnOnce(&mut DistributionConfig)) -> Self {
        let mut config = DistributionConfig::new(origin.address());
        set(&mut config);
        let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
        let edge = cloudfront::Edge::new(config, clock.clone());
        let cloudfront = CloudFront::start_with(any_port().await, edge, Options::default()).unwrap();
        Self { origin, cloudfront, clock, visitor: Client::default() }
    }

    pub(crate) async fn send(&self, request: Request) -> Response {
        self.visitor.send(self.cloudfront.address(), &request).await.unwrap()
    }

    pub(crate) async fn get(&self, target: impl Into<Vec<u8>>) -> Response {
        self.send(Request::new("GET", target, "shop.example.com")).await
    }

    pub(crate) async fn post(&self, target: &str, body: impl Into<Vec<u8>>) -> Response {
        self.send(Request::new("POST", target, "shop.example.com").with_body(body)).await
    }
}

pub(crate) async fn any_port() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

impl TestFunction {
    /// An association that includes the body.
    #[expect(clippy::unnecessary_wraps, reason = "the fields of `Functions` are optional")]
    pub(crate) fn at(&self) -> Option<Association> {
        Some(Association::with_body(Arc::clone(&self.function)))
    }
}
