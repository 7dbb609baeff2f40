//! Active tags and attributes: they load or run content without further markup.

use super::{style, url};
use crate::{token::html::Tag, words::WORDS};

/// Tags that load or run content in any position.
pub(super) fn is_active(tag: &Tag<'_>) -> bool {
    let has = |name: &str| tag.attributes.iter().any(|it| it.name == name);
    let has_value = |name: &str| tag.attributes.iter().any(|it| it.name == name && it.value.is_some());
    if tag.is_end {
        return false;
    }
    match tag.name.as_str() {
        "iframe" | "frame" | "frameset" | "object" | "embed" | "applet" | "isindex" | "ilayer"
        | "bgsound" | "portal" | "foreignobject" | "?import" | "listener" | "handler" | "xss" => true,
        "xml" => has_value("src") || has_value("id"),
        "meta" => has_value("http-equiv"),
        "param" => has_value("name") && has_value("value"),
        "base" => has("href"),
        "link" => has("href") || has_value("rel"),
        "form" | "button" | "input" => has_value("action") || has_value("formaction"),
        "svg" | "math" | "animate" | "set" | "import" | "layer" => {
            !tag.attributes.is_empty() && !has("viewbox")
        }
        _ => tag.attributes.iter().any(|it| {
            matches!(it.name.as_str(), "datasrc" | "dataformatas" | "ev:event" | "ev:handler" | "srcdoc")
                || it.name == "xlink:href" && it.value.is_some_and(|target| !target.starts_with(b"#"))
        }),
    }
}

/// Tags of whole pages, which change the page around them; a comment or a name does not need them.
pub(super) fn is_foreign(tag: &Tag<'_>) -> bool {
    match tag.name.as_str() {
        "stylesheet" => true,
        // Of other languages: `soap:Body`.
        _ if tag.is_prefixed => false,
        "html" | "head" | "body" | "form" | "textarea" | "noscript" | "noembed" | "noframes"
        | "plaintext" | "xmp" | "marquee" => true,
        "style" | "input" | "select" | "keygen" | "template" | "slot" => !tag.is_end,
        "meta" => tag.attributes.iter().any(|it| it.name == "charset"),
        _ => false,
    }
}

/// `<s c r i p t>`
pub(super) fn is_spelled_out(tag: &Tag<'_>) -> bool {
    let mut attributes = tag.attributes.iter();
    let is_letter = |name: &str| name.len() == 1 && name.bytes().all(|it| it.is_ascii_alphabetic());
    is_letter(&tag.name)
        && (0..3).all(|_| attributes.next().is_some_and(|it| it.value.is_none() && is_letter(&it.name)))
}

/// Attributes with which frameworks run script: `ng-init`, `v-on:click`, `@click`, `x-data`,
/// `hx-on`.
pub(super) fn is_directive(name: &str, value: &[u8]) -> bool {
    let name = name.strip_prefix("data-").unwrap_or(name);
    let is_event =
        |name: &str| name.len() > 3 && name.bytes().all(|it| it.is_ascii_lowercase() || b".:-".contains(&it));
    !value.is_empty()
        && (WORDS.xss.directives.iter().any(|prefix| name.starts_with(prefix))
            || name.strip_prefix('@').is_some_and(is_event))
}

/// Whether an added attribute would run script.
pub(super) fn runs_script(name: &[u8], value: Option<&[u8]>) -> bool {
    value.is_some_and(|value| {
        WORDS.xss.running_attributes.contains(name)
            || name.eq_ignore_ascii_case(b"style") && style::is_active(value)
            || WORDS.xss.url_attributes.contains(name) && url::runs_script(value)
    })
}
