//! Structured log: one JSON line per event, with fields that CloudWatch can search.

use std::{
    io::{self, Write as _},
    sync::Arc,
};

/// Severity, the highest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// No request is inspected, or a count is lost.
    Error,
    /// A request was not inspected, or a response not reported.
    Warn,
    /// A request was blocked.
    Info,
    /// Each verdict and each bypass.
    Debug,
}

/// Writes lines of its level and above.
#[derive(Clone)]
pub struct Log {
    level: Level,
    sink: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Log {
    pub fn new(level: Level, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { level, sink: Arc::new(sink) }
    }

    pub fn write(&self, level: Level, message: &str, fields: &[(&str, &str)]) {
        if level > self.level {
            return;
        }
        let all = [("level", level.as_str()), ("message", message)];
        let all = all.iter().chain(fields).map(|(name, value)| ((*name).to_owned(), (*value).into()));
        (self.sink)(&serde_json::Value::Object(all.collect()).to_string());
    }
}

/// Standard error, which Lambda forwards to CloudWatch. A closed stream must not end the function.
pub fn to_stderr(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

impl Level {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn writes_lines_of_its_level_and_escapes_values() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Log::new(Level::Warn, {
            let lines = lines.clone();
            move |line: &str| lines.lock().unwrap().push(line.to_owned())
        });
        log.write(Level::Info, "blocked", &[]);
        log.write(Level::Warn, "not inspected", &[("cause", "a\"\n{\"level\":\"error\"}")]);
        assert_eq!(
            *lines.lock().unwrap(),
            [r#"{"cause":"a\"\n{\"level\":\"error\"}","level":"warn","message":"not inspected"}"#]
        );
    }
}
