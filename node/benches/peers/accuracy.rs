//! Detection and false positive rates on our own corpus.

use super::client::{Client, to_http};
use engine::{Engine, corpus};
use std::{fs, path::Path};

/// The number of blocked requests, and of all requests.
#[derive(Default)]
pub(crate) struct Share {
    blocked: usize,
    all: usize,
}

impl Share {
    fn count(&mut self, is_blocked: bool) {
        self.all += 1;
        self.blocked += usize::from(is_blocked);
    }
}

impl std::fmt::Display for Share {
    #[expect(clippy::cast_precision_loss, reason = "a rounded percentage")]
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} % of {}", 100.0 * self.blocked as f64 / self.all.max(1) as f64, self.all)
    }
}

/// The rates of a folder of the corpus.
#[derive(Default)]
pub(crate) struct Blocked {
    pub ours: Share,
    pub theirs: Share,
    /// Requests that nginx rejects as malformed. They are not counted.
    pub unsendable: usize,
}

pub(crate) fn blocked(
    engine: &Engine,
    folder: &str,
    plain: &mut Client,
    guarded: &mut Client,
) -> anyhow::Result<Blocked> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("engine/corpus").join(folder);
    let mut blocked = Blocked::default();
    for file in fs::read_dir(folder)? {
        for sample in corpus::parse(&fs::read_to_string(file?.path())?)? {
            let request = sample.plain().request;
            let bytes = to_http(&request);
            if !plain.call(&bytes).is_ok_and(|reply| reply.status == 200) {
                blocked.unsendable += 1;
                continue;
            }
            blocked.theirs.count(guarded.call(&bytes)?.status != 200);
            blocked.ours.count(!engine.inspect(&request).findings.is_empty());
        }
    }
    Ok(blocked)
}
