//! Invisible characters: those that change the direction of text, have no width, or look like
//! nothing. They hide parts of a name or a payload, or make it read as another one.

/// Whether a character is invisible. Tabs, line breaks and spaces of any width are not.
pub(crate) fn is_invisible(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_that_cannot_be_seen_are_invisible() {
        for character in "\u{202e}\u{2066}\u{200b}\u{feff}\u{ad}\0\u{7f}\u{85}\u{e0041}\u{3164}".chars() {
            assert!(is_invisible(character), "{character:?}");
        }
        for character in "aZ 0\u{a0}\u{3000}é漢א🦀\t\r\n\u{fffd}\u{301}".chars() {
            assert!(!is_invisible(character), "{character:?}");
        }
    }
}
