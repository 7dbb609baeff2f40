//! What is a command, and which arguments make a plain word one.

use crate::names::Names;
use std::sync::LazyLock;

/// A dash and a letter, `/c`, `+%s`.
pub(super) const FLAG: u8 = 1;
/// Something with a slash, or a file name.
pub(super) const PATH: u8 = 2;
pub(super) const NUMBER: u8 = 4;
/// An address of a host, or a URL.
pub(super) const HOST: u8 = 8;
pub(super) const VARIABLE: u8 = 16;
pub(super) const QUOTED: u8 = 32;
/// Any word will do.
pub(super) const WORD: u8 = 64;
/// It needs no argument.
pub(super) const ALONE: u8 = 128;

/// A program or a builtin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// Arguments that show it is meant as a command.
    pub takes: u8,
    /// Its name is no word of a language: without arguments it is one still.
    pub is_telling: bool,
}

const FILES: u8 = FLAG | PATH | VARIABLE;
const NET: u8 = FLAG | HOST | VARIABLE | QUOTED;
const CODE: u8 = FLAG | PATH | QUOTED;
const QUERY: u8 = FLAG | ALONE;

/// Names that are words, or too short to tell, by what they take.
const PLAIN: &[(u8, &str)] = &[
    (FLAG, "apt cron cut kill ln su test top"),
    (FLAG | QUOTED, "tr"),
    (QUERY, "arch date df hostname id nproc ps route shutdown"),
    (CODE, "awk node perl php python python2 python3 ruby"),
    (
        FILES,
        "base64 cat chgrp copy cp del du exec find gcc head less mkdir mknod more move mv \
      nl od rev rm rsync scp sort source stat strings tac tail tar tee touch wc zip",
    ),
    (PATH, "basename cd file locate tree where"),
    (FLAG | PATH, "vi vim"),
    (WORD, "busybox getent xargs"),
    (FLAG | ALONE, "cmd set"),
    (NET, "curl dig ftp host lynx ping ssh tftp"),
    (FILES | ALONE, "dir history ls mount"),
    (VARIABLE | QUOTED | WORD | NUMBER, "echo"),
    (ALONE, "alias calc env halt poweroff pwd reboot uptime ver w who"),
    (VARIABLE | QUOTED, "eval"),
    (NUMBER, "expr sleep timeout"),
    (HOST, "fetch"),
    (FILES | QUOTED, "grep"),
    (FLAG | HOST, "mail"),
    (NET | ALONE, "finger nc telnet"),
    (QUOTED | VARIABLE, "printf"),
    (FLAG | QUOTED, "sed"),
    (CODE | ALONE, "bash sh"),
    (PATH | VARIABLE, "type"),
    (ALONE | PATH, "notepad"),
    (WORD, "adduser"),
    (FILES, "comm fold hd paste split xz unzip"),
    (FLAG, "bridge chkconfig ex git make man mysql perf screen script service ss watch"),
    (QUERY, "last"),
    (NUMBER, "usleep"),
    (FILES | ALONE, "ll"),
    (CODE, "lua"),
    (QUOTED, "trap"),
    (ALONE, "groups users"),
    (FLAG | PATH, "md rd rmdir"),
    (WORD, "passwd"),
];

