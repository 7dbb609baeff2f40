//! What stands in for AWS on one machine, so that the whole path of a request can be run and watched.
//!
//! - [`http1`]: a byte-exact HTTP/1.1 server and client; everything here speaks through it.
//! - [`lambda`]: the Lambda emulator. Runs a function's zip the way the managed Python runtime does.
//! - [`cloudfront`]: one distribution with one behavior, calling functions at its four triggers.
//! - [`origin`]: a sample origin that remembers what reached it.

pub mod cloudfront;
pub mod http1;
pub mod lambda;
pub mod origin;
