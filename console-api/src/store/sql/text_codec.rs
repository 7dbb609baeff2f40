//! Text codec: how enums, values and texts are stored as text.

use serde::Serialize;
use std::iter;

/// An enum as its serialized name.
pub(crate) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("only enums that serialize as a string are stored as a word"),
    }
}

/// A value as JSON. It escapes control characters, so texts in it need no encoding as [`Text`].
pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("wire types have text keys and finite numbers")
}

/// Text from a request. PostgreSQL's text has no NUL, so NUL is stored escaped.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub(crate) struct Text(String);

/// The escape character, a rare control character: followed by `0` it is NUL, doubled it is itself.
const ESCAPE: char = '\u{1a}';

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        if text.contains(['\0', ESCAPE]) {
            Self(text.replace(ESCAPE, "\u{1a}\u{1a}").replace('\0', "\u{1a}0"))
        } else {
            Self(text.to_owned())
        }
    }
}

impl Text {
    /// The encoded text.
    pub(crate) fn stored(&self) -> &str {
        &self.0
    }
}

impl From<Text> for String {
    fn from(Text(stored): Text) -> Self {
        if !stored.contains(ESCAPE) {
            return stored;
        }
        let mut rest = stored.chars();
        iter::from_fn(|| match rest.next()? {
            ESCAPE => rest.next().map(|escaped| if escaped == '0' { '\0' } else { escaped }),
            character => Some(character),
        })
        .collect()
    }
}

/// A count or size; SQL has no unsigned numbers.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn text_round_trips_without_nul(text in "[\\x00\\x1a0a🦀]{0,8}") {
            let stored = Text::from(text.as_str());
            prop_assert!(!stored.0.contains('\0'));
            prop_assert_eq!(String::from(stored), text);
        }
    }
}
