//! Evidence of an injected command: rules for one command in its value.

use super::{
    argument::{is_prose, shape},
    command_line::{chain, command_line},
    glob::glob,
    head::{Head, head, inner_head, is_version_probe, prose_after, second},
    programs::{self, Known},
    strength::{is_strong, is_substitution},
};
use crate::{
    field::FieldKind,
    token::{
        shell::{Command, Lead, Word},
        unspaced,
    },
};
use shared::Severity::{self, Critical, High};
use std::{cell::OnceCell, collections::HashMap};

/// Limit of prose around a weak command; a longer text only mentions it.
pub(super) const MAX_PROSE: usize = 4;

/// Limit of prose after the arguments of a weak command.
const MAX_PROSE_AFTER: usize = 1;

/// Limit of prose around a command whose spelling is evidence. With more, only [`separated`] matches.
pub(super) const MAX_PROSE_OF_DISGUISED: usize = 2 * MAX_PROSE;

/// A value tokenized as commands.
pub(super) struct CommandContext<'v> {
    pub value: &'v [u8],
    pub commands: &'v [Command<'v>],
    /// The head of each command, once it is known.
    heads: Vec<OnceCell<Option<Head>>>,
    pub kind: FieldKind,
    /// Whether the tokens begin after a quote in mid-value.
    pub is_breakout: bool,
    /// The number of words outside of known commands, counted up to one over all limits or more.
    pub prose: usize,
    is_list: bool,
    is_url: bool,
    /// The variables and the first command that sets each.
    set: OnceCell<HashMap<Box<[u8]>, usize>>,
}

pub(super) type Evidence = (&'static str, Severity);

impl<'v> CommandContext<'v> {
    pub(super) fn new(
        value: &'v [u8],
        commands: &'v [Command<'v>],
        kind: FieldKind,
        is_breakout: bool,
    ) -> Self {
        let before = commands.first().map_or(0, |it| it.start);
        let skipped =
            value[..before].split(u8::is_ascii_whitespace).filter(|it| is_prose(it)).map(unspaced::words);
        let heads: Vec<OnceCell<Option<Head>>> = commands.iter().map(|_| OnceCell::new()).collect();
        let unknown = commands.iter().zip(&heads).filter(|(command, known)| {
            known.get_or_init(|| head(command)).as_ref().is_none_or(|head| head.known.is_none())
        });
        let words = unknown.flat_map(|(it, _)| &it.words).filter(|it| is_prose(&it.text) || it.quoted);
        let words = words.map(|it| unspaced::words(&it.text));
        // The lexer reads `<br>` as a redirection of the word `br`.
        let tags = tags(value);
        let counted = skipped.chain(words).take(MAX_PROSE_OF_DISGUISED + 1 + tags);
        let prose = counted.sum::<usize>().saturating_sub(tags);
        // Conditions of rules for little prose.
        let is_text = prose > MAX_PROSE_OF_DISGUISED;
        Self {
            value,
            commands,
            heads,
            kind,
            is_breakout,
            prose,
            is_list: !is_text && is_list(value, commands),
            is_url: !is_text && is_url(value),
            set: OnceCell::new(),
        }
    }

    /// The head of the command at this index.
    pub(super) fn head(&self, at: usize) -> Option<&Head> {
        let command = self.commands.get(at)?;
        self.heads.get(at)?.get_or_init(|| head(command)).as_ref()
    }

    /// Whether a command before this one sets the variable.
    fn sets_before(&self, at: usize, name: &[u8]) -> bool {
        let set = self.set.get_or_init(|| {
            let mut set = HashMap::new();
            for (at, command) in self.commands.iter().enumerate() {
                let word = command.words.first().map(|word| &*word.text).unwrap_or_default();
                if let Some(length) = memchr::memchr(b'=', word) {
                    set.entry(word[..length].into()).or_insert(at);
                }
            }
            set
        });
        set.get(name).is_some_and(|&first| first < at)
    }

    /// Whether the value has little prose besides the command.
    fn is_tight(&self) -> bool {
        self.prose <= 1 && (self.prose == 0 || self.commands.len() <= 6)
    }

    /// Whether nothing, a number, a file or a closed string precedes the command.
    fn follows_stub(&self, command: &Command<'_>) -> bool {
        let before = self.value[..command.start].trim_ascii();
        let ends = before.last().is_none_or(|byte| !byte.is_ascii_alphabetic());
        let word = before.rsplit(|byte| !byte.is_ascii_alphabetic()).next().unwrap_or_default();
        before.len() <= 64
            && (ends || before.len() <= 2 || word.len() < before.len() && before.contains(&b'.'))
    }
}

