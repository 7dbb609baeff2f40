//! Internal entities of an XML document: their values, and the length to which they would expand.

use std::collections::HashMap;

/// An entity that expands beyond this is a bomb; benign documents declare a few words.
const MAX_GROWTH: usize = 64 << 10;
/// A text whose entities expand beyond this is a bomb.
const MAX_TEXT_GROWTH: usize = 8 << 20;
/// Further entities are inspected but not expanded; if one of them references others, it is a bomb.
const MAX_KEPT: usize = 64;
/// The most bytes of a text with its entities expanded.
const MAX_TEXT: usize = 8 << 20;

/// The same, if they are a bomb.
const MAX_BOMB_TEXT: usize = 64 << 10;

/// The error for entities that multiply or contain themselves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bomb;

struct Entity {
    value: Vec<u8>,
    /// The entities it references, with their counts.
    references: HashMap<Vec<u8>, usize>,
}

#[derive(Default)]
pub(super) struct Entities {
    known: HashMap<Vec<u8>, Entity>,
    /// The lengths of the values, fully expanded.
    grown: HashMap<Vec<u8>, usize>,
    is_bomb: bool,
}

impl Entities {
    /// Records `<!ENTITY name "value">`. External entities are ignored.
    pub(super) fn declare(&mut self, declaration: &[u8]) -> Result<(), Bomb> {
        let declared = self.add(declaration);
        self.is_bomb |= declared.is_err();
        declared
    }

    fn add(&mut self, declaration: &[u8]) -> Result<(), Bomb> {
        let Some((name, value)) = parse_entity(declaration) else { return Ok(()) };
        let mut references: HashMap<Vec<u8>, usize> = HashMap::new();
        for reference in references_in(value) {
            *references.entry(reference.to_vec()).or_default() += 1;
        }
        if self.known.contains_key(name) {
            return Ok(());
        }
        if self.known.len() >= MAX_KEPT {
            return if references.is_empty() { Ok(()) } else { Err(Bomb) };
        }
        self.known.insert(name.to_vec(), Entity { value: value.to_vec(), references });
        self.measure()
    }

    /// Whether a text would expand beyond the limit.
    pub(super) fn burst(&self, text: &[u8]) -> bool {
        let lengths = references_in(text).map(|name| self.grown.get(name).copied().unwrap_or(0));
        !self.grown.is_empty() && lengths.fold(0, usize::saturating_add) > MAX_TEXT_GROWTH
    }

    /// Computes the expanded lengths anew: entities may reference others that are declared later.
    fn measure(&mut self) -> Result<(), Bomb> {
        let mut grown = HashMap::new();
        for name in self.known.keys() {
            self.grow(name, MAX_KEPT, &mut grown)?;
        }
        self.grown = grown.into_iter().map(|(name, length)| (name.to_vec(), length)).collect();
        Ok(())
    }

    /// The expanded length of an entity. A chain longer than the number of entities is a cycle.
    fn grow<'e>(
        &'e self,
        name: &'e [u8],
        depth: usize,
        grown: &mut HashMap<&'e [u8], usize>,
    ) -> Result<usize, Bomb> {
        if let Some(length) = grown.get(name) {
            return Ok(*length);
        }
        let Some(entity) = self.known.get(name) else { return Ok(0) };
        let depth = depth.checked_sub(1).ok_or(Bomb)?;
        let mut length = entity.value.len();
        for (inner, count) in &entity.references {
            length = length.saturating_add(self.grow(inner, depth, grown)?.saturating_mul(*count));
        }
        // A single long entity does not multiply.
        if entity.references.values().sum::<usize>() > 1 && length > MAX_GROWTH {
            return Err(Bomb);
        }
        grown.insert(name, length);
        Ok(length)
    }

    /// A text with its entities replaced once; `None` when it has none.
    pub(super) fn expand(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.known.is_empty() || text.len() > MAX_TEXT {
            return None;
        }
        memchr::memchr(b'&', text)?;
        let most = if self.is_bomb || self.burst(text) { MAX_BOMB_TEXT } else { MAX_TEXT };
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = memchr::memchr(b'&', rest) {
            out.extend_from_slice(&rest[..at]);
            let name = reference(&rest[at..]);
            let entity = name.and_then(|name| Some((name, self.known.get(name)?)));
            let fits = |(_, entity): &(&[u8], &Entity)| out.len() + entity.value.len() <= most;
            if let Some((name, entity)) = entity.filter(fits) {
                out.extend_from_slice(&entity.value);
                rest = &rest[at + name.len() + 2..];
            } else {
                out.push(b'&');
                rest = &rest[at + 1..];
            }
        }
        out.extend_from_slice(rest);
        Some(out)
    }
}

