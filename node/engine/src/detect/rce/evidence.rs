//! Does this command look like one that somebody wants to run here?

use super::{
    argument::{is_absolute, is_prose, shape},
    words::{self, Known},
};
use crate::{
    field::Place,
    token::shell::{Command, Lead, Word, glob_matches},
};
use shared::Severity::{self, Critical, High};
use std::borrow::Cow;

/// More words around a weak command are a text that mentions it.
const MAX_PROSE: usize = 4;

/// A value read as commands.
pub(super) struct Reading<'v> {
    value: &'v [u8],
    commands: &'v [Command],
    place: Place,
    /// Read from after a quote: what opens it is in mid-value.
    is_breakout: bool,
    /// Words that belong to no known command.
    prose: usize,
}

type Verdict = (&'static str, Severity);

impl<'v> Reading<'v> {
    pub(super) fn new(value: &'v [u8], commands: &'v [Command], place: Place, is_breakout: bool) -> Self {
        let before = commands.first().map_or(0, |it| it.start);
        let skipped = value[..before].split(u8::is_ascii_whitespace).filter(|it| is_prose(it)).count();
        let strange = commands.iter().filter(|it| head(it).is_none_or(|head| head.known.is_none()));
        let words = strange.flat_map(|it| &it.words).filter(|it| is_prose(&it.text) || it.quoted).count();
        Self { value, commands, place, is_breakout, prose: skipped + words }
    }

    /// Few words: the value is about nothing but the command.
    fn is_tight(&self) -> bool {
        self.prose <= 1 && (self.prose == 0 || self.commands.len() <= 6)
    }

    /// What is before the command reads like a number, a file, a closed string; or there is nothing.
    fn follows_stub(&self, command: &Command) -> bool {
        let before = self.value[..command.start].trim_ascii();
        let ends = before.last().is_none_or(|byte| !byte.is_ascii_alphabetic());
        let word = before.rsplit(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
        before.len() <= 64
            && (ends || before.len() <= 2 || word.len() < before.len() && before.contains(&b'.'))
    }
}

/// The word that names the program, without its directory and without the words that run others.
struct Head {
    at: usize,
    name: String,
    known: Option<Known>,
    is_path: bool,
    /// Its second word tells what it is.
    is_pair: bool,
}

/// Whether the first word is a command or the path of one, or a variable is set first.
pub(super) fn opens_with_command(value: &[u8]) -> bool {
    let first = value.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let Ok(first) = std::str::from_utf8(&first[..first.len().min(64)]) else { return false };
    words::program(first).is_some()
        || words::known(&plain_name(first)).is_some()
        || words::is_pair(first, "-v")
        || matches!(first, "net" | "reg" | "sc" | "ip" | "docker" | "gem")
        || words::RUNNERS.iter().any(|it| it.eq_ignore_ascii_case(first))
        || is_version_probe(value)
}

/// `perf --version`: any program says so where it is, and nothing else is asked with two words.
fn is_version_probe(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    let Some(name) = value.strip_suffix(b" --version").or_else(|| value.strip_suffix(b" --help")) else { return false };
    name.len() < 24 && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(byte))
}

/// As the table spells it: `C:\x\CMD.EXE` is `cmd`.
fn plain_name(word: &str) -> String {
    let name = word.rsplit('\\').next().unwrap_or(word).to_ascii_lowercase();
    if name == "%comspec%" {
        return "cmd".to_owned();
    }
    let name = name.strip_suffix(".exe").map(str::to_owned).unwrap_or(name);
    // `gcc7.4`, `python3.12`, `php-8`.
    let plain = name.trim_end_matches(|it: char| it.is_ascii_digit() || matches!(it, '.' | '-'));
    let is_versioned = name.len() > plain.len() && matches!(plain, "gcc" | "python" | "php" | "perl" | "ruby" | "lua" | "node");
    if is_versioned { plain.to_owned() } else { name }
}

fn head(command: &Command) -> Option<Head> {
    for (at, word) in command.words.iter().enumerate().take(6) {
        let Ok(text) = std::str::from_utf8(&word.text) else { return None };
        let next = command.words.get(at + 1).map(|it| String::from_utf8_lossy(&it.text).into_owned());
        let is_unset = text.starts_with('$') && word.variable;
        let may_lead = is_unset || words::PREFIXES.iter().any(|it| it.eq_ignore_ascii_case(text));
        let is_prefix = may_lead && next.is_some_and(|next| is_runnable(&next));
        if is_prefix || is_assignment(text) {
            continue;
        }
        let squeezed = squeeze_slashes(text.trim_start_matches(['@', '+']));
        let text = &*squeezed;
        let program = words::program(text);
        let name = plain_name(program.unwrap_or(text));
        let second =
            command.words.get(at + 1).map(|it| String::from_utf8_lossy(&it.text).to_ascii_lowercase());
        let is_pair = second.is_some_and(|second| words::is_pair(&name, &second));
        let telling = is_pair.then_some(Known { takes: words::WORD, is_telling: true });
        let known = telling.or_else(|| words::known(&name));
        return Some(Head { at, known, name, is_path: program.is_some(), is_pair });
    }
    None
}

/// A command, or what may come before one.
fn is_runnable(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    words::known(&plain_name(name)).is_some() || words::PREFIXES.contains(&word) || is_assignment(word)
}

/// `/bin//sh` is `/bin/sh`.
fn squeeze_slashes(text: &str) -> Cow<'_, str> {
    if !text.starts_with('/') || !text.contains("//") {
        return Cow::Borrowed(text);
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    Cow::Owned(format!("/{}", parts.join("/")))
}

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    name.len() < word.len()
        && !name.is_empty()
        && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_')
}

