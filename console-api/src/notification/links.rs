//! Links from notifications to pages of the console.

use form_urlencoded::Serializer;
use jiff::Timestamp;
use uuid::Uuid;

/// The URL under which users open the console. Without it, notifications contain no links.
#[derive(Debug, Clone, Default)]
pub struct PublicUrl(pub Option<String>);

impl PublicUrl {
    pub(super) fn attack(&self, id: Uuid) -> Option<String> {
        self.page(&format!("/attacks/{id}"))
    }

    /// The attacks that match a query in a period.
    pub(super) fn search(&self, query: &str, from: Timestamp, to: Timestamp) -> Option<String> {
        let mut parameters = Serializer::new(String::new());
        if !query.is_empty() {
            parameters.append_pair("q", query);
        }
        parameters.append_pair("from", &from.to_string()).append_pair("to", &to.to_string());
        self.page(&format!("/attacks?{}", parameters.finish()))
    }

    pub(super) fn nodes(&self) -> Option<String> {
        self.page("/nodes")
    }

    pub(super) fn not_inspected(&self) -> Option<String> {
        self.page("/not-inspected")
    }

    pub(super) fn coverage(&self, distribution: &str) -> Option<String> {
        let parameters = Serializer::new(String::new()).append_pair("distribution", distribution).finish();
        self.page(&format!("/coverage?{parameters}"))
    }

    pub(super) fn ruleset(&self, version: u64) -> Option<String> {
        self.page(&format!("/rulesets/{version}"))
    }

    fn page(&self, path: &str) -> Option<String> {
        self.0.as_ref().map(|url| format!("{url}{path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_page_of_the_public_url() {
        let console = PublicUrl(Some("https://waf.example.com".to_owned()));
        assert_eq!(console.nodes().as_deref(), Some("https://waf.example.com/nodes"));
        let (from, to) = ("2026-01-01T12:00:00Z".parse().unwrap(), "2026-01-01T13:00:00Z".parse().unwrap());
        assert_eq!(
            console.search("type:sqli \"a&b\"", from, to).as_deref(),
            Some(
                "https://waf.example.com/attacks?q=type%3Asqli+%22a%26b%22\
                 &from=2026-01-01T12%3A00%3A00Z&to=2026-01-01T13%3A00%3A00Z"
            )
        );
        assert_eq!(PublicUrl::default().attack(Uuid::nil()), None);
    }
}
