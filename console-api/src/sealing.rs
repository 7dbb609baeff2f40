//! Sealed secrets: what the database holds of webhook secrets, webhook URLs and signing keys.
//!
//! XChaCha20-Poly1305 with random nonces and a key from a file. A sealed text names its key, and
//! opens only in the row and column that it was sealed for: whoever can write to the database can
//! neither read a secret nor move one to another row.

mod key;
mod key_file;
mod keyring;
mod keys;
mod sealed;

pub use key::KeyId;
pub use key_file::{KeyFile, KeyFileError};
pub use keyring::Keyring;
pub use keys::{Keys, UnsealCause, UnsealError};
pub use sealed::{Location, Sealed};
