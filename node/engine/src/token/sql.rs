//! SQL tokens of all dialects at once.

mod lexer;
mod phrase;

pub(crate) use lexer::{Kind, Opening};
pub(crate) use phrase::{Operand, Phrase, Shape};
