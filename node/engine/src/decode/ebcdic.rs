//! EBCDIC decoder. Some servers decode it if a content type or a document declares it.

use super::percent;

/// The ASCII characters of the bytes from 0x40 on that all code pages share, in rows of 32; `?` for
/// others.
const LETTERS: [[u8; 32]; 6] = [
    *b" ??????????.<(+?&???????????*);?",
    *b"-/?????????,%_>???????????:??'=?",
    *b"?abcdefghi???????jklmnopqr??????",
    *b"??stuvwxyz??????????????????????",
    *b"?ABCDEFGHI???????JKLMNOPQR??????",
    *b"??STUVWXYZ??????0123456789??????",
];

/// Code pages with the same ASCII characters beside the shared ones.
#[derive(Debug)]
pub(super) struct Page {
    numbers: &'static [u16],
    bytes: &'static [u8],
    letters: &'static [u8],
}

/// The code pages of glibc (875: of Java and Python), without 290, 930 and 1390, whose letters are
/// elsewhere.
#[rustfmt::skip]
const PAGES: &[Page] = &[
    Page { numbers: &[37, 424, 937, 1112, 1140, 1156, 1371, 12712], bytes: b"\x4F\x5A\x5B\x79\x7B\x7C\x7F\xA1\xB0\xBA\xBB\xC0\xD0\xE0", letters: b"|!$`#@\"~^[]{}\\" },
    Page { numbers: &[273, 1141], bytes: b"\x43\x4F\x59\x5B\x5F\x63\x79\x7B\x7F\xB5\xBB\xDC\xEC\xFC", letters: b"{!~$^[`#\"@|}\\]" },
    Page { numbers: &[274], bytes: b"\x4A\x4F\x5A\x5B\x5F\x79\x7B\x7F", letters: b"[!]$^`#\"" },
    Page { numbers: &[275], bytes: b"\x4F\x5A\x5F\x7F\xA1\xE0", letters: b"!$^\"~\\" },
    Page { numbers: &[277, 1142], bytes: b"\x47\x4A\x4F\x5F\x67\x79\x7F\x80\x9C\x9E\x9F\xBB\xDC\xE0", letters: b"}#!^$`\"@{[]|~\\" },
    Page { numbers: &[278], bytes: b"\x43\x47\x4F\x51\x5F\x63\x67\x7F\x9F\xB5\xBB\xDC\xE0\xEC", letters: b"{}!`^#$\"][|~\\@" },
    Page { numbers: &[280, 1144], bytes: b"\x44\x48\x4F\x51\x54\x58\x5B\x5F\x7F\x90\xB1\xB5\xBB\xDD", letters: b"{\\!]}~$^\"[#@|`" },
    Page { numbers: &[281], bytes: b"\x4F\x5A\x79\x7B\x7C\x7F\xC0\xD0\xE0", letters: b"|!`#@\"{}$" },
    Page { numbers: &[284, 1145], bytes: b"\x4A\x4F\x5A\x5B\x69\x79\x7C\x7F\xBA\xBB\xBD\xC0\xD0\xE0", letters: b"[|]$#`@\"^!~{}\\" },
    Page { numbers: &[285, 1146], bytes: b"\x4A\x4F\x5A\x79\x7B\x7C\x7F\xB1\xBA\xBB\xBC\xC0\xD0\xE0", letters: b"$|!`#@\"[^]~{}\\" },
    Page { numbers: &[297, 1147], bytes: b"\x44\x48\x4F\x51\x54\x5B\x5F\x7F\x90\xA0\xB1\xB5\xBB\xBD", letters: b"@\\!{}$^\"[`#]|~" },
    Page { numbers: &[420, 16804], bytes: b"\x4F\x5A\x5B\x7B\x7C\x7F", letters: b"|!$#@\"" },
    Page { numbers: &[423], bytes: b"\x4A\x4F\x5A\x5B\x5F\x79\x7F", letters: b"[!]$^`\"" },
    Page { numbers: &[256, 500, 1130, 1148, 1164], bytes: b"\x4A\x4F\x5A\x5B\x5F\x79\x7B\x7C\x7F\xA1\xBB\xC0\xD0\xE0", letters: b"[!]$^`#@\"~|{}\\" },
    Page { numbers: &[870, 875, 1025, 1123, 1153, 1154, 1158, 1166, 4971], bytes: b"\x4A\x4F\x5A\x5B\x5F\x6A\x79\x7B\x7C\x7F\xA1\xC0\xD0\xE0", letters: b"[!]$^|`#@\"~{}\\" },
    Page { numbers: &[871, 1149], bytes: b"\x4F\x5B\x7B\x7F\x8C\x8E\x9C\x9E\xAC\xAE\xBB\xBE\xCC\xEC", letters: b"!$#\"`{}]@[|\\~^" },
    Page { numbers: &[38], bytes: b"\x4A\x4F\x5A\x5B\x5F\x79\x7B\x7C\x7F\xA1\xC0\xD0\xE0", letters: b"[!]$^`#@\"~{}\\" },
    Page { numbers: &[880], bytes: b"\x4A\x4F\x5A\x5B\x5F\x7B\x7C\x7F\xE0", letters: b"[!]$^#@\"\\" },
    Page { numbers: &[905], bytes: b"\x48\x4F\x5F\x68\x8F\xAF\xB3\xB6\xB9\xCC\xDA\xDC\xEC\xFC", letters: b"{!^[|@}]$~`\\#\"" },
    Page { numbers: &[918], bytes: b"\x4A\x4F\x5A\x5B\x5F\x6A\x7B\x7C\x7F\xA1\xBB\xC0\xD0\xE0", letters: b"[!]$^`#@\"~|{}\\" },
    Page { numbers: &[933, 1364], bytes: b"\x4F\x5A\x5B\x70\x79\x7B\x7C\x7F\x80\xA1\xB0\xB2\xC0\xD0", letters: b"|!$[`#@\"]~^\\{}" },
    Page { numbers: &[1026, 1155], bytes: b"\x48\x4F\x5F\x68\x8C\x8D\xAC\xAD\xAE\xBB\xCC\xDC\xEC\xFC", letters: b"{!^[}`]$@|~\\#\"" },
    Page { numbers: &[1047], bytes: b"\x4F\x5A\x5B\x5F\x79\x7B\x7C\x7F\xA1\xAD\xBD\xC0\xD0\xE0", letters: b"|!$^`#@\"~[]{}\\" },
    Page { numbers: &[1122, 1143, 1157], bytes: b"\x43\x47\x4F\x51\x5F\x63\x67\x71\x7F\x9F\xB5\xBB\xDC\xEC", letters: b"{}!`^#$\\\"][|~@" },
    Page { numbers: &[1160, 9030], bytes: b"\x49\x4F\x59\x5A\x5B\x69\x79\x7B\x7C\x7F\xA1\xC0\xD0\xE0", letters: b"[|]!$^`#@\"~{}\\" },
    Page { numbers: &[935, 1388], bytes: b"\x4F\x5A\x79\x7B\x7C\x7F\xA0\xB0\xB2\xBA\xBB\xC0\xD0\xE0", letters: b"|!`#@\"~^\\[]{}$" },
    Page { numbers: &[939, 1399], bytes: b"\x4F\x5A\x5B\x79\x7B\x7C\x7F\xA1\xAD\xB0\xBD\xC0\xD0\xE0", letters: b"|!$`#@\"~[^]{}\\" },
];

