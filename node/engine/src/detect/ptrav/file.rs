//! Files of a server, asked for by where they lie: a value that is one path and nothing else.
//!
//! One table of trees nobody publishes, one of the folders servers keep their settings and logs in, one of names that give
//! a file away. All names are lower-case.

use crate::{
    names::Names,
    token::path::{Location, Root},
};

/// How sure it is that only an attacker asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nobody asks for this.
    Surely,
    /// Programs that report on a server name such files in the documents they send.
    Likely,
}

/// Trees in which every file is the system's own.
const SYSTEM: &[&[&str]] = &[
    &["etc"],
    &["proc"],
    &["private", "etc"],
    &["private", "var"],
    &["run", "secrets"],
    &["usr", "etc"],
    &["usr", "local", "etc"],
    &["usr", "pkg", "etc"],
    &["usr", "adm"],
    &["usr", "spool"],
    &["usr", "lib", "security"],
    &["usr", "lib", "cron"],
    &["var", "adm"],
    &["var", "apache2"],
    &["var", "backups"],
    &["var", "cpanel"],
    &["var", "cron"],
    &["var", "lib"],
    &["var", "log"],
    &["var", "mail"],
    &["var", "run"],
    &["var", "spool"],
    &["boot", "grub"],
    &["dev", "fd"],
    &["dev", "tcp"],
    &["dev", "udp"],
    &["opt", "lampp"],
];

/// Trees of programs: what reports on servers names, and no address of a site has.
const PROGRAMS: &[&[&str]] = &[
    &["usr", "apache"],
    &["usr", "home"],
    &["usr", "lib"],
    &["usr", "lib64"],
    &["usr", "libexec"],
    &["usr", "local"],
    &["usr", "pkgsrc"],
    &["usr", "ports"],
    &["usr", "sbin"],
    &["usr", "share"],
    &["usr", "src"],
    &["usr", "x11r6"],
    &["var", "cache"],
    &["var", "data"],
    &["var", "local"],
    &["var", "opt"],
    &["var", "saf"],
    &["var", "tmp"],
    &["var", "www"],
    &["srv", "http"],
    &["srv", "www"],
    &["export", "home"],
    &["lib", "modules"],
    &["lib", "systemd"],
    &["system", "library"],
    &["network", "library"],
    &["opt", "jboss"],
    &["opt", "tomcat"],
];

/// The same on a drive of Windows.
const SYSTEM_OF_DRIVE: &[&[&str]] = &[
    &["windows"],
    &["windows.old"],
    &["winnt"],
    &["sysprep"],
    &["system32"],
    &["system volume information"],
    &["$recycle.bin"],
    &["inetpub"],
    &["php", "sessions"],
    &["programdata"],
    &["users", "administrator"],
];

const DEVICES: &[&str] =
    &["random", "urandom", "zero", "null", "mem", "kmem", "stdin", "stdout", "stderr", "tty", "full", "core"];

/// Folders in which servers keep settings, logs and data; `*` stands for a version.
const SERVERS: &[&str] = &[
    "apache*",
    "applications",
    "bin",
    "boot",
    "conf",
    "cpanel",
    "data",
    "documents and settings",
    "etc",
    "home",
    "httpd*",
    "inetpub",
    "jboss*",
    "lampp",
    "library",
    "lighttpd*",
    "log",
    "logs",
    "mamp",
    "minint",
    "mysql*",
    "netserver",
    "nginx*",
    "opt",
    "pgsql*",
    "php*",
    "postgresql*",
    "private",
    "proc",
    "proftpd*",
    "program files*",
    "programdata",
    "repair",
    "root",
    "srv",
    "sys",
    "tmp",
    "tomcat*",
    "usr",
    "var",
    "volumes",
    "wamp*",
    "windows",
    "winnt",
    "www",
    "xampp*",
    "zend",
];

/// Endings of settings, logs, keys and tables.
const ENDINGS: &[&str] = &[
    "asa",
    "cfg",
    "cnf",
    "conf",
    "config",
    "err",
    "evt",
    "evtx",
    "frm",
    "ibd",
    "inf",
    "ini",
    "key",
    "kdbx",
    "keytab",
    "leases",
    "log",
    "mdb",
    "myd",
    "pem",
    "pfx",
    "plist",
    "properties",
    "pwd",
    "reg",
    "sav",
    "sif",
];

/// Endings of programs that a server runs and never shows.
const SCRIPTS: &[&str] = &["asp", "aspx", "cgi", "inc", "jsp", "php", "phtml", "pl", "py"];

/// Folders whose scripts are the site's.
const WEB_ROOTS: &[&str] =
    &["cgi-bin", "documents", "htdocs", "httpdocs", "public_html", "webapps", "wwwroot", "www"];

/// Folders of servers whose pages are asked for by address, and not by where they lie.
const PAGE_ROOTS: &[&str] =
    &["htdocs", "httpdocs", "public_html", "webapps", "webserver", "wwwroot", "www", "html"];

