//! Amazon CloudFront with Lambda@Edge functions on one machine.
//!
//! - [`cloudfront`]: a distribution with its cache, which calls functions at its four triggers.
//! - [`lambda`]: the Lambda emulator. Runs a function's zip as the managed Python and Node.js
//!   runtimes do.
//! - [`http1`]: a byte-exact HTTP/1.1 server and client, used by all other modules; the server also
//!   accepts HTTP/2 and TLS.
//! - [`origin`]: a sample origin that records the requests it receives.
//! - [`certificates`]: throw-away certificates for TLS listeners.
//! - [`clock`]: the time of day, which tests move forward.
//! - [`faults`]: fault injection.
//! - [`admin`], [`access_log`], [`metrics`]: control and observation of a running simulator.
//! - [`random`]: seeded random numbers.

pub mod access_log;
pub mod admin;
pub mod certificates;
pub mod clock;
pub mod cloudfront;
pub mod faults;
pub mod http1;
pub mod lambda;
pub mod metrics;
pub mod origin;
pub mod random;
