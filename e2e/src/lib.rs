//! What stands in for AWS on one machine, so that the whole path of a request can be run and watched.
//!
//! - [`http1`]: a byte-exact HTTP/1.1 server and client; everything here speaks through it.

pub mod http1;
