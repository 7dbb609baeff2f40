//! Archives: names that leave the folder of the extraction (zip slip), macros, and bombs. Names of
//! scripts are no evidence: archives of source code contain them.

use super::{Match, is_disguised};
use crate::token::zip::{Directory, directory, entries};
use shared::{
    AttackType::{self, DataBomb, PathTraversal, Rce},
    Severity::{self, High, Low, Medium},
};

/// An archive that declares more bytes, and more for each of its own, is a bomb: deflate reaches 1:1032
/// with nothing but zeros.
const MAX_SIZE: u64 = 100 << 20;
const MAX_RATIO: u64 = 1_000;

pub(super) fn detect(archive: &[u8]) -> Option<Match<'static>> {
    let names = entries(archive).filter_map(|entry| Some((classify(entry.name)?, entry.span)));
    let worst = names.max_by_key(|((_, _, severity), _)| *severity);
    let found = worst.map(|((attack_type, signature, severity), span)| Match {
        attack_type,
        signature,
        severity,
        span,
    });
    let is_severe = found.as_ref().is_some_and(|it| it.severity == High);
    if !is_severe && directory(archive).is_some_and(|it| is_bomb(&it, archive.len())) {
        return Some(Match {
            attack_type: DataBomb,
            signature: "data_bomb-archive",
            severity: High,
            span: 0..4,
        });
    }
    found
}

fn is_bomb(directory: &Directory, length: usize) -> bool {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    directory.overlaps || directory.size > MAX_SIZE && directory.size / length.max(1) > MAX_RATIO
}

fn classify(name: &[u8]) -> Option<(AttackType, &'static str, Severity)> {
    match climbed(name) {
        0 if leaves_root(name) => return Some((PathTraversal, "ptrav-archive-climb", High)),
        0 => {}
        // `zip x.zip ../a` stores the name as it is.
        1 => return Some((PathTraversal, "ptrav-archive-step", Low)),
        _ => return Some((PathTraversal, "ptrav-archive-climb", High)),
    }
    if name.ends_with(b"vbaProject.bin") {
        return Some((Rce, "rce-upload-macro", Low));
    }
    let text = String::from_utf8_lossy(name).to_ascii_lowercase();
    is_disguised(name, &text).then_some((Rce, "rce-upload-disguised", Medium))
}

/// The number of levels above the folder of the extraction.
fn climbed(name: &[u8]) -> i32 {
    if memchr::memmem::find(name, b"..").is_none() {
        return 0;
    }
    let mut depth = 0;
    let mut lowest = 0;
    for step in name.split(|byte| matches!(byte, b'/' | b'\\')) {
        match step.trim_ascii() {
            b".." => depth -= 1,
            b"" | b"." => {}
            _ => depth += 1,
        }
        lowest = lowest.min(depth);
    }
    -lowest
}

/// `/etc/cron.d/x`, `C:\x`; some programs store names with a slash before a folder of their own.
fn leaves_root(name: &[u8]) -> bool {
    const SYSTEM: [&[u8]; 6] = [b"/etc/", b"/home/", b"/root/", b"/usr/", b"/var/", b"/proc/"];
    SYSTEM.iter().any(|folder| name.starts_with(folder))
        || matches!(name, [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::zip::archive;

    fn signature_of(names: &[&str]) -> Option<&'static str> {
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, &b"x"[..])).collect();
        detect(&archive(&files)).map(|it| it.signature)
    }

    #[test]
    fn finds_names_that_leave_the_folder() {
        for name in [
            "../../etc/cron.d/x",
            "a/../../../x",
            "..\\..\\windows\\x.dll",
            "/etc/passwd",
            "C:\\inetpub\\x.asp",
        ] {
            assert_eq!(signature_of(&["readme.txt", name]), Some("ptrav-archive-climb"), "{name}");
        }
        assert_eq!(signature_of(&["../a"]), Some("ptrav-archive-step"));
    }

    #[test]
    fn finds_macros_and_disguised_programs() {
        assert_eq!(signature_of(&["word/document.xml", "word/vbaProject.bin"]), Some("rce-upload-macro"));
        assert_eq!(signature_of(&["invoice.pdf.exe"]), Some("rce-upload-disguised"));
    }

    #[test]
    fn passes_archives_of_source_code() {
        let names = [
            "app/index.php",
            "app/.htaccess",
            "web/web.config",
            "a/../b.txt",
            "tests/fixtures/..hidden/x.jsp",
            "docs/etc/passwd",
            "build/setup.exe",
        ];
        assert_eq!(signature_of(&names), None);
        assert_eq!(signature_of(&["[Content_Types].xml", "word/document.xml"]), None);
    }

    #[test]
    fn finds_bombs_by_what_the_directory_declares() {
        let is_bomb = |size, overlaps, length| is_bomb(&Directory { size, overlaps }, length);
        assert!(is_bomb(1 << 30, false, 1 << 20));
        assert!(is_bomb(1, true, 100));
        assert!(!is_bomb(1 << 30, false, 20 << 20));
        assert!(!is_bomb(50 << 20, false, 40_000));
    }
}
