//! Tokenizers. They never fail: malformed input is a property of a token.

pub(crate) mod html;
pub(crate) mod markdown;
pub(crate) mod path;
pub(crate) mod shell;
pub(crate) mod sql;
pub(crate) mod template;
pub(crate) mod unspaced;
pub(crate) mod url;
pub(crate) mod xml;
pub(crate) mod zip;
