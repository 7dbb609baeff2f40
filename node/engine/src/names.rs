//! Lists of names that most names are not on: told at once, by length and first letter.

/// Names in lower case.
pub(crate) struct Names {
    names: &'static [&'static str],
    /// For each length the first letters that occur.
    letters: [u32; Self::LENGTHS],
}

impl Names {
    const LENGTHS: usize = 64;

    pub(crate) const fn new(names: &'static [&'static str]) -> Self {
        let mut letters = [0; Self::LENGTHS];
        let mut at = 0;
        while at < names.len() {
            let name = names[at].as_bytes();
            letters[name.len()] |= Self::letter(name[0]);
            at += 1;
        }
        Self { names, letters }
    }

    /// Whether a name in any case is one of these.
    pub(crate) fn contains(&self, name: impl AsRef<[u8]>) -> bool {
        let name = name.as_ref();
        let Some(&first) = name.first() else { return false };
        let letters = self.letters.get(name.len()).copied().unwrap_or_default();
        letters & Self::letter(first) != 0
            && self.names.iter().any(|it| name.eq_ignore_ascii_case(it.as_bytes()))
    }

    /// Bit of a letter in either case.
    const fn letter(byte: u8) -> u32 {
        1 << (byte & 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_any_case() {
        static NAMES: Names = Names::new(&["url", "callback"]);
        assert!(NAMES.contains("url") && NAMES.contains("CallBack"));
        for name in ["", "ur", "urx", "uri", "cal1back", &"u".repeat(99)] {
            assert!(!NAMES.contains(name), "{name}");
        }
    }
}
