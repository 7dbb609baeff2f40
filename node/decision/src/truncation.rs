//! Truncated bodies: what is refused although the visible part has no attack.
//!
//! At origin-request, text beyond the 1 MB that CloudFront shows is refused: an interpreter reads
//! it to its end. At viewer-request alone, where 40 KB are visible, longer posts are common, and only
//! padding is refused. Data passes: files and binary types.

mod multipart;
mod padding;

use shared::{
    AttackType, Body, Class, Finding, InspectRequest, Point, ScorePart, Severity, TruncationPolicy,
    UnseenBody, point::Tag, ruleset::OverlimitAction,
};

/// The finding for a request that is refused, or would be if the mode blocked. With the action `block`,
/// data is refused as well.
pub(crate) fn finding(request: &InspectRequest, action: OverlimitAction) -> Option<Finding> {
    let UnseenBody { bytes, policy } = request.unseen_body.as_ref()?;
    let body: &[u8] = request.body.as_ref().map_or(&[], |Body(body)| body);
    let signature = match policy {
        TruncationPolicy::Text if action == OverlimitAction::Block || is_text(request, body) => {
            "overlimit-truncated"
        }
        TruncationPolicy::Padding if is_text(request, body) && padding::is_padding(body) => {
            "overlimit-padding"
        }
        _ => return None,
    };
    let bytes = bytes.map_or_else(|| "more".to_owned(), |bytes| bytes.to_string());
    Some(Finding {
        attack_type: AttackType::Overlimit,
        class: Class::of(&AttackType::Overlimit, signature),
        point: Point::new(Tag::Post),
        signature: signature.to_owned(),
        severity: Severity::Medium,
        payload: format!("{} bytes seen, {bytes} not seen", body.len()),
        span: (0, 0),
        decoded: Vec::new(),
        score: vec![ScorePart::new(0, "truncated body")],
    })
}

/// Whether the unseen rest is text that an interpreter reads: not data by its type, not a file.
fn is_text(request: &InspectRequest, body: &[u8]) -> bool {
    !has_data_type(request) && !multipart::ends_in_file(request, body)
}

/// Whether every content type of the request is one of data.
pub(crate) fn has_data_type(request: &InspectRequest) -> bool {
    content_types(request).next().is_some() && content_types(request).all(|it| engine::is_data_type(&it))
}

/// In lower case.
fn content_types(request: &InspectRequest) -> impl Iterator<Item = String> {
    let headers = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    headers.map(|(_, value)| value.trim_start().to_ascii_lowercase())
}