impl Page {
    /// The code page of a label such as `ibm037`, `cp1047`, `x-ibm01140` or `ebcdic-cp-37`.
    pub(super) fn named(label: &str) -> Option<&'static Self> {
        let is_family = ["ibm", "cp", "ccsid", "ebcdic"].iter().any(|it| label.contains(it));
        let digits = label.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
        let number = digits.get(..end).filter(|_| is_family)?.parse().ok()?;
        PAGES.iter().find(|page| page.numbers.contains(&number))
    }

    /// The page in which a declaration can be read that names the page.
    pub(super) fn common() -> Option<&'static Self> {
        PAGES.first()
    }

    /// Decodes to ASCII. In forms the bytes may be percent-encoded, between ASCII separators.
    pub(super) fn read(&self, bytes: &[u8]) -> Vec<u8> {
        let table = self.table();
        let is_form = bytes.contains(&b'%') && bytes.contains(&b'=');
        if is_form {
            let pairs = bytes.split(|&byte| byte == b'&').map(|pair| {
                let sides = pair.splitn(2, |&byte| byte == b'=').map(|it| side(it, &table));
                sides.collect::<Vec<_>>().join(&b'=')
            });
            return pairs.collect::<Vec<_>>().join(&b'&');
        }
        bytes.iter().map(|&byte| table[usize::from(byte)]).collect()
    }

    fn table(&self) -> [u8; 256] {
        let mut table = [b' '; 256];
        for (letter, shared) in table.iter_mut().skip(0x40).zip(LETTERS.as_flattened()) {
            *letter = *shared;
        }
        let controls = [(0x05, b'\t'), (0x0D, b'\r'), (0x15, b'\n'), (0x25, b'\n')];
        let own = self.bytes.iter().copied().zip(self.letters.iter().copied());
        for (byte, letter) in own.chain(controls) {
            table[usize::from(byte)] = letter;
        }
        table
    }
}