/// The first rule that matches the command at this index.
pub(super) fn find_evidence(context: &CommandContext<'_>, at: usize) -> Option<Evidence> {
    let command = &context.commands[at];
    if at == 0 && context.kind != FieldKind::Path && is_version_probe(context.value) {
        return Some(("rce-command-line", High));
    }
    if context.prose > MAX_PROSE_OF_DISGUISED {
        // A line of its own is no evidence in prose.
        let may_match = command.lead != Lead::Newline && follows_separator(command);
        if !may_match && !is_substitution(command) {
            return None;
        }
        return with_each_head(context, at, |head| {
            let found = may_match.then(|| separated(context, at, head)).flatten();
            found.or_else(|| substituted(context, at, head))
        });
    }
    glob(context, command)
        .or_else(|| cut_letters(context, command))
        .or_else(|| variable(context, at))
        .or_else(|| chain(context, at))
        .or_else(|| {
            with_each_head(context, at, |head| {
                disguised(context, command, head)
                    .or_else(|| program_path(context, command, head))
                    .or_else(|| substituted(context, at, head))
                    .or_else(|| piped(context, command, head))
                    .or_else(|| separated(context, at, head))
                    .or_else(|| command_line(context, command, head))
            })
        })
}

/// The evidence of the head, or else of the one that it runs.
fn with_each_head(
    context: &CommandContext<'_>,
    at: usize,
    find: impl Fn(&Head) -> Option<Evidence>,
) -> Option<Evidence> {
    let head = context.head(at)?;
    find(head).or_else(|| find(&inner_head(context.commands.get(at)?, head)?))
}

/// `;${PATH:5:1}s`: a program spelled with letters of variables.
fn cut_letters(context: &CommandContext<'_>, command: &Command<'_>) -> Option<Evidence> {
    let word = command.words.first()?;
    let is_spelled =
        word.disguised && word.variable && word.text.starts_with(b"${") && !word.text.ends_with(b"}");
    let runs = !matches!(command.lead, Lead::Start | Lead::Resumed) && !command.called;
    (is_spelled && runs && context.prose <= 1).then_some(("rce-disguised-command", Critical))
}

/// `a=ca;b=t;$a$b /x`: a command built from variables is run.
fn variable(context: &CommandContext<'_>, at: usize) -> Option<Evidence> {
    let command = &context.commands[at];
    let first = command.words.first()?.text.strip_prefix(b"$")?;
    let name = first.strip_prefix(b"{").unwrap_or(first);
    let length = name.iter().take_while(|it| it.is_ascii_alphanumeric() || **it == b'_').count();
    let name = &name[..length];
    let runs = length > 0 && !command.called && command.lead != Lead::Resumed;
    let hit = runs && context.sets_before(at, name);
    (hit && context.prose <= MAX_PROSE).then_some(("rce-variable-command", Critical))
}

/// `c''at`, `cat$IFS/etc/passwd`, `{cat,/etc/passwd}`
fn disguised(context: &CommandContext<'_>, command: &Command<'_>, head: &Head) -> Option<Evidence> {
    head.known.or(head.is_path.then_some(Known { takes: 0, is_distinctive: true }))?;
    let is_disguised = command.words[..=head.at].iter().any(|it| it.disguised);
    let has_arguments = command.words.len() > head.at + 1;
    let hidden = is_disguised && head.name.len() > 1 && (has_arguments || context.is_tight());
    let path =
        |it: &Word<'_>| it.disguised && (it.text.starts_with(b"/") && it.text.len() > 4 || it.variable);
    let hidden_path = command.words.iter().skip(head.at + 1).any(path);
    let is_distinctive = head.known.is_some_and(|it| it.is_distinctive);
    let odd = command.has_odd_blanks && (has_arguments || is_distinctive) && !command.called;
    ((hidden || odd || hidden_path)
        && context.prose <= MAX_PROSE_OF_DISGUISED
        && command.lead != Lead::Resumed)
        .then_some(("rce-disguised-command", Critical))
}

