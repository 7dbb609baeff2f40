//! Active content of SVG images: browsers run it when they show the image itself. Programs that draw
//! export none.

use crate::{
    decode,
    token::html::{Tag, tags},
};
use std::ops::Range;

/// Elements that run or embed something.
const ACTIVE: [&str; 6] = ["embed", "handler", "iframe", "listener", "object", "script"];
/// Attributes with addresses, and those of animations that set one.
const ADDRESSES: [&str; 6] = ["from", "href", "src", "to", "values", "xlink:href"];

/// The first active tag.
pub(super) fn active_part(image: &[u8]) -> Option<Range<usize>> {
    tags(image).into_iter().find(is_active).map(|tag| tag.span)
}

fn is_active(tag: &Tag<'_>) -> bool {
    if tag.is_end {
        return false;
    }
    let is_script = |value: &[u8]| {
        let decoded = decode::html_text(value);
        let letters = decoded.as_deref().unwrap_or(value).iter();
        let start: Vec<u8> = letters.filter(|it| **it > b' ').take(15).map(u8::to_ascii_lowercase).collect();
        start.starts_with(b"javascript:") || start.starts_with(b"data:text/html")
    };
    ACTIVE.contains(&&*tag.name)
        || tag.attributes.iter().any(|attribute| match attribute.value {
            Some(value) if ADDRESSES.contains(&&*attribute.name) => is_script(value),
            Some(value) if attribute.name == "attributename" => {
                value.get(..2).is_some_and(|it| it.eq_ignore_ascii_case(b"on"))
            }
            Some(value) => is_handler(&attribute.name) && !value.is_empty(),
            None => false,
        })
}

/// `onload`; not `on`, and not the names of a namespace.
fn is_handler(name: &str) -> bool {
    name.len() > 4 && name.starts_with("on") && name.bytes().all(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_active_image(inside: &str) -> bool {
        active_part(format!("<svg xmlns='http://www.w3.org/2000/svg'>{inside}</svg>").as_bytes()).is_some()
    }

    #[test]
    fn finds_scripts_handlers_and_script_addresses() {
        for inside in [
            "<script>alert(1)</script>",
            "<svg:script href='https://a.example/x.js'/>",
            "<g onload='alert(1)'/>",
            "<a xlink:href='java&#115;cript:alert(1)'><text>x</text></a>",
            "<a><animate attributeName='href' values='javascript:alert(1)'/></a>",
            "<set attributeName='onmouseover' to='alert(1)'/>",
            "<foreignObject><iframe src='https://a.example'/></foreignObject>",
        ] {
            assert!(is_active_image(inside), "{inside}");
        }
    }

    #[test]
    fn passes_images_of_drawing_programs() {
        for inside in [
            "<sodipodi:namedview inkscape:zoom='1' showgrid='false'/><path d='M0 0h1' style='fill:#000'/>",
            "<switch><foreignObject requiredFeatures='http://www.w3.org/TR/SVG11/feature#Extensibility'>\
             <div xmlns='http://www.w3.org/1999/xhtml' style='display: flex'>A label</div></foreignObject></switch>",
            "<metadata><rdf:RDF><cc:Work rdf:about=''><dc:format>image/svg+xml</dc:format></cc:Work></rdf:RDF></metadata>",
            "<style type='text/css'><![CDATA[.st0{fill:url(#a);}]]></style><use xlink:href='#a'/>",
            "<image xlink:href='data:image/png;base64,iVBORw0KGgo='/><a href='https://a.example/'><text>on</text></a>",
            "<animate attributeName='opacity' from='0' to='1' dur='1s'/>",
        ] {
            assert!(!is_active_image(inside), "{inside}");
        }
    }
}
