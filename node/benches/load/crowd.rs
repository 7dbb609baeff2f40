//! Many connections that have been used once and are kept.

use crate::{client::Client, requests, target::Target};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;

/// How many there were, and what the node's memory grew by.
pub(crate) fn at_rest(node: &Target, wanted: usize) -> anyhow::Result<(usize, u64)> {
    const FOR_OTHERS: u64 = 1_500;
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let possible =
        usize::try_from(maximum.unwrap_or(u64::MAX).saturating_sub(FOR_OTHERS)).unwrap_or(usize::MAX);
    if possible < wanted {
        eprintln!(
            "only {possible} connections instead of {wanted}: the limit of open files (ulimit -Hn) allows no more"
        );
    }
    let call = crate::client::call(&requests::page())?;
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let mut kept = Vec::new();
        let mut first = Client::connect(node.address).await?;
        first.call(&call).await?;
        let before = node.resident()?;
        while kept.len() < wanted.min(possible) {
            let mut client = Client::connect(node.address).await?;
            client.call(&call).await?;
            kept.push(client);
        }
        Ok((kept.len(), node.resident()?.saturating_sub(before)))
    })
}