/// The words after the head fit it: one of the kind it takes, and hardly any prose.
fn fits(command: &Command, head: &Head, known: Known) -> bool {
    let arguments: Vec<u8> = command.words[head.at + 1..].iter().map(shape).collect();
    let prose = arguments.iter().filter(|bits| **bits & !words::WORD == 0).count();
    if command.has_here_string && command.words.len() > head.at + 1 {
        return true;
    }
    if known.takes & words::WORD != 0 {
        return !arguments.is_empty() && arguments.len() <= 4 + 2 * (arguments.len() - prose);
    }
    arguments.iter().any(|bits| bits & known.takes != 0) && prose <= 1 + arguments.len() / 3
}

/// `cd /;cd x;ls`: several commands in a row, and nothing else.
fn chain(reading: &Reading<'_>, at: usize) -> Option<Verdict> {
    if at != 0 || reading.commands.len() < 3 || reading.commands.len() > 12 || reading.prose > 0 || reading.place == Place::Path {
        return None;
    }
    let joined = |it: &Command| matches!(it.lead, Lead::Start | Lead::Semicolon | Lead::And | Lead::Or | Lead::Pipe);
    let short = |it: &Command| it.words.len() <= 4 && !it.called;
    let has_path = |it: &Command| it.words.iter().skip(1).any(|word| shape(word) & (words::PATH | words::FLAG) != 0);
    let all = reading.commands.iter().all(|it| joined(it) && short(it));
    (all && reading.commands.iter().any(has_path)).then_some(("rce-command-chain", High))
}

/// Which rule the command at this place breaks, if any.
pub(super) fn judge(reading: &Reading<'_>, at: usize) -> Option<Verdict> {
    let command = &reading.commands[at];
    if at == 0 && reading.place != Place::Path && is_version_probe(reading.value) {
        return Some(("rce-command-line", High));
    }
    glob(reading, command).or_else(|| variable(reading, at)).or_else(|| chain(reading, at)).or_else(|| {
        let head = head(command)?;
        disguised(reading, command, &head)
            .or_else(|| program_path(reading, command, &head))
            .or_else(|| substituted(reading, command, &head))
            .or_else(|| piped(reading, command, &head))
            .or_else(|| separated(reading, command, &head))
            .or_else(|| command_line(reading, command, &head))
    })
}

/// `/???/c?t`
fn glob(reading: &Reading<'_>, command: &Command) -> Option<Verdict> {
    let is_pattern = |word: &&Word| {
        let text = &word.text;
        let literal = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
        let marks = text.iter().filter(|byte| b"?*[".contains(byte)).count();
        text.first() == Some(&b'/') && marks > 0 && literal + marks >= 3 && (literal > 0 || marks > 4)
    };
    let mut patterns = command.words.iter().take(12).filter(is_pattern);
    let slash_twice = |text: &[u8]| memchr::memchr_iter(b'/', text).nth(1).is_some();
    let hit = patterns.any(|word| {
        let squeezed = squeeze(&word.text);
        slash_twice(&squeezed)
            && words::GLOB_TARGETS.iter().any(|target| glob_matches(&squeezed, target.as_bytes()))
    });
    (hit && reading.prose <= MAX_PROSE).then_some(("rce-glob-path", High))
}

/// `a=ca;b=t;$a$b /x`: what was put together of variables is run.
fn variable(reading: &Reading<'_>, at: usize) -> Option<Verdict> {
    let command = &reading.commands[at];
    let first = command.words.first()?.text.strip_prefix(b"$")?;
    let name = first.strip_prefix(b"{").unwrap_or(first);
    let length = name.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
    let name = &name[..length];
    let sets = |it: &Command| {
        let word = it.words.first().map(|word| &*word.text).unwrap_or_default();
        word.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="))
    };
    let earlier = &reading.commands[at.saturating_sub(12)..at];
    let hit = length > 0 && !command.called && command.lead != Lead::Resumed && earlier.iter().any(sets);
    (hit && reading.prose <= MAX_PROSE).then_some(("rce-variable-command", Critical))
}

