//! Whole command lines: rules for values that are one command from the first word to the last.

use super::{
    argument::{is_absolute, shape},
    evidence::{CommandContext, Evidence},
    head::{Head, fits, plain_name, second},
    programs::{self, Known},
};
use crate::{
    field::FieldKind,
    token::shell::{Command, Lead, Redirection, Word},
    words::WORDS,
};
use shared::Severity::High;

/// `cd /;cd x;ls`: several commands in a row and nothing else.
pub(super) fn chain(context: &CommandContext<'_>, at: usize) -> Option<Evidence> {
    if at != 0 || context.commands.len() < 3 || context.prose > 0 || context.kind == FieldKind::Path {
        return None;
    }
    let joined = |it: &Command<'_>| {
        matches!(it.lead, Lead::Start | Lead::Semicolon | Lead::And | Lead::Or | Lead::Pipe)
    };
    let short = |it: &Command<'_>| it.words.len() <= 4 && !it.called;
    let has_path = |it: &Command<'_>| {
        it.words.iter().skip(1).any(|word| shape(word) & (programs::PATH | programs::FLAG) != 0)
    };
    let is_known = |head: &&Head| head.known.is_some();
    let all = context.commands.iter().all(|it| joined(it) && short(it));
    // Lists of media types have the same separators.
    let heads = || (0..context.commands.len()).filter_map(|at| context.head(at));
    let all = all && heads().filter(is_known).nth(1).is_some();
    (all && context.commands.iter().any(has_path)).then_some(("rce-command-chain", High))
}

/// The first command of a value, with what surrounds it.
struct Line<'c> {
    context: &'c CommandContext<'c>,
    command: &'c Command<'c>,
    head: &'c Head,
    known: Known,
    /// The words after the program.
    rest: &'c [Word<'c>],
}

/// The shapes of the words after the program.
struct Arguments {
    prose: usize,
    has_flag: bool,
    has_absolute_path: bool,
}