/// Names of passwords, keys, histories and settings.
static NAMES: Names = Names::new(&[
    ".htpasswd",
    "access_log",
    "application.properties",
    "application.yaml",
    "application.yml",
    "applicationhost.config",
    "authorized_keys",
    "autoexec.bat",
    "boot.ini",
    "btmp",
    "config.inc.php",
    "config.php",
    "config.sys",
    "configuration.php",
    "consolehost_history.txt",
    "context.xml",
    "database.php",
    "database.yml",
    "db.php",
    "error_log",
    "filezilla server.xml",
    "filezilla.xml",
    "global.asa",
    "gshadow",
    "hiberfil.sys",
    "htmp",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "id_rsa",
    "kubeconfig",
    "lastlog",
    "localsettings.php",
    "maillog",
    "master.passwd",
    "menu.lst",
    "metabase.xml",
    "my.cnf",
    "my.ini",
    "mysql-bin.index",
    "ntuser.dat",
    "pagefile.sys",
    "parameters.yml",
    "passwd",
    "php.ini",
    "rc.conf",
    "recentservers.xml",
    "sam",
    "secrets.yml",
    "server.xml",
    "settings.php",
    "settings.py",
    "shadow",
    "sitemanager.xml",
    "sudoers",
    "sysprep.inf",
    "sysprep.xml",
    "tomcat-users.xml",
    "unattend.txt",
    "unattend.xml",
    "utmp",
    "utmpx",
    "win.ini",
    "wp-config.php",
    "wtmp",
    "wtmpx",
    "xferlog",
]);

/// Starts of names with a number or a suffix behind them.
const STARTS: &[&str] = &["sess_", "rc.conf.", "pureftpd.", "mysql-bin.", "php.ini-", "passwd.", "shadow."];

pub(super) fn is_asked_for(value: &[u8]) -> Option<Asked> {
    let mut buffer = Location::BUFFER;
    let location = Location::read(value, &mut buffer)?;
    let segments = || location.segments();
    let mut folders = segments();
    let name = folders.next_back()?;
    let folders = || folders.clone();
    let is_absolute = location.root != Root::Relative;
    match location.root {
        Root::Unix if is_of_system(segments()) => return Some(Asked::Surely),
        Root::Drive if is_in(SYSTEM_OF_DRIVE, &segments()) => {
            return Some(Asked::Surely);
        }
        Root::Home if segments().any(|it| it.starts_with('.')) => return Some(Asked::Surely),
        _ => {}
    }
    let is_of_server = || folders().any(|it| SERVERS.iter().any(|server| is_like(it, server)));
    let ending = name.split_once('.').map_or("", |(_, rest)| rest);
    let has_ending = |endings: &[&str]| ending.split('.').any(|it| endings.contains(&it));
    if is_absolute
        && (has_ending(ENDINGS) || name.ends_with("_log") || name.ends_with("passwd"))
        && is_of_server()
    {
        return Some(Asked::Surely);
    }
    let is_telling = || NAMES.contains(name) || STARTS.iter().any(|it| name.starts_with(it));
    let is_script = || has_ending(SCRIPTS) && folders().any(|it| WEB_ROOTS.contains(&it));
    let opens_with_server = || {
        let first = folders().next();
        first.is_some_and(|it| SERVERS.iter().any(|server| is_like(it, server)))
    };
    let is_page = || has_ending(&["html", "htm"]) && folders().skip(1).any(|it| PAGE_ROOTS.contains(&it));
    let is_likely = match location.root {
        Root::Relative => {
            folders().nth(1).is_some()
                && (has_ending(ENDINGS) || name.ends_with("_log") || is_telling())
                && opens_with_server()
        }
        Root::Unix if is_in(PROGRAMS, &segments()) => true,
        Root::Drive if folders().next().is_none() && matches!(name, "windows" | "winnt" | "ntldr") => true,
        _ => {
            is_telling()
                || (is_script() || is_page()) && (location.root == Root::Drive || opens_with_server())
        }
    };
    is_likely.then_some(Asked::Likely)
}

fn is_of_system<'t>(mut segments: impl Iterator<Item = &'t str> + Clone) -> bool {
    if is_in(SYSTEM, &segments) {
        return true;
    }
    match (segments.next(), segments.next(), segments.next()) {
        (Some("var"), Some("log"), None) => true,
        (Some("dev"), Some(name), None) => {
            DEVICES.contains(&name)
                || ["sd", "hd", "tty", "nvme"].iter().any(|it| name.starts_with(it) && name.len() < 9)
        }
        _ => false,
    }
}

/// Whether a path leads to something in one of these trees.
fn is_in<'t>(trees: &[&[&str]], segments: &(impl Iterator<Item = &'t str> + Clone)) -> bool {
    let first = segments.clone().next();
    trees.iter().filter(|tree| tree.first().copied() == first).any(|tree| {
        let mut segments = segments.clone();
        tree.iter().all(|it| segments.next() == Some(it)) && segments.next().is_some()
    })
}

fn is_like(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_a_server_are_known_by_tree_name_or_ending() {
        for path in [
            "/etc/at.allow",
            "/usr/local/etc/x.conf",
            "/var/mail/root",
            "/proc/1/status",
            "/dev/random",
            r"C:\WINDOWS\debug.txt",
            "C:/Program Files/Apache Group/Apache2/conf/httpd.conf",
            r"%SystemRoot%\repair\sam",
            "/var/www/app/config.php",
            "/opt/app/logs/error.log",
            "~/.ssh/id_rsa",
            "/opt/x/conf/server.pem\0.jpg",
        ] {
            assert!(is_asked_for(path.as_bytes()).is_some(), "{path}");
        }
    }

    #[test]
    fn what_reports_name_is_less_sure() {
        for path in [
            "/var/www/html/index.php",
            "/usr/local/cpanel/logs",
            r"C:\WINNT\",
            r"C:\xampp\htdocs\x.php",
            "/include/config.php",
        ] {
            assert_eq!(is_asked_for(path.as_bytes()), Some(Asked::Likely), "{path}");
        }
        assert_eq!(is_asked_for(b"/etc/passwd"), Some(Asked::Surely));
    }

    #[test]
    fn files_of_visitors_pass() {
        for path in [
            "/home/user/photo.jpg",
            r"C:\Users\me\Documents\x.docx",
            "/products/etc/x",
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
            assert_eq!(is_asked_for(path.as_bytes()), None, "{path}");
        }
    }
}
