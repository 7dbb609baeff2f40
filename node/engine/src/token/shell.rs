//! Shell commands, as sh, bash and cmd.exe separate them. Never fails: unclosed quotes are plain
//! text.

mod lexer;
mod word;

pub(crate) use lexer::{Comments, commands, has_comment, plus_is_blank};
pub(crate) use word::{Word, glob_matches};

/// The construct that runs a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// The start of the value.
    Start,
    Semicolon,
    Pipe,
    /// `||`.
    Or,
    /// `&&`.
    And,
    /// A single `&`.
    Background,
    Newline,
    /// `$(`, `<(`, `>(`.
    Substitution,
    Backtick,
    /// A bracket or a closed substitution precedes it, so it need not be a command.
    Resumed,
}

/// A redirection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirection {
    /// `<`, `>`, `>>`.
    File,
    /// `<<<`.
    HereString,
}

/// A simple command: words up to the next separator.
#[derive(Debug)]
pub(crate) struct Command<'v> {
    pub lead: Lead,
    /// The start of its separator.
    pub start: usize,
    pub end: usize,
    pub words: Vec<Word<'v>>,
    /// Whether `$IFS` replaced a blank, or braces a list of words.
    pub has_odd_blanks: bool,
    /// Its redirection, if any.
    pub redirection: Option<Redirection>,
    /// Whether a bracket follows its last word directly, as in a function call.
    pub called: bool,
}

impl Command<'_> {
    fn new(lead: Lead, start: usize) -> Self {
        Self {
            lead,
            start,
            end: start,
            words: Vec::new(),
            has_odd_blanks: false,
            redirection: None,
            called: false,
        }
    }
}