/// `/usr/bin/id`
fn program_path(context: &CommandContext<'_>, command: &Command<'_>, head: &Head) -> Option<Evidence> {
    let leads = match command.lead {
        Lead::Start => {
            !context.is_breakout && head.at == 0 && context.prose == 0 && context.kind != FieldKind::Path
        }
        Lead::Resumed => false,
        _ => context.prose <= MAX_PROSE,
    };
    let arguments = &command.words[head.at + 1..];
    let prose = arguments.iter().filter(|it| is_prose(&it.text)).count();
    // A path alone may be data; after a separator a shell runs it.
    let signature = if command.lead == Lead::Start { "rce-program-path" } else { "rce-program-run" };
    (head.is_path && leads && prose <= 2).then_some((signature, High))
}

/// `$(id)`, `` `id` ``
fn substituted(context: &CommandContext<'_>, at: usize, head: &Head) -> Option<Evidence> {
    let command = &context.commands[at];
    let known = head.known?;
    if !is_substitution(command) || command.called {
        return None;
    }
    let alone = command.words.len() == head.at + 1;
    let is_bare = command.lead == Lead::Substitution && context.prose == 0 && command.words.len() <= 3;
    let is_distinctive = command.lead == Lead::Substitution && known.is_distinctive;
    let after = if alone || is_bare || is_distinctive { Some(0) } else { prose_after(command, head, known) };
    // Markdown quotes commands between backticks in mid-sentence.
    let before = command.start.checked_sub(1).map(|at| context.value[at]);
    let room = match command.lead {
        // Prose of any length: it may be padding.
        Lead::Backtick if is_strong(command, head) => usize::MAX,
        Lead::Substitution if is_strong(command, head) || is_command_line(context, at, head, known) => {
            usize::MAX
        }
        Lead::Backtick
            if !known.is_distinctive
                && (before.is_some_and(|it| it.is_ascii_whitespace())
                    || is_between_letters(context, command)) =>
        {
            0
        }
        Lead::Backtick => 1,
        _ => MAX_PROSE,
    };
    (context.prose <= room && is_followed_by_little(after, room))
        .then_some(("rce-command-substitution", Critical))
}

/// Whether a letter of another script touches a backtick of the command: a quotation in a text
/// without blanks.
fn is_between_letters(context: &CommandContext<'_>, command: &Command<'_>) -> bool {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(|it| !it.is_ascii());
    let inner = context.value.get(command.start..).unwrap_or_default();
    let inner = inner.strip_prefix(b"`").unwrap_or(inner);
    let before = &context.value[..context.value.len() - inner.len()];
    let before = before.strip_suffix(b"`").unwrap_or(before);
    let after = memchr::memchr(b'`', inner).and_then(|at| inner.get(at + 1));
    is_letter(before.last()) || is_letter(after)
}

/// Whether the arguments fit, and little prose follows them, unless any prose may surround the command.
fn is_followed_by_little(prose_after: Option<usize>, room: usize) -> bool {
    prose_after.is_some_and(|after| after <= MAX_PROSE_AFTER || room == usize::MAX)
}

/// `curl -s x`, `cat /x`, `sleep 9`, `ls | sh`: no prose has an argument of the kind that a program
/// takes, an option, a path, a URL or a pipe after it; any argument after a distinctive name.
fn is_command_line(context: &CommandContext<'_>, at: usize, head: &Head, known: Known) -> bool {
    let is_argument = |word: &Word<'_>| {
        matches!(&word.text[..], [b'-' | b'/', letter, ..] if letter.is_ascii_alphanumeric() || *letter == b'-')
            || memchr::memmem::find(&word.text, b"://").is_some()
            || known.is_distinctive
            || shape(word) & known.takes & !programs::WORD != 0
    };
    let is_known = || context.head(at + 1).is_some_and(|head| head.known.is_some());
    let is_piped = |next: &Command<'_>| next.lead == Lead::Pipe && is_known();
    context.commands[at].words[head.at + 1..].iter().any(is_argument)
        || context.commands.get(at + 1).is_some_and(is_piped)
}

/// `base64 -d x | sh`: the output of a command line runs.
fn feeds_shell(context: &CommandContext<'_>, at: usize, head: &Head, known: Known) -> bool {
    let is_shell = |it: &Head| programs::is_interpreter(&it.name);
    let is_fed = |next: &Command<'_>| next.lead == Lead::Pipe && next.words.len() == 1;
    context.commands.get(at + 1).is_some_and(is_fed)
        && context.head(at + 1).is_some_and(is_shell)
        && is_command_line(context, at, head, known)
}