/// Slashes inside a class mean nothing, and two are one.
fn squeeze(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut in_class = false;
    for &byte in text.iter().take(120) {
        in_class = byte == b'[' || in_class && byte != b']';
        if byte != b'/' || !in_class && out.last() != Some(&b'/') {
            out.push(byte);
        }
    }
    out
}

/// `c''at`, `cat$IFS/etc/passwd`, `{cat,/etc/passwd}`
fn disguised(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    head.known.or(head.is_path.then_some(Known { takes: 0, is_telling: true }))?;
    let is_disguised = command.words[..=head.at].iter().any(|it| it.disguised);
    let has_arguments = command.words.len() > head.at + 1;
    let hidden = is_disguised && head.name.len() > 1 && (has_arguments || reading.is_tight());
    let path = |it: &Word| it.disguised && (it.text.starts_with(b"/") && it.text.len() > 4 || it.variable);
    let hidden_path = command.words.iter().skip(head.at + 1).any(path);
    let odd = command.has_odd_blanks && has_arguments && !command.called;
    ((hidden || odd || hidden_path) && reading.prose <= 2 * MAX_PROSE && command.lead != Lead::Resumed)
        .then_some(("rce-disguised-command", Critical))
}

/// `/usr/bin/id`
fn program_path(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    let leads = match command.lead {
        Lead::Start => {
            !reading.is_breakout && head.at == 0 && reading.prose == 0 && reading.place != Place::Path
        }
        Lead::Resumed => false,
        _ => reading.prose <= MAX_PROSE,
    };
    let arguments = &command.words[head.at + 1..];
    let prose = arguments.iter().filter(|it| is_prose(&it.text)).count();
    (head.is_path && leads && prose <= 2).then_some(("rce-program-path", High))
}

/// `$(id)`, `` `id` ``
fn substituted(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    let known = head.known?;
    if !matches!(command.lead, Lead::Substitution | Lead::Backtick) || command.called {
        return None;
    }
    let alone = command.words.len() == head.at + 1;
    let is_bare = command.lead == Lead::Substitution && reading.prose == 0 && command.words.len() <= 3;
    let is_command = alone || is_bare || fits(command, head, known);
    // Markdown puts commands between backticks, in the middle of sentences.
    let before = command.start.checked_sub(1).map(|at| reading.value[at]);
    let room = match command.lead {
        Lead::Backtick if before.is_some_and(|it| it.is_ascii_whitespace()) && !known.is_telling => 0,
        Lead::Backtick => 1,
        _ => MAX_PROSE,
    };
    (is_command && reading.prose <= room).then_some(("rce-command-substitution", Critical))
}

fn second(command: &Command, head: &Head) -> String {
    let word = command.words.get(head.at + 1);
    word.map(|it| String::from_utf8_lossy(&it.text).to_ascii_lowercase()).unwrap_or_default()
}

/// `… | sh`
fn piped(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    let alone = command.words.len() == head.at + 1 || second(command, head).starts_with('-');
    let hit = command.lead == Lead::Pipe && words::is_interpreter(&head.name) && alone && !command.called;
    (hit && reading.prose <= MAX_PROSE && !is_list(reading)).then_some(("rce-pipe-to-shell", Critical))
}

/// `php|python|ruby` lists words.
fn is_list(reading: &Reading<'_>) -> bool {
    let single = |it: &&Command| it.words.len() == 1 && it.words.iter().all(|word| is_prose(&word.text));
    let singles = reading.commands.iter().filter(single).count();
    let first = reading.value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let enough = if memchr::memchr(b';', reading.value).is_some() { 3 } else { 2 };
    singles == reading.commands.len() && singles >= enough && first > 1
}

/// `; id`, `|| ping -n 9 x`, `& dir c:\`
fn separated(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    if matches!(command.lead, Lead::Start | Lead::Resumed | Lead::Substitution | Lead::Backtick)
        || command.called
    {
        return None;
    }
    let known = head.known?;
    let alone = command.words.len() == head.at + 1;
    let is_command = if alone {
        known.takes & words::ALONE != 0 && runs_alone(reading, command, known)
    } else {
        let room = if command.lead == Lead::Newline { 1 } else { MAX_PROSE };
        reading.prose <= room && fits(command, head, known)
    };
    is_command.then_some(("rce-command-separator", Critical))
}

