//! Path segments, separated by either slash.

mod lenient;
mod location;
mod steps;

pub(crate) use location::{Location, Root};
pub(crate) use steps::{opens_with_odd_step, repeats_step};

use std::ops::Range;

/// A path without blanks or quotes, and its movement in the directory tree.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Climb {
    pub span: Range<usize>,
    /// Steps to a parent.
    pub climbs: usize,
    /// The highest level above the start.
    pub above: usize,
}

/// The paths of a value that contain a step to a parent.
pub(crate) fn climbing(value: &[u8]) -> Vec<Climb> {
    let mut paths = Vec::new();
    let mut start = 0;
    for run in value.split(|byte| ends_run(*byte)) {
        let spelled = lenient::read(run);
        let plain = spelled.as_deref().unwrap_or(run);
        if memchr::memmem::find(plain, b"..").is_some() {
            let (climbs, above) = walk(plain);
            paths.extend((climbs > 0).then(|| Climb { span: start..start + run.len(), climbs, above }));
        }
        start += run.len() + 1;
    }
    paths
}

fn ends_run(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b'(' | b')' | b',' | b'=' | b'?' | b'&')
}

/// The number of steps to a parent, and the highest level above the start.
fn walk(run: &[u8]) -> (usize, usize) {
    let (mut depth, mut lowest, mut climbs) = (0_isize, 0_isize, 0);
    for segment in run.split(|&byte| byte == b'/' || byte == b'\\') {
        if is_parent(segment) && segment.len() < run.len() {
            depth -= 1;
            climbs += 1;
        } else if !segment.is_empty() && segment != b"." && !matches!(segment, [_, b':']) {
            depth += 1;
        }
        lowest = lowest.min(depth);
    }
    (climbs, lowest.unsigned_abs())
}

/// `..` and spellings that servers or simple filters turn into it: `..;`, `...`, `....` before two
/// slashes, five before three.
fn is_parent(segment: &[u8]) -> bool {
    let dots = segment.strip_suffix(b";").unwrap_or(segment);
    (2..=5).contains(&dots.len()) && dots.iter().all(|&byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(value: &str) -> Vec<(usize, usize)> {
        climbing(value.as_bytes()).iter().map(|walk| (walk.climbs, walk.above)).collect()
    }

    #[test]
    fn counts_climbs_with_either_slash() {
        assert_eq!(shape("../../etc"), [(2, 2)]);
        assert_eq!(shape(r"..\..\windows"), [(2, 2)]);
        assert_eq!(shape("....//....//etc"), [(2, 2)]);
        assert_eq!(shape("/..;/..;/manager"), [(2, 2)]);
        assert_eq!(shape("/0x2e0x2e0x2f0x2E0x2E0x5cx"), [(2, 2)]);
    }

    #[test]
    fn recognizes_walks_that_stay_below_their_start() {
        assert_eq!(shape("/a/b/../c"), [(1, 0)]);
    }

    #[test]
    fn ignores_dots_of_prose() {
        assert_eq!(shape("well.. maybe... 1..10 a..b/c"), []);
        assert_eq!(shape("HEAD...main"), []);
    }

    #[test]
    fn returns_each_walk_with_its_span() {
        let walks = climbing(b"see ../a and ../../b");
        assert_eq!(walks.iter().map(|it| it.span.clone()).collect::<Vec<_>>(), [4..8, 13..20]);
    }
}