/// The number of tags without attributes.
fn tags(value: &[u8]) -> usize {
    let is_tag = |at: usize| {
        let rest = &value[at + 1..];
        let name = rest.iter().take(12).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        name > 1 && rest.get(name) == Some(&b'>')
    };
    memchr::memchr_iter(b'<', value).filter(|&at| is_tag(at)).count()
}

/// `… | sh`
fn piped(context: &CommandContext<'_>, command: &Command<'_>, head: &Head) -> Option<Evidence> {
    let alone = command.words.len() == head.at + 1 || second(command, head).starts_with('-');
    let hit = command.lead == Lead::Pipe && programs::is_interpreter(&head.name) && alone && !command.called;
    (hit && context.prose <= MAX_PROSE && !context.is_list).then_some(("rce-pipe-to-shell", Critical))
}

/// `php|python|ruby` is a list of words.
fn is_list(value: &[u8], commands: &[Command<'_>]) -> bool {
    let single = |it: &&Command<'_>| it.words.len() == 1 && it.words.iter().all(|word| is_prose(&word.text));
    let singles = commands.iter().filter(single).count();
    let first = value.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let enough = if memchr::memchr(b';', value).is_some() { 3 } else { 2 };
    let is_joined = commands.iter().any(|it| matches!(it.lead, Lead::Or | Lead::And));
    singles == commands.len() && singles >= enough && first > 1 && !is_joined
}

fn follows_separator(command: &Command<'_>) -> bool {
    let leads = matches!(command.lead, Lead::Start | Lead::Resumed | Lead::Substitution | Lead::Backtick);
    !leads && !command.called
}

/// `; id`, `|| ping -n 9 x`, `& dir c:\`
fn separated(context: &CommandContext<'_>, at: usize, head: &Head) -> Option<Evidence> {
    let command = &context.commands[at];
    let known = head.known.filter(|_| follows_separator(command))?;
    let alone = command.words.len() == head.at + 1;
    let is_command = if alone && known.takes & programs::ALONE == 0 {
        // `;ping `hostname``: its argument is the output of another command.
        let next = context.commands.get(at + 1);
        next.is_some_and(|it| matches!(it.lead, Lead::Substitution | Lead::Backtick)) && context.prose <= 1
    } else if alone {
        runs_alone(context, command, known)
    } else {
        let room = match command.lead {
            Lead::Newline => 1,
            // Prose of any length: it may be padding.
            _ if is_strong(command, head) || feeds_shell(context, at, head, known) => usize::MAX,
            _ => MAX_PROSE,
        };
        let is_cut = cuts_the_rest(context.value) && context.prose <= 1 && command.words.len() <= 4;
        is_cut || context.prose <= room && is_followed_by_little(prose_after(command, head, known), room)
    };
    is_command.then_some(("rce-command-separator", Critical))
}

/// `… #`, `…&rem`: the text that the application appends becomes a comment.
fn cuts_the_rest(value: &[u8]) -> bool {
    let value = value.trim_ascii_end();
    let before = value
        .strip_suffix(b"#")
        .or_else(|| value.strip_suffix(b"&rem"))
        .or_else(|| value.strip_suffix(b"|rem"));
    before.is_some_and(|it| value.ends_with(b"rem") || it.last().is_some_and(u8::is_ascii_whitespace))
}

/// A command without arguments: only an unambiguous separator counts.
fn runs_alone(context: &CommandContext<'_>, command: &Command<'_>, known: Known) -> bool {
    if !known.is_distinctive && (context.kind == FieldKind::Path || context.is_list) {
        return false;
    }
    match command.lead {
        _ if known.is_distinctive => context.prose <= 2 && context.commands.len() <= 8,
        Lead::Semicolon | Lead::And | Lead::Or => context.is_tight(),
        Lead::Background if context.is_url => false,
        Lead::Pipe | Lead::Background | Lead::Newline => context.is_tight() && context.follows_stub(command),
        _ => false,
    }
}

fn is_url(value: &[u8]) -> bool {
    memchr::memmem::find(value, b"://").is_some() || memchr::memchr2(b'?', b'=', value).is_some()
}
