//! The timed event log of a function, for assertions.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Older entries are dropped, to bound the memory of long runs.
const CAPACITY: usize = 100_000;

/// Receives each line of a function's output: the function's name, then the line.
pub type LogSink = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// A sink that sends lines to `tracing`.
pub fn to_tracing() -> LogSink {
    Arc::new(|function, line| tracing::info!(target: "lambda", function, "{line}"))
}

/// A sink that drops lines; they remain in the [`LambdaLog`].
pub fn silent() -> LogSink {
    Arc::new(|_, _| {})
}

/// The events of one function. Clones share them.
#[derive(Clone)]
pub struct LambdaLog {
    function: Arc<str>,
    sink: LogSink,
    entries: Arc<Mutex<VecDeque<Entry>>>,
}

/// An event in one environment.
#[derive(Debug, Clone)]
pub struct Entry {
    pub at: Instant,
    pub pid: u32,
    pub event: LogEvent,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    Started,
    /// The runtime requested the next event.
    Next {
        user_agent: String,
    },
    InvokeStart {
        id: String,
    },
    /// The caller has its response from here on.
    Response {
        id: String,
    },
    Error {
        id: String,
        body: String,
    },
    InitError {
        body: String,
    },
    TimedOut {
        id: String,
    },
    Frozen,
    Thawed,
    Exited {
        status: String,
    },
    /// A line of standard output or standard error.
    Output {
        line: String,
    },
    /// A line that Lambda writes: START, END, REPORT and the errors between them.
    Platform {
        line: String,
    },
}

impl LambdaLog {
    pub(super) fn new(function: &str, sink: LogSink) -> Self {
        Self { function: function.into(), sink, entries: Arc::default() }
    }

    pub(super) fn push(&self, pid: u32, event: LogEvent) {
        if let LogEvent::Output { line } | LogEvent::Platform { line } = &event {
            (self.sink)(&self.function, line);
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == CAPACITY {
            entries.pop_front();
        }
        // The time is taken under the lock, so that entries are in the order of their times.
        entries.push_back(Entry { at: Instant::now(), pid, event });
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub fn events(&self) -> Vec<LogEvent> {
        self.entries().into_iter().map(|entry| entry.event).collect()
    }

    /// The first entry of a kind.
    pub fn find(&self, is: impl Fn(&LogEvent) -> bool) -> Option<Entry> {
        self.entries().into_iter().find(|entry| is(&entry.event))
    }

    /// The lines the function printed.
    pub fn output(&self) -> Vec<String> {
        let line = |event| if let LogEvent::Output { line } = event { Some(line) } else { None };
        self.events().into_iter().filter_map(line).collect()
    }

    /// The content of the function's log group: its own lines and Lambda's.
    pub fn lines(&self) -> Vec<String> {
        let line = |event| match event {
            LogEvent::Output { line } | LogEvent::Platform { line } => Some(line),
            _ => None,
        };
        self.events().into_iter().filter_map(line).collect()
    }
}

impl fmt::Debug for LambdaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("LambdaLog");
        debug.field("function", &self.function).field("entries", &self.entries()).finish_non_exhaustive()
    }
}
