use super::*;
use shared::AttackType;

fn finding(attack_type: AttackType, severity: Severity) -> Finding {
    Finding {
        attack_type,
        point: Point::uri(),
        signature: "test".to_owned(),
        class: None,
        severity,
        payload: String::new(),
        span: (0, 0),
        decoded: Vec::new(),
        score: Vec::new(),
    }
}

#[test]
fn keeps_the_strongest_findings_and_one_of_each_type() {
    let scored = |points, it: Finding| Finding { score: vec![ScorePart::new(points, "test")], ..it };
    let weak = scored(1, finding(AttackType::Sqli, Severity::Critical));
    let strong = scored(7, finding(AttackType::Sqli, Severity::Medium));
    let other = scored(0, finding(AttackType::Scanner, Severity::Low));
    let many = std::iter::repeat_n(weak, 100);
    let kept = strongest(many.chain([other.clone(), strong.clone()]).collect());
    assert_eq!(kept.len(), MAX_FINDINGS + 1);
    assert_eq!(kept[0].severity, Severity::Critical);
    assert_eq!(kept[MAX_FINDINGS - 1..], [strong, other]);
}

#[test]
fn a_segment_keeps_a_finding_stronger_than_that_of_the_path() {
    let scored = |points, point| Finding {
        score: vec![ScorePart::new(points, "test")],
        point,
        ..finding(AttackType::Sqli, Severity::High)
    };
    let segment = || Point::new(Tag::Path);
    let mut of_path = Vec::new();
    deduplicate_path(&mut vec![scored(5, Point::uri())], &mut of_path);
    let mut findings = vec![scored(5, segment()), scored(7, segment())];
    deduplicate_path(&mut findings, &mut of_path);
    assert_eq!(findings, [scored(7, segment())]);
}

#[test]
fn files_are_media_by_their_magic_number() {
    let noise: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    for magic in [b"\x89PNG\r\n\x1a\n".as_slice(), b"PK\x03\x04", b"\x1F\x8B\x08"] {
        assert!(is_media(&[magic, &noise].concat()));
    }
    for other in [b"".as_slice(), b"<?php", b"#!"] {
        assert!(!is_media(&[other, &noise].concat()));
    }
    assert!(!is_media(&[b"GIF89a".as_slice(), &"x".repeat(20_000).into_bytes()].concat()));
}
