//! Python literals: the only values of parameters. A value that Python would compute is code, and
//! would run in the function that it is carried over to.

/// The length of a literal up to the end of its line: a text in quotes, a whole number, `True`,
/// `False` or `None`, then nothing or a comment. `None` for anything else.
pub(super) fn length(text: &str) -> Option<usize> {
    let literal = word(text).or_else(|| number(text)).or_else(|| quoted(text))?;
    let line = text[literal..].split_inclusive('\n').next().unwrap_or_default();
    let content = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    let after = content.trim_start_matches([' ', '\t']);
    // Python also ends a line, and thus a comment, at a carriage return.
    let is_comment = after.starts_with('#') && !after.contains(|it: char| it.is_control() && it != '\t');
    (after.is_empty() || is_comment).then_some(literal + line.len())
}

fn word(text: &str) -> Option<usize> {
    let word = ["True", "False", "None"].into_iter().find(|word| text.starts_with(word))?;
    Some(word.len())
}

/// Python compiles no number of more than 4,300 digits, and no parameter has more than 20.
fn number(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'_').count();
    ((1..=20).contains(&digits) && text.as_bytes()[0] != b'_').then_some(digits)
}

/// A text in single or triple quotes, possibly raw. Formatted texts are code.
fn quoted(text: &str) -> Option<usize> {
    let prefix = usize::from(text.starts_with(['r', 'R', 'u', 'U']));
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|it| text[prefix..].starts_with(it))?;
    let (bytes, spans_lines) = (text.as_bytes(), quotes.len() == 3);
    let mut at = prefix + quotes.len();
    while !bytes.get(at..)?.starts_with(quotes.as_bytes()) {
        at += match bytes.get(at)? {
            b'\n' | b'\r' if spans_lines => 1,
            b'\t' => 1,
            byte if *byte < b' ' => return None,
            b'\\' if *bytes.get(at + 1)? < b' ' && !spans_lines => return None,
            b'\\' => 2,
            _ => 1,
        };
    }
    Some(at + quotes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_literal_ends_with_its_line() {
        for literal in [
            "\"a\"\n",
            "'a'  # ours\n",
            "r'\\d'\n",
            "\"\\\"\"\r\n",
            "12\n",
            "1_000 # ms\n",
            "None\n",
            "True",
            "''\n",
            "\"\"\"\nPEM = x\n\"\"\"\n",
            "'''a' b'''  # two\tquotes\n",
            "\"π — …\"\n",
        ] {
            let text = format!("{literal}{}", if literal.ends_with('\n') { "import os\n" } else { "" });
            assert_eq!(length(&text), Some(literal.len()), "{literal:?}");
        }
    }

    #[test]
    fn code_is_no_literal() {
        for code in [
            "__import__('os').system('id')\n",
            "'a' + __import__('os').name\n",
            "'a'; import os\n",
            "'a' 'b'\n",
            "f'{open(0)}'\n",
            "123456789012345678901\n",
            "b'a'\n",
            "\"\"\"a\"\"\"; import os\n",
            "\"\"\"a\"\"\".format(os)\n",
            "'a' # comment\rimport os\n",
            "1 # comment\u{c}\rimport os\n",
            "1 if x else 2\n",
            "Nonesuch()\n",
            "True and x\n",
            "12j\n",
            "_\n",
            "-1\n",
            "(\n  'a'\n)\n",
            "[1]\n",
            "'never closed\n'\n",
            "'continued \\\n'\n",
            "'''never closed\n",
            "'\0'\n",
            "",
            "\n",
        ] {
            assert_eq!(length(code), None, "{code:?}");
        }
    }

    proptest! {
        #[test]
        fn every_json_text_is_a_literal(text: String) {
            let literal = super::super::launcher::python_string(&text);
            prop_assert_eq!(length(&format!("{literal}\nx")), Some(literal.len() + 1));
        }

        #[test]
        fn any_text_is_read_to_a_boundary(text in "['\"\\\\rn1#\\r\\n ;é]{0,20}") {
            let end = length(&text).unwrap_or_default();
            prop_assert!(text.is_char_boundary(end));
        }
    }
}
