//! Path patterns of behaviors: "Cache behavior settings", path pattern.

/// `*` matches any characters, `?` one; case-sensitive, with an implied leading slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl std::fmt::Display for PathPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl PathPattern {
    pub fn new(pattern: &str) -> Self {
        Self(if pattern.starts_with(['/', '*']) { pattern.to_owned() } else { format!("/{pattern}") })
    }

    pub fn matches(&self, path: &str) -> bool {
        let (pattern, path): (Vec<_>, Vec<_>) = (self.0.chars().collect(), path.chars().collect());
        // Where to resume when the text after the last star did not match: O(pattern × path).
        let (mut at, mut to, mut star) = (0, 0, None);
        while to < path.len() {
            match pattern.get(at) {
                Some('*') => {
                    star = Some((at, to));
                    at += 1;
                }
                Some(wanted) if *wanted == '?' || *wanted == path[to] => {
                    at += 1;
                    to += 1;
                }
                _ => match star {
                    Some((star_at, star_to)) => {
                        star = Some((star_at, star_to + 1));
                        at = star_at + 1;
                        to = star_to + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern[at..].iter().all(|rest| *rest == '*')
    }
}

/// The path to match, without dot segments and double slashes. The origin gets the raw path.
pub(super) fn normalized(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let closed = path.ends_with(['/']) || path.ends_with("/.") || path.ends_with("/..");
    let slash = if closed && !segments.is_empty() { "/" } else { "" };
    format!("/{}{slash}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_aws_shows_them() {
        for (pattern, path, fits) in [
            ("*.jpg", "/images/a.jpg", true),
            ("*.jpg", "/LOGO.JPG", false),
            ("images/*.jpg", "/images/product1/a.jpg", true),
            ("/images/*.jpg", "/images/a.gif", false),
            ("a??.jpg", "/ant.jpg", true),
            ("a??.jpg", "/apple.jpg", false),
            ("*.doc?", "/a.doc", false),
            ("*.doc*", "/a.doc", true),
            ("*", "/", true),
            ("api", "/api/x", false),
        ] {
            assert_eq!(PathPattern::new(pattern).matches(path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_do_not_take_exponential_time() {
        let pattern = PathPattern::new(&"*a".repeat(60));
        assert!(!pattern.matches(&"a".repeat(59).replace('a', "ab")));
    }

    #[test]
    fn paths_are_normalized_before_the_comparison() {
        for (path, normal) in [
            ("/a/b/..", "/a/"),
            ("//a///b", "/a/b"),
            ("/../../x", "/x"),
            ("/a/./b/", "/a/b/"),
            ("/", "/"),
            ("*", "/*"),
        ] {
            assert_eq!(normalized(path), normal, "{path}");
        }
    }
}
