//! Files of a server, requested by their location: a value that is one path and nothing else.
//!
//! The lists (`words/ptrav.toml`) hold directories that are never published, directories in which
//! servers keep settings and logs, and names that identify a sensitive file.

use crate::{
    token::path::{Location, Root},
    words::{Trees, WORDS},
};

/// How certain an attack is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Certainty {
    /// No benign request names such a file.
    Certain,
    /// Monitoring programs name such files in their reports.
    Likely,
}

/// The inputs of a rule.
struct Requested<'t> {
    location: &'t Location<'t>,
    /// The last segment, in lower case.
    name: &'t str,
}

struct Rule {
    #[cfg_attr(not(test), expect(dead_code, reason = "tests name the matching rule"))]
    name: &'static str,
    certainty: Certainty,
    condition: fn(&Requested<'_>) -> bool,
}

/// The first matching rule applies.
const RULES: &[Rule] = &[
    Rule { name: "system tree", certainty: Certainty::Certain, condition: is_in_system_tree },
    Rule { name: "system log or device", certainty: Certainty::Certain, condition: is_system_log_or_device },
    Rule { name: "drive tree", certainty: Certainty::Certain, condition: is_in_drive_tree },
    Rule { name: "hidden file of a home", certainty: Certainty::Certain, condition: is_hidden_in_home },
    Rule { name: "setting of a server", certainty: Certainty::Certain, condition: is_setting_of_server },
    Rule { name: "relative setting", certainty: Certainty::Likely, condition: is_relative_setting },
    Rule { name: "program tree", certainty: Certainty::Likely, condition: is_in_program_tree },
    Rule { name: "system folder", certainty: Certainty::Likely, condition: is_system_folder },
    Rule { name: "sensitive name", certainty: Certainty::Likely, condition: is_sensitive_name },
    Rule { name: "source of a page", certainty: Certainty::Likely, condition: is_page_source },
];

/// Whether the value names a file of a server, and how certain that is an attack.
pub(super) fn is_requested(value: &[u8]) -> Option<Certainty> {
    rule(value).map(|rule| rule.certainty)
}

fn rule(value: &[u8]) -> Option<&'static Rule> {
    let mut buffer = Location::BUFFER;
    let location = Location::read(value, &mut buffer)?;
    let name = location.segments().next_back()?;
    let requested = Requested { location: &location, name };
    RULES.iter().find(|rule| (rule.condition)(&requested))
}

/// `/etc/at.allow`, `/proc/1/status`. Folders of sites have such names, too:
/// `/etc/designs/site.css`.
fn is_in_system_tree(it: &Requested<'_>) -> bool {
    it.has_root(Root::Unix) && (it.is_in(&WORDS.ptrav.system_trees) || it.is_of_process()) && !it.is_asset()
}

/// `/var/log`, `/dev/sda1`
fn is_system_log_or_device(it: &Requested<'_>) -> bool {
    let mut segments = it.location.segments();
    let is_device = |name: &str| {
        let starts = &WORDS.ptrav.device_starts;
        WORDS.ptrav.devices.contains_exact(name)
            || name.len() < 9 && starts.iter().any(|start| name.starts_with(start))
    };
    it.has_root(Root::Unix)
        && match (segments.next(), segments.next(), segments.next()) {
            (Some("var"), Some("log"), None) => true,
            (Some("dev"), Some(name), None) => is_device(name),
            _ => false,
        }
}

/// `C:\windows\debug.txt`
fn is_in_drive_tree(it: &Requested<'_>) -> bool {
    // `C:\windows\system32 missing`
    let is_folder_in_sentence = it.name.contains(' ') && !it.name.contains('.');
    it.has_root(Root::Drive) && it.is_in(&WORDS.ptrav.drive_trees) && !is_folder_in_sentence
}

/// `~/.ssh/id_rsa`
fn is_hidden_in_home(it: &Requested<'_>) -> bool {
    it.has_root(Root::Home) && it.location.segments().any(|segment| segment.starts_with('.'))
}

/// `/opt/app/logs/error.log`
fn is_setting_of_server(it: &Requested<'_>) -> bool {
    let has_ending = || it.is_setting() || it.name.ends_with("passwd");
    !it.has_root(Root::Relative) && has_ending() && it.folders().any(is_of_server)
}

/// `include/../conf/httpd.conf`, two folders deep at least.
fn is_relative_setting(it: &Requested<'_>) -> bool {
    it.has_root(Root::Relative)
        && it.folders().nth(1).is_some()
        && (it.is_setting() || it.is_sensitive())
        && it.opens_with_server()
}

/// `/usr/local/cpanel/logs`
fn is_in_program_tree(it: &Requested<'_>) -> bool {
    it.has_root(Root::Unix) && it.is_in(&WORDS.ptrav.program_trees)
}

/// `C:\winnt`
fn is_system_folder(it: &Requested<'_>) -> bool {
    it.has_root(Root::Drive)
        && it.folders().next().is_none()
        && matches!(it.name, "windows" | "winnt" | "ntldr")
}

/// `/include/config.php`
fn is_sensitive_name(it: &Requested<'_>) -> bool {
    !it.has_root(Root::Relative) && it.is_sensitive()
}