type ProgramCondition = fn(&Line<'_>) -> bool;
type ArgumentCondition = fn(&Line<'_>, &Arguments) -> bool;

struct Rule<T> {
    #[cfg_attr(not(test), expect(dead_code, reason = "tests name the matching rule"))]
    name: &'static str,
    condition: T,
}

/// Rules for a program, independent of its arguments.
const PROGRAM_RULES: &[Rule<ProgramCondition>] = &[
    Rule { name: "quoted program", condition: is_quoted_program },
    Rule { name: "opened by a script", condition: is_opened_by_script },
    Rule { name: "distinctive program", condition: is_distinctive_program },
    Rule { name: "run by another program", condition: is_run },
    Rule { name: "here string", condition: is_fed },
];

/// Rules for a program with arguments and nothing else.
const ARGUMENT_RULES: &[Rule<ArgumentCondition>] = &[
    Rule { name: "fitting arguments", condition: has_fitting_arguments },
    Rule { name: "path, flag and value", condition: has_path_flag_and_value },
    Rule { name: "subcommand", condition: has_subcommand },
    Rule { name: "inline code", condition: has_inline_code },
    Rule { name: "single argument", condition: |line, _| is_simple_call(line.head, line.rest) },
    Rule { name: "redirected output", condition: is_redirected },
];

/// The whole value is a command line.
pub(super) fn command_line(
    context: &CommandContext<'_>,
    command: &Command<'_>,
    head: &Head,
) -> Option<Evidence> {
    let line = Line { context, command, head, known: head.known?, rest: &command.words[head.at + 1..] };
    let has_arguments = || {
        let arguments = Arguments::of(line.rest);
        ARGUMENT_RULES.iter().any(|rule| (rule.condition)(&line, &arguments))
    };
    let is_command_line = PROGRAM_RULES.iter().any(|rule| (rule.condition)(&line))
        || line.is_program_with_arguments() && has_arguments();
    is_command_line.then_some(("rce-command-line", High))
}

impl Line<'_> {
    /// Whether the value begins with the command.
    fn starts_value(&self) -> bool {
        self.command.lead == Lead::Start && !self.context.is_breakout && !self.command.called
    }

    /// `<script src=…>`: a tag, not the input of a program.
    fn is_markup(&self) -> bool {
        matches!(self.context.value.trim_ascii_start(), [b'<', letter, ..] if letter.is_ascii_alphabetic())
    }

    fn takes_nothing(&self) -> bool {
        self.known.takes & programs::ALONE != 0
    }

    /// Whether the value is one command without prose.
    fn is_alone(&self) -> bool {
        self.starts_value() && self.context.prose == 0 && self.context.commands.len() == 1
    }

    fn is_program_with_arguments(&self) -> bool {
        // Code of many lines was written by a developer, not injected.
        let is_code = |it: &Word<'_>| it.quoted && memchr::memchr(b'\n', &it.text).is_some();
        self.starts_value()
            && self.context.prose == 0
            && self.context.kind != FieldKind::Path
            && !self.rest.is_empty()
            && !self.rest.iter().any(is_code)
            && !self.is_markup()
    }
}

impl Arguments {
    fn of(rest: &[Word<'_>]) -> Self {
        let shapes: Vec<u8> = rest.iter().map(shape).collect();
        Self {
            prose: shapes.iter().filter(|bits| **bits & !programs::WORD == 0).count(),
            has_flag: shapes.iter().any(|bits| bits & programs::FLAG != 0),
            has_absolute_path: rest.iter().any(|it| is_absolute(&it.text)),
        }
    }
}

/// `'whoami'`
fn is_quoted_program(line: &Line<'_>) -> bool {
    let word = &line.command.words[line.head.at];
    let is_whole = word.quoted && word.span.len() == line.context.value.len();
    is_whole && line.known.is_distinctive && line.takes_nothing()
}

/// `id|`: scripts that open a file by a name from outside run it.
fn is_opened_by_script(line: &Line<'_>) -> bool {
    line.starts_value()
        && line.rest.is_empty()
        && line.takes_nothing()
        && matches!(line.context.value.last(), Some(b'|' | b';' | b'&'))
        && line.context.commands.len() == 1
}

/// `uname;x`, `whoami|y`: a distinctive name without arguments, and a separator.
fn is_distinctive_program(line: &Line<'_>) -> bool {
    let is_separated = |next: &Command<'_>| {
        matches!(next.lead, Lead::Semicolon | Lead::Pipe | Lead::And | Lead::Or | Lead::Background)
            && next.words.len() < 3
    };
    line.starts_value()
        && line.rest.is_empty()
        && line.known.is_distinctive
        && line.takes_nothing()
        && line.context.prose <= 1
        && line.context.commands.get(1).is_some_and(is_separated)
        && line.context.kind != FieldKind::Path
}

/// `time ifconfig`, `nohup ls -l`: run by a program that runs others.
fn is_run(line: &Line<'_>) -> bool {
    let Line { command, head, known, .. } = *line;
    let is_runner = |word: &Word<'_>| std::str::from_utf8(&word.text).is_ok_and(programs::is_runner);
    let has_no_arguments = line.rest.is_empty();
    line.is_alone()
        && head.at > 0
        && command.words[..head.at].iter().all(is_runner)
        && (known.is_distinctive || !has_no_arguments)
        && (has_no_arguments || fits(command, head, known))
}

/// `bash<<<…`
fn is_fed(line: &Line<'_>) -> bool {
    let is_quoted = || line.rest.iter().any(|it| it.quoted);
    line.is_alone()
        && line.command.redirection == Some(Redirection::HereString)
        && (line.known.is_distinctive || is_quoted() || programs::is_interpreter(&line.head.name))
}

/// `cat /etc/passwd`, `ls -la /tmp`
fn has_fitting_arguments(line: &Line<'_>, arguments: &Arguments) -> bool {
    let Line { command, head, known, rest, .. } = *line;
    let Arguments { prose, has_flag, has_absolute_path, .. } = *arguments;
    let has_no_prose = prose == 0 || known.is_distinctive && has_flag && prose == 1;
    let ends_with_separator =
        || matches!(line.context.value.trim_ascii_end().last(), Some(b'|' | b';' | b'&'));
    let is_evident = || {
        if known.is_distinctive || head.name.len() < 5 || has_flag {
            has_absolute_path || known.is_distinctive || has_flag && rest.len() > 1
        } else {
            has_absolute_path && !rest.iter().any(|it| it.text.starts_with(b"//"))
        }
    };
    has_no_prose && (ends_with_separator() || is_evident()) && fits(command, head, known)
}

/// `find / -name id_rsa`: a path, a flag, and the flag's argument.
fn has_path_flag_and_value(line: &Line<'_>, arguments: &Arguments) -> bool {
    let has_path =
        || arguments.has_absolute_path || line.rest.iter().any(|it| matches!(&*it.text, b"/" | b"."));
    arguments.has_flag
        && line.rest.len() > 2
        && arguments.prose * 3 <= line.rest.len()
        && has_path()
        && fits(line.command, line.head, line.known)
}

/// `net user`, `ip addr show`
fn has_subcommand(line: &Line<'_>, arguments: &Arguments) -> bool {
    line.head.is_pair && line.rest.len() <= max_arguments(line.head, arguments)
}

/// `python -c …`, `cmd /c …`
fn has_inline_code(line: &Line<'_>, arguments: &Arguments) -> bool {
    let Line { command, head, .. } = *line;
    let runs_code = match &*second(command, head) {
        "-c" => programs::is_interpreter(&head.name),
        "/c" | "/k" => head.name == "cmd",
        _ => false,
    };
    runs_code && line.rest.len() <= max_arguments(head, arguments)
}

/// More arguments than these are prose after a word that is also a command.
fn max_arguments(head: &Head, arguments: &Arguments) -> usize {
    match &*head.name {
        _ if arguments.has_flag => 10,
        "wmic" | "netsh" => 6,
        _ => 3,
    }
}

/// `echo x > /tmp/x`
fn is_redirected(line: &Line<'_>, arguments: &Arguments) -> bool {
    let target = line.rest.last().and_then(|it| std::str::from_utf8(&it.text).ok()).unwrap_or_default();
    line.command.redirection == Some(Redirection::File)
        && arguments.prose <= 2
        && WORDS.rce.redirection_directories.iter().any(|it| target.starts_with(it))
}

/// Parent directories, source files and configuration files.
fn is_source(path: &[u8]) -> bool {
    path.starts_with(b"../")
        || path.starts_with(b".ht")
        || WORDS.rce.source_endings.iter().any(|end| path.ends_with(end.as_bytes()))
}

/// `curl http://…`, `nc 192.0.2.1 80`, `sleep 10`, `ls -l`, `echo $PATH`, `powershell whoami`: one
/// argument that is unlikely in prose.
fn is_simple_call(head: &Head, rest: &[Word<'_>]) -> bool {
    if head.name == "rm" && rest.len() == 2 {
        return matches!(&*rest[0].text, b"-r" | b"-f" | b"-rf" | b"-fr");
    }
    if matches!(&*head.name, "nc" | "ncat" | "netcat" | "telnet") && rest.len() == 2 {
        return shape(&rest[0]) & programs::HOST != 0 && shape(&rest[1]) & programs::NUMBER != 0;
    }
    if head.name == "chmod" && rest.len() == 2 {
        return shape(&rest[0]) & programs::NUMBER != 0;
    }
    let [only] = rest else { return false };
    match &*head.name {
        "curl" | "wget" | "lynx" | "fetch" => memchr::memmem::find(&only.text, b"://").is_some(),
        "sleep" => shape(only) & programs::NUMBER != 0,
        "ping" => only.text.iter().all(|it| it.is_ascii_digit() || *it == b'.'),
        "cat" | "cd" | "type" | "more" | "less" | "head" | "tail" if is_source(&only.text) => true,
        "dir" | "cd" if matches!(&*only.text, [letter, b':'] if letter.is_ascii_alphabetic()) => true,
        "ls" | "dir" | "cd" if matches!(&*only.text, b"/" | b"..") => true,
        "ls" | "ps" | "df" | "du" | "ll" | "ss" | "dir" | "w" | "who" | "id" | "hostname" | "mount"
        | "last" | "history" | "chkconfig" => shape(only) & programs::FLAG != 0,
        "echo" => shape(only) & programs::VARIABLE != 0,
        "ssh" | "sftp" | "finger" => only.text.contains(&b'@') && !only.text.contains(&b':'),
        name if name.contains('-') => only.text.iter().any(|it| b"_:".contains(it)),
        "powershell" | "sudo" | "nohup" | "busybox" | "pwsh" => {
            std::str::from_utf8(&only.text).is_ok_and(|text| programs::known(&plain_name(text)).is_some())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::shell::{Comments, commands};

    /// The rules that match the first command of a value.
    fn rules(value: &str) -> Vec<&'static str> {
        let commands = commands(value.as_bytes(), 0, Comments::Dropped);
        let context = &CommandContext::new(value.as_bytes(), &commands, FieldKind::Value, false);
        let command = &commands[0];
        let head = context.head(0).unwrap();
        let rest = &command.words[head.at + 1..];
        let line = Line { context, command, head, known: head.known.unwrap(), rest };
        let arguments = Arguments::of(rest);
        let programs = PROGRAM_RULES.iter().filter(|rule| (rule.condition)(&line)).map(|rule| rule.name);
        let with_arguments = ARGUMENT_RULES.iter().filter(|rule| (rule.condition)(&line, &arguments));
        programs.chain(with_arguments.map(|rule| rule.name)).collect()
    }

    #[test]
    fn each_rule_finds_its_vector() {
        let vectors = [
            ("quoted program", "'whoami'"),
            ("opened by a script", "id|"),
            ("distinctive program", "uname;x"),
            ("run by another program", "time ifconfig"),
            ("here string", "bash<<<'x'"),
            ("fitting arguments", "cat /etc/passwd"),
            ("path, flag and value", "find / -name id_rsa"),
            ("subcommand", "net user"),
            ("inline code", "cmd /c x"),
            ("single argument", "sleep 10"),
            ("redirected output", "echo x > /tmp/x"),
        ];
        let names = PROGRAM_RULES.iter().map(|it| it.name).chain(ARGUMENT_RULES.iter().map(|it| it.name));
        assert!(names.eq(vectors.iter().map(|it| it.0)));
        for (name, value) in vectors {
            assert!(rules(value).contains(&name), "{value}: {:?}", rules(value));
        }
    }
}