/// A command without arguments: its separator must leave no other reading.
fn runs_alone(reading: &Reading<'_>, command: &Command, known: Known) -> bool {
    if !known.is_telling && (reading.place == Place::Path || is_list(reading)) {
        return false;
    }
    match command.lead {
        _ if known.is_telling => reading.prose <= 2 && reading.commands.len() <= 8,
        Lead::Semicolon | Lead::And | Lead::Or => reading.is_tight(),
        Lead::Background if is_url(reading.value) => false,
        Lead::Pipe | Lead::Background | Lead::Newline => reading.is_tight() && reading.follows_stub(command),
        _ => false,
    }
}

fn is_url(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some() || memchr::memchr2(b'?', b'=', value).is_some()
}

/// `time ifconfig`, `nohup ls`: run by a program that runs others.
fn is_run(command: &Command, head: &Head, known: Known) -> bool {
    let is_runner = |word: &Word| {
        std::str::from_utf8(&word.text).is_ok_and(|text| words::RUNNERS.iter().any(|it| it.eq_ignore_ascii_case(text)))
    };
    let alone = command.words.len() == head.at + 1;
    let is_led = head.at > 0 && command.words[..head.at].iter().all(is_runner);
    is_led && (known.is_telling || !alone) && (alone || fits(command, head, known))
}

/// `curl http://…`, `sleep 10`, `powershell whoami`: one argument that fits nothing else.
fn is_simple_call(head: &Head, rest: &[Word]) -> bool {
    let [only] = rest else { return false };
    match &*head.name {
        "curl" | "wget" | "lynx" | "fetch" => memchr::memmem::find(&only.text, b"://").is_some(),
        "sleep" => shape(only) & words::NUMBER != 0,
        "powershell" | "sudo" | "nohup" | "busybox" | "pwsh" => {
            std::str::from_utf8(&only.text).is_ok_and(|text| words::known(&plain_name(text)).is_some())
        }
        _ => false,
    }
}

/// The whole value is a command line.
fn command_line(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    let known = head.known?;
    let opens = command.lead == Lead::Start && !reading.is_breakout && !command.called;
    let is_quoted_whole =
        command.words[head.at].span.len() == reading.value.len() && command.words[head.at].quoted;
    if is_quoted_whole && known.is_telling && known.takes & words::ALONE != 0 {
        return Some(("rce-command-line", High));
    }
    let rest = &command.words[head.at + 1..];
    // `id|`: scripts that open what they are told run it.
    let is_opened = rest.is_empty()
        && known.takes & words::ALONE != 0
        && matches!(reading.value.last(), Some(b'|' | b';' | b'&'));
    if opens && is_opened && reading.commands.len() == 1 {
        return Some(("rce-command-line", High));
    }
    // `uname;x`, `whoami|y`: a telling name, and it ends there.
    let is_first = reading.commands.get(1).is_some_and(|next| {
        matches!(next.lead, Lead::Semicolon | Lead::Pipe | Lead::And | Lead::Or | Lead::Background) && next.words.len() < 3
    });
    let ends_at_once = rest.is_empty() && known.is_telling && known.takes & words::ALONE != 0 && reading.prose <= 1;
    if opens && ends_at_once && is_first && reading.place != Place::Path {
        return Some(("rce-command-line", High));
    }
    if opens && reading.prose == 0 && reading.commands.len() == 1 && is_run(command, head, known) {
        return Some(("rce-command-line", High));
    }
    // A program of many lines is what somebody wrote, and not what somebody slipped in.
    let is_program = rest.iter().any(|it| it.quoted && memchr::memchr(b'\n', &it.text).is_some());
    if !opens || reading.prose > 0 || reading.place == Place::Path || rest.is_empty() || is_program {
        return None;
    }
    let arguments: Vec<u8> = rest.iter().map(shape).collect();
    let flagged = arguments.iter().any(|bits| bits & words::FLAG != 0);
    let absolute = rest.iter().any(|it| is_absolute(&it.text));
    let prose = arguments.iter().filter(|bits| **bits & !words::WORD == 0).count();
    let no_prose = prose == 0 || known.is_telling && flagged && prose == 1;
    let dangles = matches!(reading.value.trim_ascii_end().last(), Some(b'|'));
    let strong = if dangles {
        no_prose
    } else if known.is_telling || head.name.len() < 5 || flagged {
        no_prose && (absolute || known.is_telling || flagged && arguments.len() > 1)
    } else {
        no_prose && absolute && !rest.iter().any(|it| it.text.starts_with(b"//"))
    };
    let runs_code = words::is_interpreter(&head.name) && flagged && second(command, head) == "-c";
    let runs_code = runs_code || head.name == "cmd" && matches!(&*second(command, head), "/c" | "/k");
    let is_pair = (head.is_pair || runs_code) && arguments.len() <= if flagged { 6 } else { 3 };
    (strong && fits(command, head, known) || is_pair || is_simple_call(head, rest))
        .then_some(("rce-command-line", High))
}
