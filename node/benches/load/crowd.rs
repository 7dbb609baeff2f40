//! Many idle connections, each used once.

use crate::{client::Client, requests, target::Target};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;

/// Returns their number, and the growth of the node's memory.
pub(crate) fn at_rest(node: &Target, wanted: usize) -> anyhow::Result<(usize, u64)> {
    const RESERVED: u64 = 1_500;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let possible =
        usize::try_from(maximum.unwrap_or(u64::MAX).saturating_sub(RESERVED)).unwrap_or(usize::MAX);
    if possible < wanted {
        eprintln!("only {possible} of {wanted} connections: raise the limit of open files (ulimit -Hn)");
    }
    let call = crate::client::call(&requests::page())?;
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut clients = Vec::new();
        let mut first = Client::connect(node.address).await?;
        first.call(&call).await?;
        let before = node.resident()?;
        while clients.len() < wanted.min(possible) {
            let mut client = Client::connect(node.address).await?;
            client.call(&call).await?;
            clients.push(client);
        }
        Ok((clients.len(), node.resident()?.saturating_sub(before)))
    })
}
