//! Webhook runtime: matches new and grown attacks against webhooks, queues deliveries and sends
//! them until acknowledged.

mod dispatcher;
mod message;
mod sender;
mod syslog;

pub use dispatcher::Dispatcher;
pub use sender::{SendError, Sender};