/// Name and value of an internal entity, general or parameter.
fn parse_entity(declaration: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = declaration.get(8..)?.trim_ascii_start();
    let rest = rest.strip_prefix(b"%").unwrap_or(rest).trim_ascii_start();
    let name = &rest[..rest.iter().position(u8::is_ascii_whitespace)?];
    let value = rest[name.len()..].trim_ascii_start();
    let quote = value.first().copied().filter(|it| matches!(it, b'"' | b'\''))?;
    let value = &value[1..];
    Some((name, &value[..memchr::memchr(quote, value).unwrap_or(value.len())]))
}

/// The names in `&name;` and `%name;`.
fn references_in(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr::memchr2_iter(b'&', b'%', value).filter_map(|at| reference(&value[at..]))
}

/// The name of the reference that starts here.
fn reference(value: &[u8]) -> Option<&[u8]> {
    let name = value.get(1..)?;
    let end = name.iter().take(64).position(|&byte| byte == b';').filter(|end| *end > 0)?;
    Some(&name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_expanded_in_texts() {
        let mut entities = Entities::default();
        assert_eq!(entities.declare(b"<!ENTITY a \"uni\">"), Ok(()));
        assert_eq!(entities.declare(b"<!ENTITY b 'on'>"), Ok(()));
        assert_eq!(entities.declare(b"<!ENTITY c SYSTEM 'file:///x'>"), Ok(()));
        assert_eq!(
            entities.expand(b"&a;&b; &c; &lt; & x").as_deref(),
            Some(b"union &c; &lt; & x".as_slice())
        );
        assert_eq!(entities.expand(b"plain"), None);
        let long = format!("{}&a;", "word ".repeat(10_000));
        assert_eq!(entities.expand(long.as_bytes()).map(|text| text.len()), Some(50_003));
    }

    #[test]
    fn entities_that_multiply_are_bombs() {
        let mut entities = Entities::default();
        let mut outcome = entities.declare(b"<!ENTITY a0 \"lollollol\">");
        for level in 1..10 {
            let inner = format!("&a{};", level - 1).repeat(10);
            outcome = outcome.and(entities.declare(format!("<!ENTITY a{level} \"{inner}\">").as_bytes()));
        }
        assert_eq!(outcome, Err(Bomb));
        assert_eq!(Entities::default().declare(b"<!ENTITY x \"&x;\">"), Err(Bomb));
    }

    #[test]
    fn bombs_are_detected_in_any_order_of_declarations() {
        let mut entities = Entities::default();
        assert_eq!(entities.declare(b"<!ENTITY a '&b;'>"), Ok(()));
        assert_eq!(entities.declare(b"<!ENTITY b '&a;'>"), Err(Bomb));
        let mut entities = Entities::default();
        let mut outcome = Ok(());
        for level in 0..10 {
            let inner = format!("&a{};", level + 1).repeat(10);
            outcome = outcome.and(entities.declare(format!("<!ENTITY a{level} \"{inner}\">").as_bytes()));
        }
        assert_eq!(outcome, Err(Bomb));
    }

    #[test]
    fn many_references_to_a_long_entity_are_a_bomb() {
        let mut entities = Entities::default();
        let long = format!("<!ENTITY x \"{}\">", "x".repeat(50_000));
        assert_eq!(entities.declare(long.as_bytes()), Ok(()));
        assert!(!entities.burst(b"&x; and &x;"));
        assert!(entities.burst("&x;".repeat(1_000).as_bytes()));
    }

    #[test]
    fn a_single_long_entity_is_not_a_bomb() {
        let long = format!("<!ENTITY x \"{}\">", "text ".repeat(40_000));
        assert_eq!(Entities::default().declare(long.as_bytes()), Ok(()));
    }
}
