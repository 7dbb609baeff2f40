//! Files with active content: images that are also scripts or pages, web shells, SVG images with
//! scripts, archives.

use super::{Match, archive, script, svg};
use crate::file_type::{self, FileGroup, FileType};
use shared::{AttackType, Severity::High};
use std::ops::Range;

pub(super) fn detect(content: &[u8]) -> Option<Match<'static>> {
    if file_type::is_zip(content) {
        return archive::detect(content);
    }
    let start = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content).trim_ascii_start();
    let (attack_type, signature, span) = match FileType::by_magic_number(start) {
        Some(FileType { group: FileGroup::Image, .. }) => image(content)?,
        Some(FileType { name: "php" | "jsp" | "pdf", .. }) => shell(content)?,
        None if start.starts_with(b"<") && FileType::of(content).is_svg() => {
            (AttackType::Xss, "xss-upload-svg", svg::active_part(content)?)
        }
        _ => return None,
    };
    Some(Match { attack_type, signature, severity: High, span })
}

type Found = (AttackType, &'static str, Range<usize>);

fn shell(content: &[u8]) -> Option<Found> {
    Some((AttackType::Rce, "rce-upload-webshell", script::web_shell(content)?))
}

/// Code or markup inside of an image. Servers run the code if they are made to include the image;
/// browsers render the markup if they are made to guess the type.
fn image(content: &[u8]) -> Option<Found> {
    memchr::memchr_iter(b'<', content).find_map(|at| {
        let rest = &content[at..];
        let starts = |tag: &[u8]| rest.get(..tag.len()).is_some_and(|it| it.eq_ignore_ascii_case(tag));
        let found = |length: usize| at..at + length;
        if script::is_opened(rest) {
            return Some((AttackType::Rce, "rce-upload-polyglot", found(script::shown(rest))));
        }
        let ends_name =
            |length: usize| matches!(rest.get(length), Some(b' ' | b'\t' | b'\r' | b'\n' | b'/' | b'>'));
        let tag =
            [&b"<script"[..], b"<iframe"].into_iter().find(|tag| starts(tag) && ends_name(tag.len()))?;
        Some((AttackType::Xss, "xss-upload-polyglot", found(tag.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature_of(content: &[u8]) -> Option<&'static str> {
        detect(content).map(|it| it.signature)
    }

    /// A picture of bytes as they are after compression.
    fn picture(start: &[u8], inside: &[u8]) -> Vec<u8> {
        let mut state: u32 = 1;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        let noise: Vec<u8> = noise.take(200_000).collect();
        [start, &noise, inside, &noise].concat()
    }

    #[test]
    fn finds_code_and_markup_inside_of_images() {
        for start in [b"\xFF\xD8\xFF\xE0".as_slice(), b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0"] {
            for code in [
                "<?php system('id');",
                "<?=`$_GET[0]`?>",
                "<%@ page import=\"java.io.*\" %>",
                "<jsp:scriptlet>",
            ] {
                assert_eq!(
                    signature_of(&picture(start, code.as_bytes())),
                    Some("rce-upload-polyglot"),
                    "{code}"
                );
            }
            assert_eq!(signature_of(&picture(start, b"<ScRipt>alert(1)")), Some("xss-upload-polyglot"));
            assert_eq!(signature_of(&picture(start, b"")), None);
        }
    }

    #[test]
    fn passes_metadata_of_images() {
        let packet =
            b"<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
            <rdf:Description xmlns:xmpScript='x'/></x:xmpmeta><?xpacket end='w'?>";
        assert_eq!(signature_of(&picture(b"\xFF\xD8\xFF\xE1", packet)), None);
    }

    #[test]
    fn a_script_is_a_web_shell_by_its_content() {
        assert_eq!(signature_of(b"\n<?php @eval($_POST['x']);"), Some("rce-upload-webshell"));
        assert_eq!(signature_of(b"%PDF-1.4\n%<?php system($_GET['c']); ?>"), Some("rce-upload-webshell"));
        assert_eq!(signature_of(b"<?php echo date('Y');"), None);
        assert_eq!(signature_of(b"To test it, save `<?php @eval($_POST['x']);` as a file."), None);
    }
}
