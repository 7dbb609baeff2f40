//! Session fixation: a session identifier in a parameter of a request that comes from another site
//! or from no page, and opens a page: a victim follows a link or sends a form.

use super::{Match, ValueContext};
use crate::{field::FieldKind, token::url::with_scheme, words::WORDS};
use shared::{AttackType, Severity::Medium, point::Tag};

pub(super) fn detect(value: &[u8], kind: FieldKind, context: &ValueContext<'_>) -> Option<Match<'static>> {
    if kind != FieldKind::Value || value.len() > 4_000 {
        return None;
    }
    let name = context.name().filter(|name| name.len() >= 4)?;
    let has_prefix =
        |prefix: &str| name.get(..prefix.len()).is_some_and(|it| it.eq_ignore_ascii_case(prefix));
    if !context.is_one_of(&WORDS.session.parameters) && !has_prefix("aspsessionid") {
        return None;
    }
    let is_parameter = context.is_in_query() || context.is_in_body();
    let is_joined = context.last_tag() == Some(&Tag::Pollution);
    // Telemetry carries sessions of its own inside JSON.
    let is_nested = context.is_in_document_format();
    // `sessionId` is the spelling of analytics, `sessionid` that of servers.
    if !is_parameter || is_joined || is_nested || name == "sessionId" || !context.is_navigation() {
        return None;
    }
    let signature = match context.headers("referer").next() {
        Some(referer) => {
            let page = with_scheme(referer.as_bytes()).filter(|url| !url.host.is_empty())?;
            (!context.is_own(&page.host)).then_some("session_fixation-foreign-page")
        }
        None => context.is_one_of(&WORDS.session.container_parameters).then_some("session_fixation-no-page"),
    };
    let attack_type = AttackType::SessionFixation;
    Some(Match { attack_type, signature: signature?, severity: Medium, span: 0..value.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::Point;

    fn finds(name: &str, referer: Option<&str>) -> bool {
        let headers: Vec<_> = referer.iter().map(|it| ("referer", *it)).collect();
        finds_with(name, &headers)
    }

    fn finds_with(name: &str, headers: &[(&str, &str)]) -> bool {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let point = Point::get(name);
        detect(b"4f2a", FieldKind::Value, &ValueContext::at(&point, "/login", &headers)).is_some()
    }

    #[test]
    fn finds_a_session_from_another_site() {
        for name in ["PHPSESSID", "connect.sid", "aspsessionidQQABCD", "laravel_session", "JSESSIONID"] {
            assert!(finds(name, Some("https://elsewhere.example/x")), "{name}");
        }
        assert!(finds("jsessionid", None));
    }

    #[test]
    fn passes_calls_of_scripts_on_other_sites() {
        let referer = ("Referer", "https://elsewhere.example/x");
        assert!(finds_with("sessionid", &[referer, ("Sec-Fetch-Mode", "navigate")]));
        assert!(!finds_with("sessionid", &[referer, ("Sec-Fetch-Mode", "cors")]));
        assert!(!finds_with("sessionid", &[referer, ("Sec-Fetch-Mode", "no-cors")]));
        assert!(finds_with("sessionid", &[referer, ("Content-Type", "application/x-www-form-urlencoded")]));
        assert!(!finds_with("sessionid", &[referer, ("Content-Type", "application/json")]));
    }

    #[test]
    fn passes_links_within_the_site() {
        assert!(!finds("PHPSESSID", Some("https://shop.example.com/cart")));
        assert!(!finds("PHPSESSID", Some("https://www.example.com/cart")));
        assert!(!finds("connect.sid", None));
        // Payment pages return to the shop with a session of their own.
        assert!(!finds("session_id", Some("https://pay.example/")));
    }
}
