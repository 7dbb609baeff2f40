//! Values that are command lines from their first word to their last.

use super::{
    argument::{is_absolute, shape},
    evidence::{Reading, Verdict},
    head::{Head, fits, head, plain_name, second},
    words::{self, Known},
};
use crate::{
    field::FieldKind,
    token::shell::{Command, Lead, Redirection, Word},
    words::WORDS,
};
use shared::Severity::High;

/// `cd /;cd x;ls`: several commands in a row, and nothing else.
pub(super) fn chain(reading: &Reading<'_>, at: usize) -> Option<Verdict> {
    if at != 0
        || reading.commands.len() < 3
        || reading.commands.len() > 12
        || reading.prose > 0
        || reading.kind == FieldKind::Path
    {
        return None;
    }
    let joined =
        |it: &Command| matches!(it.lead, Lead::Start | Lead::Semicolon | Lead::And | Lead::Or | Lead::Pipe);
    let short = |it: &Command| it.words.len() <= 4 && !it.called;
    let has_path =
        |it: &Command| it.words.iter().skip(1).any(|word| shape(word) & (words::PATH | words::FLAG) != 0);
    let is_known = |it: &&Command| head(it).is_some_and(|head| head.known.is_some());
    let all = reading.commands.iter().all(|it| joined(it) && short(it));
    // Lists of media types are joined so, too.
    let all = all && reading.commands.iter().filter(is_known).nth(1).is_some();
    (all && reading.commands.iter().any(has_path)).then_some(("rce-command-chain", High))
}

/// The whole value is a command line.
pub(super) fn command_line(reading: &Reading<'_>, command: &Command, head: &Head) -> Option<Verdict> {
    let known = head.known?;
    let opens = command.lead == Lead::Start && !reading.is_breakout && !command.called;
    let is_quoted_whole =
        command.words[head.at].span.len() == reading.value.len() && command.words[head.at].quoted;
    if is_quoted_whole && known.is_distinctive && known.takes & words::ALONE != 0 {
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
        matches!(next.lead, Lead::Semicolon | Lead::Pipe | Lead::And | Lead::Or | Lead::Background)
            && next.words.len() < 3
    });
    let ends_at_once =
        rest.is_empty() && known.is_distinctive && known.takes & words::ALONE != 0 && reading.prose <= 1;
    if opens && ends_at_once && is_first && reading.kind != FieldKind::Path {
        return Some(("rce-command-line", High));
    }
    if opens
        && reading.prose == 0
        && reading.commands.len() == 1
        && (is_run(command, head, known) || is_fed(command, head, known))
    {
        return Some(("rce-command-line", High));
    }
    // A program of many lines is what somebody wrote, and not what somebody slipped in.
    let is_program = rest.iter().any(|it| it.quoted && memchr::memchr(b'\n', &it.text).is_some());
    if !opens || reading.prose > 0 || reading.kind == FieldKind::Path || rest.is_empty() || is_program {
        return None;
    }
    let arguments: Vec<u8> = rest.iter().map(shape).collect();
    let flagged = arguments.iter().any(|bits| bits & words::FLAG != 0);
    let absolute = rest.iter().any(|it| is_absolute(&it.text));
    let prose = arguments.iter().filter(|bits| **bits & !words::WORD == 0).count();
    let no_prose = prose == 0 || known.is_distinctive && flagged && prose == 1;
    let dangles = matches!(reading.value.trim_ascii_end().last(), Some(b'|' | b';' | b'&'));
    let strong = if dangles {
        no_prose
    } else if known.is_distinctive || head.name.len() < 5 || flagged {
        no_prose && (absolute || known.is_distinctive || flagged && arguments.len() > 1)
    } else {
        no_prose && absolute && !rest.iter().any(|it| it.text.starts_with(b"//"))
    };
    let runs_code = words::is_interpreter(&head.name) && flagged && second(command, head) == "-c";
    let runs_code = runs_code || head.name == "cmd" && matches!(&*second(command, head), "/c" | "/k");
    let room = if flagged {
        10
    } else if matches!(&*head.name, "wmic" | "netsh") {
        6
    } else {
        3
    };
    let is_pair = (head.is_pair || runs_code) && arguments.len() <= room;
    // `find / -name id_rsa`: a path, a flag, and what the flag takes.
    let is_rooted = absolute || rest.iter().any(|it| matches!(&*it.text, b"/" | b"."));
    let is_full = is_rooted && flagged && arguments.len() > 2 && prose * 3 <= arguments.len();
    ((strong || is_full) && fits(command, head, known)
        || is_pair
        || is_simple_call(head, rest)
        || is_redirected(command, rest, prose))
    .then_some(("rce-command-line", High))
}

