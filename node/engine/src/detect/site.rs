//! Where a value sits: what its parameter is called, and whose request it came with.

use shared::{
    Point,
    point::{Key, Tag},
};

/// A value's surroundings.
pub(crate) struct Site<'f> {
    pub point: &'f Point,
    /// The host the request was sent to: its own addresses are not foreign.
    pub host: &'f str,
}

/// Parameters that say where to go next.
const RETURN_NAMES: &[&str] = &[
    "redirect",
    "redirect_uri",
    "redirecturi",
    "redirect_url",
    "redirecturl",
    "redirect_to",
    "redirectto",
    "redir",
    "return",
    "returnto",
    "return_to",
    "returnurl",
    "return_url",
    "return_path",
    "returnpath",
    "next",
    "nexturl",
    "next_url",
    "url",
    "uri",
    "goto",
    "go",
    "continue",
    "continueurl",
    "dest",
    "destination",
    "target",
    "targeturl",
    "out",
    "to",
    "rurl",
    "forward",
    "forwardurl",
    "back",
    "backurl",
    "back_url",
    "callback",
    "callback_url",
    "success_url",
    "cancel_url",
    "exit",
    "exiturl",
    "jump",
    "jump_to",
    "link",
    "location",
    "checkout_url",
    "login_url",
    "logout",
    "logout_url",
    "post_logout_redirect_uri",
    "relaystate",
    "view",
    "ref",
    "referer",
    "u",
    "r",
];

impl Site<'_> {
    /// What the value is called: its parameter, key, cookie or tag.
    pub(crate) fn name(&self) -> Option<&str> {
        self.point.0.iter().rev().find_map(|step| match &step.key {
            Some(Key::Name(name)) => Some(name.as_str()),
            _ => None,
        })
    }

    pub(crate) fn is_named(&self, names: &[&str]) -> bool {
        self.name().is_some_and(|name| names.iter().any(|it| name.eq_ignore_ascii_case(it)))
    }

    pub(crate) fn is_return_target(&self) -> bool {
        self.is_named(RETURN_NAMES)
    }

    /// Headers in which browsers name the page a visitor is on; a developer's page is at `localhost`.
    pub(crate) fn is_page_header(&self) -> bool {
        self.point.0.first().is_some_and(|step| step.tag == Tag::Header)
            && self.point.0.len() == 1
            && self.is_named(&["referer", "origin", "host", "access-control-request-headers"])
    }

    /// Whether the value is the path itself.
    pub(crate) fn is_path(&self) -> bool {
        matches!(self.point.0.as_slice(), [step] if step.tag == Tag::Uri)
    }

    /// Whether the value came in the body, where people write many lines.
    pub(crate) fn is_in_body(&self) -> bool {
        self.point.0.first().is_some_and(|step| step.tag == Tag::Post)
    }

    /// The host without its port.
    pub(crate) fn host_name(&self) -> &str {
        self.host.rsplit_once(':').map_or(self.host, |(name, _)| name)
    }
}
