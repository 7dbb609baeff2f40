//! The threads that hash passwords. Each has the memory of one hash, allocated once: the C library
//! keeps much of what is freed and allocated again.

use super::PasswordError;
use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};
use tokio::sync::oneshot;

/// About half a second of work.
pub(super) const MAX_WAITING: usize = 32;
pub(super) const THREADS: usize = 2;

type Job = Box<dyn FnOnce(&mut Hasher) + Send>;

static THREADS_OF_HASHERS: LazyLock<io::Result<SyncSender<Job>>> = LazyLock::new(start_threads);

/// The memory of one thread.
#[derive(Default)]
pub(super) struct Hasher(Vec<Block>);

impl Hasher {
    /// The hash in PHC's string format, with a new salt.
    pub(super) fn hash(&mut self, password: &[u8]) -> Option<String> {
        let (argon2, salt) = (Argon2::default(), Salt::generate());
        let output = self.output(&argon2, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let hash = PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(argon2.params()).ok()?,
            salt: Some(salt),
            hash: Some(output),
        };
        Some(hash.to_string())
    }

    /// Compares in constant time. `None`: the stored hash is invalid.
    pub(super) fn matches(&mut self, password: &[u8], stored: &str) -> Option<bool> {
        let stored = PasswordHash::new(stored).ok()?;
        let algorithm = Algorithm::try_from(stored.algorithm).ok()?;
        let version = stored.version.map_or(Some(Version::default()), |it| Version::try_from(it).ok())?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&stored).ok()?);
        let expected = stored.hash?;
        let output = self.output(&argon2, password, &stored.salt?, expected.len())?;
        Some(output == expected)
    }

    fn output(&mut self, argon2: &Argon2<'_>, password: &[u8], salt: &[u8], bytes: usize) -> Option<Output> {
        self.0.resize(argon2.params().block_count(), Block::default());
        let mut output = vec![0; bytes];
        argon2.hash_password_into_with_memory(password, salt, &mut output, &mut self.0).ok()?;
        Output::new(&output).ok()
    }
}

/// Waits for the result of work on one of the threads.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce(&mut Hasher) -> T + Send + 'static,
) -> Result<T, PasswordError> {
    let (reply, result) = oneshot::channel();
    // The caller may be cancelled.
    let job: Job = Box::new(move |hasher| drop(reply.send(work(hasher))));
    let threads = THREADS_OF_HASHERS.as_ref().map_err(|_| PasswordError::Hash)?;
    threads.try_send(job).map_err(|_| PasswordError::Busy)?;
    result.await.map_err(|_| PasswordError::Hash)
}

fn start_threads() -> io::Result<SyncSender<Job>> {
    let (sender, jobs) = sync_channel::<Job>(MAX_WAITING);
    let jobs = Arc::new(Mutex::new(jobs));
    for _ in 0..THREADS {
        let jobs = jobs.clone();
        thread::Builder::new().name("password".to_owned()).spawn(move || work_on(&jobs))?;
    }
    Ok(sender)
}

fn work_on(jobs: &Mutex<Receiver<Job>>) {
    let mut hasher = Hasher::default();
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // A panic must not end the thread.
        let _panicked = catch_unwind(AssertUnwindSafe(|| job(&mut hasher)));
    }
}
