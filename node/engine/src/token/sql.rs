//! SQL tokens of all dialects at once.

mod grammar;
mod lexer;
mod phrase;

pub(crate) use grammar::{Operand, Shape};
pub(crate) use lexer::{Kind, Opening};
pub(crate) use phrase::Phrase;
