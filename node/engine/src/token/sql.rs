//! SQL tokens of all dialects at once.

mod grammar;
mod lexer;
mod token_stream;

pub(crate) use grammar::{Operand, Shape};
pub(crate) use lexer::{Kind, Opening};
pub(crate) use token_stream::TokenStream;
