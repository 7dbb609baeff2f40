//! The description of a running stack for scripts, as JSON.

use super::Stack;
use serde_json::{Value, json};
use std::{io, net::SocketAddr, path::Path};

impl Stack {
    /// Base URLs, tokens and process ids; `commands` restart a part that was killed.
    pub fn description(&self) -> Value {
        let url = |address: SocketAddr| format!("http://{address}");
        let at = &self.addresses;
        json!({
            "cloudfront": url(at.cloudfront),
            "origin": url(at.origin),
            "node": url(at.node),
            "console": url(at.console),
            "metrics": url(at.metrics),
            "health": url(at.health),
            "status": url(at.status),
            "token": self.admin_token,
            "node_token": self.node_token,
            "node_admin_token": self.node_admin_token,
            "pids": {
                "up": std::process::id(),
                "cloudfront": std::process::id(),
                "origin": std::process::id(),
                "node": self.node.pid(),
                "console": self.console.pid(),
            },
            "commands": { "node": self.node.command(), "console": self.console.command() },
            "data": self.directory(),
            "bundles": { "request": self.bundles.request, "response": self.bundles.response },
            "runtime": self.python.to_string(),
        })
    }

    /// Writes the description atomically.
    pub fn write_ready_file(&self, path: &Path) -> io::Result<()> {
        let mut fresh = path.as_os_str().to_owned();
        fresh.push(".new");
        std::fs::write(&fresh, serde_json::to_string_pretty(&self.description())? + "\n")?;
        std::fs::rename(&fresh, path)
    }
}
