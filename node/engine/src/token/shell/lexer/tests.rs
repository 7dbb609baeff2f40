use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;

/// `Lead:word word, …`
fn spell(value: &str) -> String {
    let spell = |it: &Command| {
        let words = it.words.iter().map(|word| String::from_utf8_lossy(&word.text).into_owned());
        format!("{:?}:{}", it.lead, words.collect::<Vec<_>>().join(" "))
    };
    commands(value.as_bytes(), 0).iter().map(spell).collect::<Vec<_>>().join(", ")
}

#[test]
fn splits_at_separators() {
    assert_snapshot!(spell("a;id|b&&c d||e & f\ng"), @"Start:a, Semicolon:id, Pipe:b, And:c d, Or:e, Background:f, Newline:g");
}

#[test]
fn bytes_that_are_not_special_are_letters_in_every_position() {
    for byte in (0..=255).filter(|byte| !IS_SPECIAL[usize::from(*byte)]) {
        for value in [&[byte][..], &[byte, b'y'], &[b'x', byte], &[b'x', byte, b'y']] {
            let commands = commands(value, 0);
            assert!(commands.len() == 1 && commands[0].words.len() == 1, "{value:?}: {commands:?}");
            assert_eq!(*commands[0].words[0].text, *value);
        }
    }
}

#[test]
fn splits_at_substitutions() {
    assert_snapshot!(spell("x$(id -a)y `ls` <(w)"), @"Start:x, Substitution:id -a, Resumed:y, Backtick:ls, Substitution:w");
    assert_snapshot!(spell("\"$(id)\""), @"Substitution:id");
}

#[test]
fn removes_disguises() {
    assert_snapshot!(spell("c''at /e'tc'/p\\asswd"), @"Start:cat /etc/passwd");
    assert_snapshot!(spell("w$@ho^ami"), @"Start:whoami");
    assert_snapshot!(spell("wh$()oa``mi"), @"Start:whoami");
    assert_snapshot!(spell("cat${IFS}/x;ls$IFS$9-l;{cat,/x}"), @"Start:cat /x, Semicolon:ls -l, Semicolon:cat /x");
}

#[test]
fn expands_braces_and_unset_variables() {
    assert_snapshot!(spell("{l,-lh}s;{,$\"id\",}"), @"Start:ls -lhs, Semicolon:id");
    assert_snapshot!(spell("who%X_1%ami 100%a %PATH% 5%b%"), @"Start:whoami 100%a %PATH% 5%b%");
}

#[test]
fn treats_a_plus_as_a_blank_when_there_is_no_other() {
    assert_snapshot!(spell("|cat+/x"), @"Pipe:cat /x");
    assert_snapshot!(spell("|expr 1+1"), @"Pipe:expr 1+1");
}

#[test]
fn does_not_split_at_entities_and_redirections() {
    assert_snapshot!(spell("a &lt;b 2>&1 >/dev/null"), @"Start:a &lt;b /dev/null");
}

#[test]
fn separates_words_at_unclosed_quotes() {
    assert_snapshot!(spell("don't; id"), @"Start:don t, Semicolon:id");
}

proptest! {
    #[test]
    fn spans_lie_in_the_value(value in "[a-c'\"`$(){}|&;<>^\\\\#IFS, \n]{0,60}") {
        for command in commands(value.as_bytes(), 0) {
            prop_assert!(command.start <= command.end && command.end <= value.len());
            for word in &command.words {
                prop_assert!(word.span.start <= word.span.end && word.span.end <= command.end);
            }
        }
    }
}
