//! Webhook runtime: matches new and grown attacks against webhooks, collects them in digests, queues
//! deliveries and sends them until acknowledged.

mod dispatcher;
mod links;
mod message;
mod sender;
mod syslog;

pub use dispatcher::Dispatcher;
pub use links::PublicUrl;
pub use sender::{SendError, Sender};