/// Names nobody writes but for the program, by what they take.
const TELLING: &[(u8, &str)] = &[
    (
        QUERY,
        "arp bcdedit dmesg ifconfig ipconfig iptables irb journalctl lastlog lsblk lscpu \
      lsof lspci lsusb nbtstat netstat printenv qwinsta sw_vers systeminfo tasklist uname \
      vmstat whoami lastlogin driverquery dmidecode iostat ipcs netsh pstree lsmod blkid visudo hostid logname",
    ),
    (
        FLAG,
        "attrib bitsadmin c89 c99 capsh certutil chsh cmdkey csc dpkg flock gdb getcap gpresult \
      installutil lsb_release ltrace msiexec nltest nsenter pfctl psql regsvr32 rmt rpm \
      forfiles launchctl mysqldump runas schtasks ssh-keygen system_profiler taskkill taskset tcpdump tmux unshare xterm fsutil diskpart mklink robocopy xcopy",
    ),
    (
        WORD,
        "ansible apk apt-get chmod chown chroot doas dsquery groupadd killall kubectl mkfifo \
      dscl mkpasswd netsh networksetup nohup osascript psexec gwmi openssl pip3 pkill rlwrap rundll32 socat strace systemctl useradd \
      usermod userdel vssadmin wmic yum dnf zypper pacman aptitude setfacl setcap setsid stdbuf cscli",
    ),
    (CODE, "$0 $shell ${shell} csh dash gawk jjs ksh tclsh tcsh zsh"),
    (PATH, "cacls cscript icacls umount wscript"),
    (FLAG | PATH | ALONE, "crontab"),
    (FILES | QUOTED, "egrep"),
    (
        FILES,
        "regedit bcdboot bsdtar bunzip2 bzcat fgrep gunzip hexdump iconv shuf sqlite3 xxd zcat zgrep zless zmore",
    ),
    (HOST | PATH, "mshta"),
    (NET, "hping3 lwp-download lwp-request ncat netcat nmap traceroute tracert wget"),
    (NET | ALONE, "nslookup"),
    (FLAG | ALONE | WORD, "powershell"),
    (FLAG | ALONE, "pwsh"),
    (WORD | FLAG, "sudo"),
    (ALONE, "dnsdomainname sysinfo hostnamectl timedatectl vol"),
    (HOST, "ssh-copy-id ssh-keyscan whois"),
    (FLAG | QUOTED, "findstr"),
    (FLAG | HOST, "sendmail"),
];

/// `net user`, `reg query`, `ip a`: commands whose second word tells.
const PAIRS: &[(&str, &[&str])] = &[
    ("ps", &["aux", "ax", "auxw", "aux|"]),
    ("route", &["print"]),
    ("waitfor", &["/t"]),
    ("wmic", &["process", "os", "useraccount", "service", "qfe"]),
    (
        "net",
        &[
            "user",
            "users",
            "view",
            "localgroup",
            "share",
            "use",
            "start",
            "stop",
            "accounts",
            "group",
            "session",
            "config",
            "statistics",
        ],
    ),
    ("reg", &["query", "add", "save", "delete"]),
    ("ip", &["a", "addr", "address", "route", "link", "r"]),
    ("sc", &["query", "queryex", "qc", "create", "start", "stop", "config", "delete"]),
    ("netsh", &["advfirewall", "firewall", "wlan", "interface", "winhttp"]),
    ("aws", &["sts", "s3", "iam", "ec2", "secretsmanager"]),
    ("mysql", &["-u", "-h", "-e"]),
    ("python", &["-m"]),
    ("python3", &["-m"]),
    ("passwd", &["root"]),
    ("defaults", &["read"]),
    ("service", &["ssh", "sshd", "apache2", "httpd", "nginx", "mysql", "mysqld", "iptables", "cron"]),
    ("which", &["nc", "wget", "curl", "python", "python3", "perl", "php", "bash", "gcc", "ncat", "netcat"]),
    ("type", &["con", "nul"]),
    ("start", &["cmd", "powershell", "calc"]),
    ("command", &["-v"]),
    ("apt", &["install"]),
    ("pip", &["install"]),
    ("pip3", &["install"]),
    ("gem", &["install"]),
    ("npm", &["install"]),
    ("cscli", &["alerts", "decisions", "hub"]),
    ("docker", &["run", "exec", "ps"]),
];

/// Shells and interpreters: what is piped into them runs.
const INTERPRETERS: &[&str] = &[
    "sh",
    "bash",
    "dash",
    "zsh",
    "ksh",
    "csh",
    "tcsh",
    "python",
    "python2",
    "python3",
    "perl",
    "php",
    "ruby",
    "node",
    "tclsh",
    "powershell",
    "pwsh",
    "cmd",
    "$0",
    "$shell",
];

