//! Passwords and their hashes: Argon2id with 19 MiB, two passes and one lane, the minimum of
//! OWASP's Password Storage Cheat Sheet. A hash takes about 30 ms of a core.
//!
//! Two threads of their own hash, each with a queue that bounds how many passwords wait: one for
//! known callers, so that guesses of unknown ones do not delay them. Each thread keeps the memory
//! of its hashes: the allocator does not reuse freed blocks of their alignment, and would grow with
//! each hash.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use serde::{Deserialize, Deserializer, de};
use std::{
    fmt, io, iter,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        LazyLock,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};
use tokio::sync::oneshot;
use zxcvbn::{Score, feedback::Feedback};

/// Passwords that wait in a queue: about a second of work.
const MAX_WAITING: usize = 32;

/// The memory of a hash.
type Memory = Vec<Block>;
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

static HASHERS: LazyLock<io::Result<Hashers>> = LazyLock::new(Hashers::start);

/// The queues of the threads.
struct Hashers {
    known: SyncSender<Job>,
    unknown: SyncSender<Job>,
}

/// The caller that presents a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// A user who is signed in, or in a network of an earlier sign-in.
    Known,
    Unknown,
}

/// A password in plain text. `Debug` does not print it.
#[derive(Clone)]
pub struct Password(String);

#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    #[error("a password must have 12 to 1000 characters")]
    Length,
    #[error("the password is too easy to guess: {0}")]
    Guessable(String),
    #[error("the password cannot be hashed")]
    Hash,
    #[error("too many passwords are being checked; retry in a second")]
    Busy,
}

impl Password {
    /// The characters that are examined: the time grows with them.
    const EXAMINED: usize = 100;
    /// The least characters besides the user's name.
    const OWN: usize = 6;

    /// A password of an accepted length that takes more than 10⁸ guesses.
    pub fn parse(text: String) -> Result<Self, PasswordError> {
        if !(12..=1000).contains(&text.chars().count()) {
            return Err(PasswordError::Length);
        }
        Self::check_strength(&text, &[])?;
        Ok(Self(text))
    }

    /// Refuses a password that is easy to guess for who knows the user's name.
    pub fn check_for(&self, name: &str) -> Result<(), PasswordError> {
        let name = name.to_lowercase();
        let words = name.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.len() > 2);
        let known: Vec<&str> = iter::once(&*name).chain(words).collect();
        let own = known.iter().fold(self.0.to_lowercase(), |text, word| text.replace(word, ""));
        if own.chars().count() < Self::OWN {
            return Err(PasswordError::Guessable("it is made of the user's name".to_owned()));
        }
        Self::check_strength(&self.0, &known)
    }

    /// The words that a guesser knows count as one guess each.
    fn check_strength(text: &str, known: &[&str]) -> Result<(), PasswordError> {
        let examined: String = text.chars().take(Self::EXAMINED).collect();
        let known = [&["wallarm", "console", "cloudfront", "admin"], known].concat();
        let strength = zxcvbn::zxcvbn(&examined, &known);
        if strength.score() < Score::Three {
            let warning = strength.feedback().and_then(Feedback::warning);
            let cause = warning
                .map_or_else(|| "use more words, or random characters".to_owned(), |it| it.to_string());
            return Err(PasswordError::Guessable(cause));
        }
        Ok(())
    }

    /// A password of a sign-in, not validated.
    pub fn presented(text: String) -> Self {
        Self(text)
    }

    /// The hash to store, with its salt and cost.
    pub async fn hash(self) -> Result<String, PasswordError> {
        let salt = Salt::generate();
        on_hasher_thread(Caller::Known, move |memory| new_hash(memory, &self.0, salt))
            .await?
            .map(|hash| hash.to_string())
            .ok_or(PasswordError::Hash)
    }

    /// Whether the password matches the stored hash. Takes as long without a hash, so that the time
    /// does not reveal which users exist.
    pub async fn matches(self, stored: Option<String>, caller: Caller) -> Result<bool, PasswordError> {
        on_hasher_thread(caller, move |memory| {
            let Some(stored) = stored else {
                new_hash(memory, &self.0, Salt::generate());
                return false;
            };
            verifies(memory, &self.0, &stored).unwrap_or_default()
        })
        .await
    }
}

/// The hash of a password with the default cost.
fn new_hash(memory: &mut Memory, password: &str, salt: Salt) -> Option<PasswordHash> {
    let (algorithm, version, params) = (Algorithm::default(), Version::default(), Params::default());
    let text = ParamsString::try_from(&params).ok()?;
    let hasher = Argon2::new(algorithm, version, params);
    let hash = output(memory, &hasher, password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
    Some(PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: text,
        salt: Some(salt),
        hash: Some(hash),
    })
}

/// Whether a password has a stored hash, of any cost; `None` if the hash cannot be read.
fn verifies(memory: &mut Memory, password: &str, stored: &str) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = stored.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    let hasher = Argon2::new(algorithm, version, Params::try_from(&stored).ok()?);
    let (salt, expected) = (stored.salt?, stored.hash?);
    // `Output` compares in constant time.
    Some(output(memory, &hasher, password, &salt, expected.len())? == expected)
}

