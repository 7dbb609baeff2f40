//! Pages of lists, the newest items first, with opaque cursors.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Serialize;

/// The requested part of a list.
#[derive(Debug, Clone)]
pub struct Slice {
    pub limit: u32,
    /// The last item of the previous page.
    pub after: Option<Cursor>,
}

impl Slice {
    pub const DEFAULT_LIMIT: u32 = 50;
    pub const MAX_LIMIT: u32 = 200;

    /// The position and id, as stored, that items must follow.
    pub fn bounds(&self) -> Option<(i64, &str)> {
        self.after.as_ref().map(|after| (after.position, after.id.as_str()))
    }
}

impl Default for Slice {
    fn default() -> Self {
        Self { limit: Self::DEFAULT_LIMIT, after: None }
    }
}

/// A position in a list. Opaque to clients, so that its encoding can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The order of the list: a cursor of another order is invalid.
    pub list: String,
    /// The sort key: milliseconds, or a number.
    pub position: i64,
    /// The tie-breaker.
    pub id: String,
}

impl Cursor {
    pub fn parse(text: &str) -> Option<Self> {
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut parts = decoded.splitn(3, ':');
        let (list, position, id) = (parts.next()?, parts.next()?, parts.next()?);
        let cursor = Self { list: list.to_owned(), position: position.parse().ok()?, id: id.to_owned() };
        Some(cursor).filter(|cursor| !cursor.id.contains('\0'))
    }

    /// A position in a list sorted by time.
    pub fn at(time: Timestamp, id: &impl ToString) -> Self {
        Self { list: String::new(), position: time.as_millisecond(), id: id.to_string() }
    }

    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}:{}", self.list, self.position, self.id))
    }
}

/// An item of a list.
pub trait Listed {
    fn cursor(&self) -> Cursor;
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next_cursor: Option<String>,
}

impl<T: Listed> Page<T> {
    /// An item beyond the limit means that there is a next page.
    pub fn cut(items: Vec<T>, limit: u32) -> Self {
        Self::cut_at(items, limit, Listed::cursor)
    }
}

impl<T> Page<T> {
    /// The page with each item replaced.
    pub fn map<U>(self, item: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(item).collect(), next_cursor: self.next_cursor }
    }

    /// The same, for a list with a selectable order.
    pub fn cut_at(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = limit as usize;
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|item| cursor(item).encode());
        Self { items, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips() {
        let cursor = Cursor { list: "-hits".to_owned(), position: -5, id: "a:b".to_owned() };
        assert_eq!(Cursor::parse(&cursor.encode()), Some(cursor));
        assert_eq!(Cursor::parse("%%%"), None);
    }
}
