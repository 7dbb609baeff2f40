//! A background writer of log lines: a slow disk or reader delays no verdict.

use super::LogFile;
use std::{
    io::Write as _,
    mem,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// Lines waiting to be written to a file.
pub(super) struct Writer {
    pub(super) file: LogFile,
    waiting: Mutex<PendingLines>,
    changed: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct PendingLines {
    lines: Vec<u8>,
    count: u64,
    is_writing: bool,
}

impl Writer {
    /// Lines beyond this are dropped and counted.
    const MAX_BYTES: usize = 1 << 20;
    /// Lines of this period are written together.
    const PAUSE: Duration = Duration::from_millis(10);

    pub(super) fn start(file: LogFile) -> Arc<Self> {
        let writer = Arc::new(Self {
            file,
            waiting: Mutex::default(),
            changed: Condvar::new(),
            lost: AtomicU64::default(),
        });
        let weak = Arc::downgrade(&writer);
        thread::spawn(move || {
            while let Some(writer) = weak.upgrade() {
                writer.write_pending();
                drop(writer);
                thread::sleep(Self::PAUSE);
            }
        });
        writer
    }

    pub(super) fn write(&self, line: &[u8]) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.lines.len() + line.len() > Self::MAX_BYTES {
            drop(waiting);
            self.lost.fetch_add(1, Relaxed);
            return;
        }
        waiting.lines.extend_from_slice(line);
        waiting.count += 1;
        if waiting.count == 1 {
            self.changed.notify_all();
        }
    }

    /// Lines dropped or failed to write.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Waits until pending lines are written, at most for `timeout`.
    pub(super) fn flush(&self, timeout: Duration) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_busy = |waiting: &mut PendingLines| waiting.count > 0 || waiting.is_writing;
        let _flushed = self.changed.wait_timeout_while(waiting, timeout, is_busy);
    }

    /// Writes pending lines, or waits for some.
    fn write_pending(&self) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_idle = |waiting: &mut PendingLines| waiting.count == 0;
        let waited = self.changed.wait_timeout_while(waiting, Duration::from_secs(1), is_idle);
        let mut waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        let PendingLines { lines, count, .. } =
            mem::replace(&mut *waiting, PendingLines { is_writing: true, ..PendingLines::default() });
        drop(waiting);
        if (&self.file).write_all(&lines).is_err() {
            self.lost.fetch_add(count, Relaxed);
        }
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).is_writing = false;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Destination;
    use std::fs;

    #[test]
    fn a_blocked_reader_costs_lines_and_never_blocks_a_caller() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
            .unwrap();
        // Also opened for reading: otherwise opening it would block.
        let _reader = fs::File::options().read(true).write(true).open(&pipe).unwrap();
        let writer = Writer::start(LogFile::open(Destination::File(pipe)).unwrap());
        for _ in 0..40_000 {
            writer.write(&[b'x'; 100]);
        }
        assert!(writer.lost() > 10_000, "{}", writer.lost());
    }
}