/// Words that run what follows them.
pub(super) const PREFIXES: &[&str] = &[
    "{", "sudo", "exec", "nohup", "busybox", "command", "builtin", ".", "eval", "time", "env", "then", "do",
    "else", "if", "while", "!", "xargs", "timeout", "nice", "start", "strace", "ltrace", "setsid", "stdbuf",
    "unshare", "doas",
];

/// Prefixes that are no words of prose: what they run is meant to run.
pub(super) const RUNNERS: &[&str] = &[
    "sudo",
    "nohup",
    "busybox",
    "time",
    "env",
    "timeout",
    "nice",
    "strace",
    "ltrace",
    "setsid",
    "stdbuf",
    "unshare",
    "doas",
    "xargs",
    "exec",
    "powershell",
    "pwsh",
];

/// Families of programs: every name that begins so.
const FAMILIES: &[&str] = &["ansible-", "chef-", "rmt-", "lwp-", "ssh-key", "systemd-", "apt-", "dpkg-"];

/// Where programs live.
const PROGRAM_DIRS: &[&str] = &[
    "/bin/",
    "/usr/bin/",
    "/sbin/",
    "/usr/sbin/",
    "/usr/local/bin/",
    "usr/bin/",
    "usr/sbin/",
    "/usr/local/sbin/",
    "/opt/bin/",
];

/// What a shell pattern is tried against.
pub(super) const GLOB_TARGETS: &[&str] = &[
    "/etc/passwd",
    "/etc/shadow",
    "/etc/hosts",
    "/etc/issue",
    "/etc/group",
    "/bin/cat",
    "/bin/sh",
    "/bin/bash",
    "/usr/bin/bash",
    "/usr/bin/env",
    "/usr/bin/find",
    "/usr/bin/ls",
    "/usr/bin/sh",
    "/bin/ls",
    "/bin/nc",
    "/bin/id",
    "/usr/bin/id",
    "/usr/bin/whoami",
    "/usr/bin/uname",
    "/bin/uname",
    "/usr/bin/wget",
    "/usr/bin/curl",
    "/usr/bin/head",
    "/usr/bin/tail",
    "/usr/bin/perl",
    "/usr/bin/python",
    "/usr/bin/python3",
    "/usr/bin/php",
    "/bin/nc.openbsd",
    "/bin/netcat",
    "/bin/ping",
    "/bin/dash",
    "/bin/sleep",
    "/bin/echo",
    "/usr/bin/cat",
    "/usr/bin/nc",
    "/usr/bin/base64",
    "/bin/more",
    "/bin/less",
    "/usr/bin/tac",
    "/bin/rm",
    "/sbin/ifconfig",
];

/// Words of the shell's own grammar: no prose.
pub(super) const KEYWORDS: &[&str] =
    &["if", "then", "fi", "do", "done", "while", "for", "in", "else", "until"];

/// By name; asked for the first word of most values, so it is no table that hashes against attackers.
static KNOWN: LazyLock<Vec<(&str, Known)>> = LazyLock::new(|| {
    let read = |table: &'static [(u8, &str)], is_telling| {
        let names =
            table.iter().flat_map(|&(takes, names)| names.split_whitespace().map(move |name| (name, takes)));
        names.map(move |(name, takes)| (name, Known { takes, is_telling }))
    };
    let mut known: Vec<_> = read(PLAIN, false).chain(read(TELLING, true)).collect();
    // The last one counts.
    known.reverse();
    known.sort_by_key(|(name, _)| *name);
    known.dedup_by_key(|(name, _)| *name);
    known
});

/// Every word that could begin a command, as marks of few bits: most words have none.
static MARKS: LazyLock<[u64; 64]> = LazyLock::new(|| {
    let known = KNOWN.iter().map(|(name, _)| *name);
    let pairs = PAIRS.iter().map(|(first, _)| *first);
    let mut marks = [0; 64];
    for name in known.chain(pairs).chain(PREFIXES.iter().copied()).chain(RUNNERS.iter().copied()) {
        let (word, bit) = mark(name);
        marks[word] |= bit;
    }
    marks
});