/// `time ifconfig`, `nohup ls`: run by a program that runs others.
fn is_run(command: &Command, head: &Head, known: Known) -> bool {
    let is_runner = |word: &Word| std::str::from_utf8(&word.text).is_ok_and(|text| words::is_runner(text));
    let alone = command.words.len() == head.at + 1;
    let is_led = head.at > 0 && command.words[..head.at].iter().all(is_runner);
    is_led && (known.is_distinctive || !alone) && (alone || fits(command, head, known))
}

/// `bash<<<…`
fn is_fed(command: &Command, head: &Head, known: Known) -> bool {
    let is_quoted = command.words[head.at + 1..].iter().any(|it| it.quoted);
    command.redirection == Some(Redirection::HereString)
        && (known.is_distinctive || is_quoted || words::is_interpreter(&head.name))
}

/// What is above, and what programs are made of.
fn is_source(path: &[u8]) -> bool {
    path.starts_with(b"../")
        || path.starts_with(b".ht")
        || WORDS.rce.source_endings.iter().any(|end| path.ends_with(end.as_bytes()))
}

/// `echo x > /tmp/x`
fn is_redirected(command: &Command, rest: &[Word], prose: usize) -> bool {
    let target = rest.last().and_then(|it| std::str::from_utf8(&it.text).ok()).unwrap_or_default();
    command.redirection == Some(Redirection::File)
        && prose <= 2
        && WORDS.rce.redirection_directories.iter().any(|it| target.starts_with(it))
}

/// `curl http://…`, `nc 192.0.2.1 80`, `sleep 10`, `ls -l`, `echo $PATH`, `powershell whoami`: one argument that fits nothing else.
fn is_simple_call(head: &Head, rest: &[Word]) -> bool {
    if head.name == "rm" && rest.len() == 2 {
        return matches!(&*rest[0].text, b"-r" | b"-f" | b"-rf" | b"-fr");
    }
    if matches!(&*head.name, "nc" | "ncat" | "netcat" | "telnet") && rest.len() == 2 {
        return shape(&rest[0]) & words::HOST != 0 && shape(&rest[1]) & words::NUMBER != 0;
    }
    if head.name == "chmod" && rest.len() == 2 {
        return shape(&rest[0]) & words::NUMBER != 0;
    }
    let [only] = rest else { return false };
    match &*head.name {
        "curl" | "wget" | "lynx" | "fetch" => memchr::memmem::find(&only.text, b"://").is_some(),
        "sleep" => shape(only) & words::NUMBER != 0,
        "ping" => only.text.iter().all(|it| it.is_ascii_digit() || *it == b'.'),
        "cat" | "cd" | "type" | "more" | "less" | "head" | "tail" if is_source(&only.text) => true,
        "dir" | "cd" if matches!(&*only.text, [letter, b':'] if letter.is_ascii_alphabetic()) => true,
        "ls" | "dir" | "cd" if matches!(&*only.text, b"/" | b"..") => true,
        "ls" | "ps" | "df" | "du" | "ll" | "ss" | "dir" | "w" | "who" | "id" | "hostname" | "mount"
        | "last" | "history" | "chkconfig" => shape(only) & words::FLAG != 0,
        "echo" => shape(only) & words::VARIABLE != 0,
        "ssh" | "sftp" | "finger" => only.text.contains(&b'@') && !only.text.contains(&b':'),
        name if name.contains('-') => only.text.iter().any(|it| b"_:".contains(it)),
        "powershell" | "sudo" | "nohup" | "busybox" | "pwsh" => {
            std::str::from_utf8(&only.text).is_ok_and(|text| words::known(&plain_name(text)).is_some())
        }
        _ => false,
    }
}