/// Decodes a name or a value of a form; decoded separators are percent-encoded again.
fn side(side: &[u8], table: &[u8; 256]) -> Vec<u8> {
    let Some(raw) = percent::decode(side) else { return side.to_vec() };
    let escaped = raw.into_iter().map(|byte| table[usize::from(byte)]).flat_map(|byte| match byte {
        b'%' => b"%25".to_vec(),
        b'&' => b"%26".to_vec(),
        b'+' => b"%2B".to_vec(),
        other => vec![other],
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(label: &str, bytes: &[u8]) -> String {
        String::from_utf8(Page::named(label).unwrap().read(bytes)).unwrap()
    }

    #[test]
    fn plain_text_and_forms_are_decoded() {
        assert_eq!(read("ibm037", b"\x4c\xa2\x83\x99\x89\x97\xa3\x6e"), "<script>");
        assert_eq!(read("ibm037", b"%89%84=%F1%40%96%99%40%F1%7E%F1&%50=%6C"), "id=1 or 1=1&%26=%25");
    }

    #[test]
    fn code_pages_differ_in_punctuation() {
        for (label, braces) in [
            ("cp037", b"\xC0\xF7\xD0\x5B\x7B\x7C\x4F\xE0"),
            ("ibm273", b"\x43\xF7\xDC\x5B\x7B\xB5\xBB\xEC"),
            ("ibm424", b"\xC0\xF7\xD0\x5B\x7B\x7C\x4F\xE0"),
            ("x-cp875", b"\xC0\xF7\xD0\x5B\x7B\x7C\x6A\xE0"),
            ("cp1026", b"\x48\xF7\x8C\xAD\xEC\xAE\xBB\xDC"),
        ] {
            assert_eq!(read(label, braces), "{7}$#@|\\", "{label}");
        }
    }

    #[test]
    fn labels_name_a_code_page_by_its_number() {
        for label in ["ibm037", "cp37", "ibm500", "ebcdic-cp-037", "ibm1047", "csibm273", "ibm01140"] {
            assert!(Page::named(label).is_some(), "{label}");
        }
        for label in ["utf-8", "ibm866", "iso-8859-1", "037", "cp1252", "ibm290"] {
            assert!(Page::named(label).is_none(), "{label}");
        }
    }
}
