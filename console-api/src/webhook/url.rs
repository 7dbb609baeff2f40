//! URLs of webhooks.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A URL as entered. Its path can authenticate the caller, as that of Slack does, so `Debug` does
/// not print it, and the store seals it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Stands for a stored URL that cannot be decrypted. No call can be sent to it.
    pub(crate) fn unreadable() -> Self {
        Self("(cannot be decrypted)".to_owned())
    }
}

impl From<String> for WebhookUrl {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WebhookUrl(…)")
    }
}

#[cfg(test)]
mod tests {
    use crate::webhook::WebhookDraft;

    #[test]
    fn the_debug_output_of_a_webhook_does_not_contain_its_url() {
        let json = r#"{"name": "Ops", "url": "https://hooks.example.com/services/T0/secret"}"#;
        let draft: WebhookDraft = serde_json::from_str(json).unwrap();
        assert_eq!(draft.url.reveal(), "https://hooks.example.com/services/T0/secret");
        assert!(!format!("{draft:?}").contains("hooks"), "{draft:?}");
    }
}