/// `C:\xampp\htdocs\x.php`, `/var/app/www/index.html`
fn is_page_source(it: &Requested<'_>) -> bool {
    let words = &WORDS.ptrav;
    let is_script = || {
        it.has_ending(|it| words.scripts.contains_exact(it))
            && it.folders().any(|it| words.web_roots.contains_exact(it))
    };
    let is_page = || {
        it.has_ending(|it| matches!(it, "html" | "htm"))
            && it.folders().skip(1).any(|it| words.page_roots.contains_exact(it))
    };
    !it.has_root(Root::Relative)
        && (is_script() || is_page())
        && (it.has_root(Root::Drive) || it.opens_with_server())
}

impl<'t> Requested<'t> {
    fn has_root(&self, root: Root) -> bool {
        self.location.root == root
    }

    /// The segments before the name.
    fn folders(&self) -> impl Iterator<Item = &'t str> {
        let mut folders = self.location.segments();
        folders.next_back();
        folders
    }

    /// Whether the path is inside one of these trees.
    fn is_in(&self, trees: &Trees) -> bool {
        let first = self.location.segments().next();
        trees.0.iter().filter(|tree| tree.first().map(String::as_str) == first).any(|tree| {
            let mut segments = self.location.segments();
            tree.iter().all(|it| segments.next() == Some(it)) && segments.next().is_some()
        })
    }

    /// Whether the path is inside the directory of a process.
    fn is_of_process(&self) -> bool {
        let mut segments = self.location.segments();
        segments.next() == Some("proc")
            && segments.next().is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_digit()))
            && segments.next().is_some()
    }

    /// Whether one of the extensions matches.
    fn has_ending(&self, predicate: impl Fn(&str) -> bool) -> bool {
        let ending = self.name.split_once('.').map_or("", |(_, rest)| rest);
        ending.split('.').any(predicate)
    }

    /// Whether a browser loads such files, by the last extension: `x.js.key` is a key.
    fn is_asset(&self) -> bool {
        let ending = self.name.rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|ending| WORDS.ptrav.asset_endings.contains_exact(ending))
    }

    fn is_setting(&self) -> bool {
        self.has_ending(|it| WORDS.ptrav.endings.contains_exact(it)) || self.name.ends_with("_log")
    }

    fn is_sensitive(&self) -> bool {
        let starts = &WORDS.ptrav.name_starts;
        WORDS.ptrav.names.contains(self.name) || starts.iter().any(|it| self.name.starts_with(it))
    }

    fn opens_with_server(&self) -> bool {
        self.folders().next().is_some_and(is_of_server)
    }
}

/// Whether servers keep settings, logs or data in a directory of this name.
fn is_of_server(folder: &str) -> bool {
    let fits = |pattern: &String| {
        pattern.strip_suffix('*').map_or(folder == pattern, |start| folder.starts_with(start))
    };
    WORDS.ptrav.server_directories.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_finds_its_vector() {
        let vectors = [
            ("system tree", "/etc/at.allow"),
            ("system log or device", "/dev/sda1"),
            ("drive tree", r"C:\windows\debug.txt"),
            ("hidden file of a home", "~/.ssh/id_rsa"),
            ("setting of a server", "/opt/app/logs/error.log"),
            ("relative setting", "apache2/conf/httpd.conf"),
            ("program tree", "/usr/local/cpanel/logs"),
            ("system folder", r"C:\winnt\"),
            ("sensitive name", "/include/config.php"),
            ("source of a page", r"C:\xampp\htdocs\x.php"),
        ];
        assert!(vectors.iter().map(|it| it.0).eq(RULES.iter().map(|it| it.name)));
        for (name, path) in vectors {
            assert_eq!(rule(path.as_bytes()).map(|it| it.name), Some(name), "{path}");
        }
    }

    #[test]
    fn finds_files_of_a_server_by_tree_name_or_ending() {
        for path in [
            "/etc/at.allow",
            "/usr/local/etc/x.conf",
            "/var/mail/root",
            "/proc/1/status",
            "/etc/ssl/site.js.key",
            "/dev/random",
            r"C:\WINDOWS\debug.txt",
            "C:/Program Files/Apache Group/Apache2/conf/httpd.conf",
            r"%SystemRoot%\repair\sam",
            "/var/www/app/config.php",
            "/opt/app/logs/error.log",
            "~/.ssh/id_rsa",
            "/opt/x/conf/server.pem\0.jpg",
        ] {
            assert!(is_requested(path.as_bytes()).is_some(), "{path}");
        }
    }

    #[test]
    fn rates_files_named_in_reports_as_likely() {
        for path in [
            "/var/www/html/index.php",
            "/usr/local/cpanel/logs",
            r"C:\WINNT\",
            r"C:\xampp\htdocs\x.php",
            "/include/config.php",
        ] {
            assert_eq!(is_requested(path.as_bytes()), Some(Certainty::Likely), "{path}");
        }
        assert_eq!(is_requested(b"/etc/passwd"), Some(Certainty::Certain));
    }

    #[test]
    fn passes_files_of_visitors() {
        for path in [
            "/home/user/photo.jpg",
            r"C:\Users\me\Documents\x.docx",
            "/products/etc/x",
            "/etc/designs/site/main.min.js",
            "/proc/orders",
            "/etc/",
            "/var/www",
            "see /var/www/app/config.php for more",
            "/blog/catalog",
            "/docs/config.html",
            "/www/index.html",
            "/data/reports/a.html",
            "logs/error.log",
            "/images/key.png",
            "/api/v1/logs/42",
            "backup.tar.gz",
            "src/main.rs",
            "config/database.yml",
        ] {
            assert_eq!(is_requested(path.as_bytes()), None, "{path}");
        }
    }
}
