//! Scopes of rules: the requests to which a rule applies.

use regex::{Regex, RegexBuilder};
use shared::ruleset::Scope;

/// The most characters of a pattern.
const MAX_CHARS: usize = 2_000;
/// The most bytes of a compiled pattern.
const MAX_BYTES: usize = 1 << 20;

/// The properties of a request that scopes are matched against.
#[derive(Debug, Clone, Copy)]
pub struct Target<'r> {
    /// Without port.
    pub host: &'r str,
    /// Normalized, so that another notation does not evade a rule.
    pub path: &'r str,
    pub method: &'r str,
    pub application: Option<u32>,
}

/// A host in normal form: lower case, without port and final dot.
pub fn normalize_host(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// A compiled scope.
#[derive(Debug)]
pub(super) struct CompiledScope {
    host: Option<Glob>,
    path: Option<Glob>,
    method: Option<String>,
    application: Option<u32>,
}

#[derive(Debug)]
enum Glob {
    Exact(String),
    Pattern { regex: Regex, literal: usize },
}

/// The order of scopes, more specific ones last: by path, then host, method and application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Specificity {
    path: (usize, bool),
    host: (usize, bool),
    method: bool,
    application: bool,
}

impl CompiledScope {
    /// Compiles a scope; an error names the invalid field and the cause.
    pub(super) fn new(scope: &Scope) -> Result<Self, (&'static str, String)> {
        let host = scope.host.as_deref().map(|host| Glob::new(&host.to_ascii_lowercase(), ".*", ".*"));
        let path = scope.path.as_deref().map(|path| {
            if path.starts_with(['/', '*']) {
                Glob::new(path, "[^/]*", ".*")
            } else {
                Err("must start with / or *".to_owned())
            }
        });
        let method = scope.method.as_deref().map(|method| {
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if !method.is_empty() && method.bytes().all(is_token) {
                Ok(method.to_owned())
            } else {
                Err("must be a method such as POST".to_owned())
            }
        });
        Ok(Self {
            host: host.transpose().map_err(|cause| ("scope.host", cause))?,
            path: path.transpose().map_err(|cause| ("scope.path", cause))?,
            method: method.transpose().map_err(|cause| ("scope.method", cause))?,
            application: scope.application,
        })
    }

    pub(super) fn matches(&self, target: &Target<'_>) -> bool {
        // Cheap conditions first.
        self.application.is_none_or(|application| target.application == Some(application))
            && self.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(target.method))
            && self.host.as_ref().is_none_or(|host| host.matches(&target.host.to_ascii_lowercase()))
            && self.path.as_ref().is_none_or(|path| path.matches(target.path))
    }

    pub(super) fn specificity(&self) -> Specificity {
        let of = |glob: &Option<Glob>| glob.as_ref().map_or((0, false), Glob::specificity);
        Specificity {
            path: of(&self.path),
            host: of(&self.host),
            method: self.method.is_some(),
            application: self.application.is_some(),
        }
    }
}

impl Glob {
    /// `*` becomes `one`, `**` becomes `many`.
    fn new(text: &str, one: &str, many: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("must not be empty; omit it to match all".to_owned());
        }
        if text.chars().count() > MAX_CHARS {
            return Err(format!("is longer than {MAX_CHARS} characters"));
        }
        if !text.contains('*') {
            return Ok(Self::Exact(text.to_owned()));
        }
        let parts: Vec<String> = text
            .split("**")
            .map(|part| part.split('*').map(regex::escape).collect::<Vec<_>>().join(one))
            .collect();
        let regex = RegexBuilder::new(&format!("^(?:{})$", parts.join(many)))
            .dot_matches_new_line(true)
            .size_limit(MAX_BYTES)
            .build()
            .map_err(|cause| cause.to_string())?;
        Ok(Self::Pattern { regex, literal: text.chars().filter(|letter| *letter != '*').count() })
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Pattern { regex, .. } => regex.is_match(text),
        }
    }

    fn specificity(&self) -> (usize, bool) {
        match self {
            Self::Exact(text) => (text.chars().count(), true),
            Self::Pattern { literal, .. } => (*literal, false),
        }
    }
}
