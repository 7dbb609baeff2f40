//! Bytes → shell commands, as sh, bash and cmd.exe would part them. Total: what is never closed is taken as it stands.

mod lexer;
mod word;

pub(crate) use lexer::commands;
pub(crate) use word::{Word, glob_matches};

/// How a command comes to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// It opens the value.
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
    /// It follows a bracket or a closed substitution: nothing says it is a command.
    Resumed,
}

/// What `<` and `>` do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Redirection {
    /// `<`, `>`, `>>`.
    File,
    /// `<<<`.
    HereString,
}

/// A simple command: words up to the next separator.
#[derive(Debug)]
pub(crate) struct Command {
    pub lead: Lead,
    /// Where its separator begins.
    pub start: usize,
    pub end: usize,
    pub words: Vec<Word>,
    /// `$IFS` stood for a blank, or braces for a list of words.
    pub has_odd_blanks: bool,
    /// Where it reads or writes instead of where it was meant to.
    pub redirection: Option<Redirection>,
    /// A bracket follows its last word at once, as in a function call.
    pub called: bool,
}

impl Command {
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
