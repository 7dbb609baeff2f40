//! Vulnerability scanners, recognized by the names and canaries that they send. General libraries
//! (curl, python-requests, Go-http-client) are no scanners.

use super::Match;
use crate::{field::FieldKind, words::WORDS};
use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use shared::{AttackType, Severity::Medium};

pub(super) struct Detector {
    agents: AhoCorasick,
    canaries: AhoCorasick,
}

impl Detector {
    pub(super) fn new() -> Self {
        Self { agents: compiled(&WORDS.scanner.agents), canaries: compiled(&WORDS.scanner.canaries) }
    }

    pub(super) fn detect(&self, value: &[u8], kind: FieldKind) -> Option<Match<'static>> {
        let (names, signature) = match kind {
            FieldKind::ShapedHeader => (&self.agents, "scanner-agent"),
            FieldKind::Path => (&self.canaries, "scanner-canary"),
            FieldKind::Value | FieldKind::Name => return None,
        };
        let occurrence = names.find(value)?;
        Some(Match {
            attack_type: AttackType::Scanner,
            signature,
            severity: Medium,
            span: occurrence.range(),
        })
    }
}

fn compiled(names: &[String]) -> AhoCorasick {
    AhoCorasickBuilder::new()
        .ascii_case_insensitive(true)
        .build(names)
        .expect("the built-in names are few and short: every test builds them")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(value: &str, kind: FieldKind) -> bool {
        Detector::new().detect(value.as_bytes(), kind).is_some()
    }

    #[test]
    fn finds_names_of_scanners() {
        for agent in [
            "sqlmap/1.8.4#stable (https://sqlmap.org)",
            "Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:000003)",
            "Nuclei - Open-source project (github.com/projectdiscovery/nuclei)",
            "WPScan v3.8.25 (https://wpscan.com/)",
            "Mozilla/5.0 zgrab/0.x",
            "gobuster/3.6",
            "masscan/1.3 (https://github.com/robertdavidgraham/masscan)",
            "Fuzz Faster U Fool v2.1.0",
            "DirBuster-1.0-RC1 (http://www.owasp.org/index.php/Category:OWASP_DirBuster_Project)",
            "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
        ] {
            assert!(finds(agent, FieldKind::ShapedHeader), "{agent}");
        }
    }

    #[test]
    fn passes_browsers_libraries_and_benign_robots() {
        for agent in [
            "curl/8.5.0",
            "python-requests/2.32.3",
            "Go-http-client/2.0",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Wget/1.21.4",
            "okhttp/4.12.0",
            "PostmanRuntime/7.39.0",
            "Apache-HttpClient/4.5.14 (Java/17)",
            "Vegas/3 CFNetwork/1494 Darwin/23",
        ] {
            assert!(!finds(agent, FieldKind::ShapedHeader), "{agent}");
        }
    }

    #[test]
    fn passes_texts_about_scanners() {
        assert!(!finds("I ran sqlmap and nikto on my own site", FieldKind::Value));
        assert!(finds("/nessus_is_probing_you_", FieldKind::Path));
        assert!(!finds("/blog/how-to-use-openvpn", FieldKind::Path));
    }
}
