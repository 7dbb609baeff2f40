//! The lines that Lambda writes into a function's log.

use std::time::Duration;

/// The facts about a finished invocation.
pub(super) struct Report<'a> {
    pub(super) id: &'a str,
    pub(super) duration: Duration,
    /// Duration of the start, if this invocation is the environment's first.
    pub(super) init: Option<Duration>,
    pub(super) memory_mb: u32,
    /// In bytes.
    pub(super) used: u64,
    pub(super) end: End<'a>,
}

/// The outcome of an invocation.
#[derive(Clone, Copy)]
pub(super) enum End<'a> {
    Answered,
    TimedOut { after: Duration },
    Exited { reason: &'a str, out_of_memory: bool },
}

pub(super) fn start(id: &str, version: u32) -> String {
    format!("START RequestId: {id} Version: {version}")
}

impl Report<'_> {
    /// Since August 2025 the duration of the start is billed as well.
    pub(super) fn lines(&self) -> Vec<String> {
        let Self { id, duration, init, memory_mb, used, end } = self;
        let mut lines = Vec::new();
        if let End::Exited { reason, .. } = end {
            lines.push(format!("RequestId: {id} Error: {reason}"));
            lines.push("Runtime.ExitError".to_owned());
        }
        lines.push(format!("END RequestId: {id}"));
        let billed = millis(*duration + init.unwrap_or_default()).ceil();
        let used = used.div_ceil(1024 * 1024);
        let init = init.map(|init| format!("Init Duration: {:.2} ms\t", millis(init))).unwrap_or_default();
        let status = match end {
            End::Answered => "",
            End::TimedOut { .. } => "Status: timeout",
            End::Exited { out_of_memory: true, .. } => "Status: error\tError Type: Runtime.OutOfMemory",
            End::Exited { .. } => "Status: error\tError Type: Runtime.ExitError",
        };
        lines.push(format!(
            "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {billed} ms\tMemory Size: {memory_mb} MB\t\
             Max Memory Used: {used} MB\t{init}{status}",
            millis(*duration)
        ));
        if let End::TimedOut { after } = end {
            let now = jiff::Timestamp::now();
            lines.push(format!("{now:.3} {id} Task timed out after {:.2} seconds", after.as_secs_f64()));
        }
        lines
    }
}

/// The report of a failed start.
pub(super) fn init_failed(duration: Duration, timed_out: bool) -> String {
    let status = if timed_out { "timeout" } else { "error\tError Type: Runtime.ExitError" };
    format!("INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {status}", millis(duration))
}

/// The exit reason in Lambda's wording: Go's name of the signal, or the status.
pub(super) fn exit_reason(status: std::process::ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(9)) => "Runtime exited with error: signal: killed".to_owned(),
        (None, Some(15)) => "Runtime exited with error: signal: terminated".to_owned(),
        (None, Some(6)) => "Runtime exited with error: signal: aborted".to_owned(),
        (None, Some(11)) => "Runtime exited with error: signal: segmentation fault".to_owned(),
        (None, signal) => format!("Runtime exited with error: signal: {}", signal.unwrap_or_default()),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;

    use insta::assert_snapshot;

    use super::*;

    fn report(end: End) -> String {
        let lines = Report {
            id: "8f2e7a6c",
            duration: Duration::from_micros(2_350),
            init: Some(Duration::from_micros(110_510)),
            memory_mb: 128,
            used: 36 << 20,
            end,
        }
        .lines();
        lines.join("\n").replace('\t', "|")
    }

    #[test]
    fn reports_match_lambdas_format() {
        assert_snapshot!(report(End::Answered), @r"
        END RequestId: 8f2e7a6c
        REPORT RequestId: 8f2e7a6c|Duration: 2.35 ms|Billed Duration: 113 ms|Memory Size: 128 MB|Max Memory Used: 36 MB|Init Duration: 110.51 ms|
        ");
    }

    #[test]
    fn kill_is_reported_before_the_end_line() {
        let reason = exit_reason(ExitStatus::from_raw(9));
        assert_snapshot!(report(End::Exited { reason: &reason, out_of_memory: true }), @r"
        RequestId: 8f2e7a6c Error: Runtime exited with error: signal: killed
        Runtime.ExitError
        END RequestId: 8f2e7a6c
        REPORT RequestId: 8f2e7a6c|Duration: 2.35 ms|Billed Duration: 113 ms|Memory Size: 128 MB|Max Memory Used: 36 MB|Init Duration: 110.51 ms|Status: error|Error Type: Runtime.OutOfMemory
        ");
        assert_snapshot!(exit_reason(ExitStatus::from_raw(3 << 8)), @"Runtime exited with error: exit status 3");
    }

    #[test]
    fn reports_a_timeout_with_its_duration() {
        let lines = report(End::TimedOut { after: Duration::from_secs(3) });
        assert!(lines.ends_with("8f2e7a6c Task timed out after 3.00 seconds"), "{lines}");
        assert!(lines.contains("|Status: timeout\n20"), "{lines}");
    }

    #[test]
    fn reports_a_failed_start() {
        let failed = init_failed(Duration::from_secs(10), true).replace('\t', "|");
        assert_snapshot!(failed, @"INIT_REPORT Init Duration: 10000.00 ms|Phase: init|Status: timeout");
    }
}
