//! Where a value sits: what its parameter is called, and whose request it came with.

use shared::{
    InspectRequest, Point,
    point::{Key, Tag},
};

/// A value's surroundings.
pub(crate) struct Site<'f> {
    pub point: &'f Point,
    /// The host the request was sent to: its own addresses are not foreign.
    pub host: &'f str,
    pub path: &'f str,
    headers: &'f [(String, String)],
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

impl<'f> Site<'f> {
    pub(crate) fn of(request: &'f InspectRequest, point: &'f Point) -> Self {
        Self { point, host: &request.host, path: &request.path, headers: &request.headers }
    }

    #[cfg(test)]
    pub(crate) fn at(point: &'f Point, path: &'f str, headers: &'f [(String, String)]) -> Self {
        Self { point, host: "shop.example.com", path, headers }
    }

    /// The values of a header of the request, by its name in lower case.
    pub(crate) fn headers(&self, name: &'static str) -> impl Iterator<Item = &'f str> {
        let named = self.headers.iter().filter(move |(it, _)| it.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The one header the value is, if it is one.
    pub(crate) fn header_name(&self) -> Option<&'f str> {
        match self.point.0.as_slice() {
            [step] if step.tag == Tag::Header => step.key.as_ref().and_then(|key| match key {
                Key::Name(name) => Some(name.as_str()),
                Key::Index(_) => None,
            }),
            _ => None,
        }
    }

    /// Whether the value came in the query.
    pub(crate) fn is_in_query(&self) -> bool {
        self.point.0.first().is_some_and(|step| step.tag == Tag::Get)
    }

    /// Whether the value is the name of a parameter or key, found in this part of the request.
    pub(crate) fn is_name_in(&self, part: &Tag) -> bool {
        self.point.0.first().is_some_and(|step| step.tag == *part)
            && self.point.0.last().is_some_and(|step| step.tag == Tag::Name)
    }

    /// Whether this host belongs to the site: the same, a part of it, or a sibling.
    pub(crate) fn is_own(&self, host: &str) -> bool {
        let site = |host: &'_ str| {
            let mut labels = host.rsplit('.').take(2).map(str::to_ascii_lowercase);
            (labels.next(), labels.next())
        };
        host.eq_ignore_ascii_case(self.host_name())
            || host.contains('.') && site(host) == site(self.host_name())
    }

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

    /// Whether the value is a part of a document that a program wrote.
    pub(crate) fn is_in_document(&self) -> bool {
        self.point.0.iter().any(|step| matches!(step.tag, Tag::JsonDoc | Tag::Xml))
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
