//! SQL tokens of all dialects together.

mod grammar;
mod lexer;
mod runs;
mod token_stream;

pub(crate) use grammar::{Operand, Shape};
pub(crate) use lexer::{Opening, TokenKind};
pub(crate) use token_stream::{LowerText, TokenStream};
