use super::*;
use insta::assert_snapshot;
use proptest::prelude::*;

/// `Lead:word word, …`
fn spell(value: &str) -> String {
    let spell = |it: &Command| {
        let words = it.words.iter().map(|word| String::from_utf8_lossy(&word.text).into_owned());
        format!("{:?}:{}", it.lead, words.collect::<Vec<_>>().join(" "))
    };
    commands(value.as_bytes(), 0, Comments::Dropped).iter().map(spell).collect::<Vec<_>>().join(", ")
}

#[test]
fn splits_at_separators() {
    assert_snapshot!(spell("a;id|b&&c d||e & f\ng"), @"Start:a, Semicolon:id, Pipe:b, And:c d, Or:e, Background:f, Newline:g");
}

#[test]
fn reads_comments_as_further_commands() {
    let commands = commands(b"a # b;c\n#d", 0, Comments::Read);
    let leads: Vec<_> = commands.iter().map(|it| (it.lead, &*it.words[0].text)).collect();
    let expected: [(Lead, &[u8]); 4] =
        [(Lead::Start, b"a"), (Lead::Resumed, b"b"), (Lead::Semicolon, b"c"), (Lead::Resumed, b"d")];
    assert_eq!(leads, expected);
    assert_snapshot!(spell("a # b;c\n#d\ne"), @"Start:a, Newline:e");
}

#[test]
fn redirections_before_a_program_are_its_last_words() {
    assert_snapshot!(spell("</x >y cat z;2>&1 id"), @"Start:cat z /x y, Semicolon:id");
}

#[test]
fn zero_bytes_and_long_braces_are_read() {
    assert_snapshot!(spell("a;id\0\0"), @"Start:a, Semicolon:id");
    let long = format!("{{cat,{}/x}}", "-n,".repeat(500));
    let list = commands(long.as_bytes(), 0, Comments::Dropped);
    assert_eq!((list[0].words.len(), &*list[0].words[501].text), (502, &b"/x"[..]));
}

#[test]
fn bytes_that_are_not_special_are_letters_in_every_position() {
    for byte in (0..=255).filter(|byte| !IS_SPECIAL[usize::from(*byte)]) {
        for value in [&[byte][..], &[byte, b'y'], &[b'x', byte], &[b'x', byte, b'y']] {
            let commands = commands(value, 0, Comments::Dropped);
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
        for command in commands(value.as_bytes(), 0, Comments::Dropped) {
            prop_assert!(command.start <= command.end && command.end <= value.len());
            for word in &command.words {
                prop_assert!(word.span.start <= word.span.end && word.span.end <= command.end);
            }
        }
    }
}