/// May suspect too much, never too little.
fn is_marked(name: &str) -> bool {
    let (word, bit) = mark(name);
    MARKS[word] & bit != 0
}

/// Of length, first, second and last letter.
fn mark(name: &str) -> (usize, u64) {
    let at = |index: usize| name.as_bytes().get(index).copied().map_or(0, usize::from);
    let mixed = name.len() + 5 * at(0) + 67 * at(1) + 397 * at(name.len().saturating_sub(1));
    (mixed / 64 % 64, 1 << (mixed % 64))
}

pub(super) fn known(name: &str) -> Option<Known> {
    if is_marked(name)
        && let Ok(at) = KNOWN.binary_search_by_key(&name, |(known, _)| known)
    {
        return Some(KNOWN[at].1);
    }
    // Families and cmdlets have a dash in their names.
    memchr::memchr(b'-', name.as_bytes()).and_then(|_| {
        let is_family = FAMILIES.iter().any(|prefix| name.len() > prefix.len() && name.starts_with(prefix));
        let is_name = name.bytes().all(|it| it.is_ascii_lowercase() || it == b'-');
        (is_family && is_name || is_cmdlet(name))
            .then_some(Known { takes: FLAG | PATH | WORD | ALONE, is_telling: true })
    })
}

/// `get-childitem`: a verb and a noun of PowerShell.
fn is_cmdlet(name: &str) -> bool {
    const VERBS: &[&str] = &[
        "get", "set", "new", "add", "remove", "start", "stop", "invoke", "copy", "move", "test", "out",
        "write", "select", "import", "restart",
    ];
    const NOUNS: &[&str] = &[
        "item",
        "childitem",
        "content",
        "process",
        "service",
        "wmiobject",
        "ciminstance",
        "command",
        "location",
        "webrequest",
        "restmethod",
        "expression",
        "object",
        "host",
        "output",
        "eventlog",
        "computer",
        "computerinfo",
        "acl",
        "localuser",
        "aduser",
        "netipaddress",
        "netipconfiguration",
        "nettcpconnection",
        "netconnection",
        "variable",
        "itemproperty",
        "module",
        "job",
        "scheduledtask",
        "executionpolicy",
        "mppreference",
        "hotfix",
        "sleep",
    ];
    name.split_once('-').is_some_and(|(verb, noun)| VERBS.contains(&verb) && NOUNS.contains(&noun))
}

/// Whether a word, in lower case, could begin a command: by itself, with its second word, or by running what follows.
pub(super) fn may_run(name: &str) -> bool {
    known(name).is_some()
        || is_marked(name)
            && (PREFIXES.contains(&name)
                || RUNNERS.contains(&name)
                || PAIRS.iter().any(|(first, _)| *first == name))
}

/// Whether it runs what follows it, spelled in any case.
pub(super) fn is_runner(name: &str) -> bool {
    static NAMES: Names = Names::new(RUNNERS);
    NAMES.contains(name)
}

pub(super) fn is_pair(name: &str, second: &str) -> bool {
    PAIRS.iter().any(|(first, seconds)| *first == name && seconds.contains(&second))
}

pub(super) fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name)
}

/// The program, when the word is the path of one.
pub(super) fn program(word: &str) -> Option<&str> {
    memchr::memchr(b'/', word.as_bytes())?;
    let climbed = word.contains("../").then(|| word.trim_start_matches(['.', '/']));
    let from = climbed.map_or(word, |it| &word[word.len().saturating_sub(it.len() + 1)..]);
    let relative = || word.strip_prefix("bin/").filter(|name| known(name).is_some_and(|it| it.is_telling));
    let name = PROGRAM_DIRS.iter().find_map(|dir| from.strip_prefix(dir)).or_else(relative)?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte);
    (!name.is_empty() && name.len() <= 24 && name.bytes().all(fits)).then_some(name)
}
