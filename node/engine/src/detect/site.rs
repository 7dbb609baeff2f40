//! Where a value sits: what its parameter is called, and whose request it came with.

use super::names::Names;
use crate::trail::{Trail, Trails};
use shared::{Point, point::Tag};

/// A value's surroundings.
pub(crate) struct Site<'f> {
    pub trail: Trail,
    pub trails: &'f Trails,
    /// The host the request was sent to: its own addresses are not foreign.
    pub host: &'f str,
}

/// Parameters that say where to go next.
static RETURN_NAMES: Names = Names::new(&[
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
]);

impl Site<'_> {
    /// What the value is called: its parameter, key, cookie or tag.
    pub(crate) fn name(&self) -> Option<&str> {
        self.trails.last_name(self.trail)
    }

    /// All of it: costs more than the questions below.
    pub(crate) fn point(&self) -> Point {
        self.trails.point(self.trail)
    }

    /// How many steps lead here.
    pub(crate) fn depth(&self) -> usize {
        self.trails.tags(self.trail).count()
    }

    fn first_tag(&self) -> Option<&Tag> {
        self.trails.tags(self.trail).last()
    }

    pub(crate) fn is_named(&self, names: &[&str]) -> bool {
        self.name().is_some_and(|name| names.iter().any(|it| name.eq_ignore_ascii_case(it)))
    }

    pub(crate) fn is_one_of(&self, names: &Names) -> bool {
        self.name().is_some_and(|name| names.contains(name))
    }

    pub(crate) fn is_return_target(&self) -> bool {
        self.is_one_of(&RETURN_NAMES)
    }

    /// Headers in which browsers name the page a visitor is on; a developer's page is at `localhost`.
    pub(crate) fn is_page_header(&self) -> bool {
        self.first_tag() == Some(&Tag::Header)
            && self.depth() == 1
            && self.is_named(&["referer", "origin", "host", "access-control-request-headers"])
    }

    /// Whether the value is the path itself.
    pub(crate) fn is_path(&self) -> bool {
        self.first_tag() == Some(&Tag::Uri) && self.depth() == 1
    }

    /// Whether the value came in the body, where people write many lines.
    pub(crate) fn is_in_body(&self) -> bool {
        self.first_tag() == Some(&Tag::Post)
    }

    /// The host without its port.
    pub(crate) fn host_name(&self) -> &str {
        self.host.rsplit_once(':').map_or(self.host, |(name, _)| name)
    }
}
