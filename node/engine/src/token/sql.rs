//! SQL tokens of all dialects together.

mod grammar;
mod lexer;
mod token_stream;

pub(crate) use grammar::{Operand, Shape};
pub(crate) use lexer::{Kind, Opening};
pub(crate) use token_stream::TokenStream;