fn output(
    memory: &mut Memory,
    hasher: &Argon2<'_>,
    password: &str,
    salt: &[u8],
    length: usize,
) -> Option<Output> {
    let blocks = hasher.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length)?;
    hasher.hash_password_into_with_memory(password.as_bytes(), salt, bytes, &mut memory[..blocks]).ok()?;
    Output::new(bytes).ok()
}

async fn on_hasher_thread<T: Send + 'static>(
    caller: Caller,
    work: impl FnOnce(&mut Memory) -> T + Send + 'static,
) -> Result<T, PasswordError> {
    let (reply, result) = oneshot::channel();
    // The caller may be cancelled.
    let job: Job = Box::new(move |memory| drop(reply.send(work(memory))));
    let hashers = HASHERS.as_ref().map_err(|_| PasswordError::Hash)?;
    let queue = match caller {
        Caller::Known => &hashers.known,
        Caller::Unknown => &hashers.unknown,
    };
    queue.try_send(job).map_err(|_| PasswordError::Busy)?;
    result.await.map_err(|_| PasswordError::Hash)
}

impl Hashers {
    fn start() -> io::Result<Self> {
        let start = |name: &str| {
            let (queue, jobs) = sync_channel::<Job>(MAX_WAITING);
            let thread = thread::Builder::new().name(name.to_owned());
            thread.spawn(move || work_on(&jobs)).map(|_| queue)
        };
        Ok(Self { known: start("password")?, unknown: start("password-unknown")? })
    }
}

fn work_on(jobs: &Receiver<Job>) {
    let mut memory = Memory::new();
    for job in jobs {
        // A panic must not end the thread.
        let _panicked = catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?)
            .map_err(|error| de::Error::custom(format!("`password`: {error}")))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_matches_its_hash() {
        let password = Password::parse("correct horse battery".to_owned()).unwrap();
        let stored = password.clone().hash().await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(password.clone().matches(Some(stored.clone()), Caller::Unknown).await.unwrap());
        assert!(
            !Password::presented("correct horse batterz".to_owned())
                .matches(Some(stored), Caller::Unknown)
                .await
                .unwrap()
        );
        assert!(!password.clone().matches(None, Caller::Unknown).await.unwrap());
        assert!(!password.clone().matches(Some("no hash".to_owned()), Caller::Unknown).await.unwrap());
        // By another implementation (argon2-cffi), with another cost.
        let other = "$argon2id$v=19$m=1024,t=3,p=2$c29tZSBzYWx0IGhlcmUuLg$GURcT+/SoiZT7IgEQ1lxxxLjyA2BSQO//fYZgaFq9cE";
        assert!(password.clone().matches(Some(other.to_owned()), Caller::Unknown).await.unwrap());
        assert!(
            !Password::presented("wrong".to_owned())
                .matches(Some(other.to_owned()), Caller::Unknown)
                .await
                .unwrap()
        );
        assert_eq!(format!("{password:?}"), "Password(…)");
    }

    #[test]
    fn rejects_a_password_that_is_short_or_easy_to_guess() {
        let refused = |text: &str| Password::parse(text.to_owned()).unwrap_err().to_string();
        assert_eq!(refused("elevenchars"), "a password must have 12 to 1000 characters");
        for text in ["password1234", "aaaaaaaaaaaaaaaa", "wallarmconsole", "qwertyuiop123456"] {
            assert!(refused(text).starts_with("the password is too easy to guess: "), "{text}");
        }
        for text in ["correct horse battery", "Xk7#pQ2!vLz9"] {
            assert!(Password::parse(text.to_owned()).is_ok(), "{text}");
        }
    }

    #[test]
    fn rejects_a_password_made_of_the_name() {
        let check = |name: &str, text: &str| Password::parse(text.to_owned()).unwrap().check_for(name);
        for (name, text) in [
            ("user235541b", "user235541buser235541b"),
            ("user235541b", "User235541B!2026"),
            ("user235541b", "b145532resu1"),
            ("Qzvxk.Wjhbf", "wjhbf-qzvxk1"),
        ] {
            assert!(matches!(check(name, text), Err(PasswordError::Guessable(_))), "{text}");
        }
        for (name, text) in [
            ("user235541b", "correct horse battery"),
            ("ann", "announce correct horses"),
            ("a", "Xk7#pQ2!vLz9"),
        ] {
            assert!(check(name, text).is_ok(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_flood_of_passwords_is_refused_and_uses_bounded_memory() {
        let password = || Password::presented("wrong".to_owned());
        let flood = (0..200).map(|_| password().matches(None, Caller::Unknown));
        let (results, known) =
            tokio::join!(futures_util::future::join_all(flood), password().matches(None, Caller::Known));
        assert!(results.iter().any(Result::is_ok));
        let busy = results.iter().filter(|result| matches!(result, Err(PasswordError::Busy))).count();
        assert!(busy >= 200 - MAX_WAITING - 22, "{busy} refused");
        assert!(known.is_ok(), "known callers have a queue of their own");
    }
}
