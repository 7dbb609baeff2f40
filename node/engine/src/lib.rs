//! Pure detection: a request goes in, findings come out. No I/O, no clock, no log.
//!
//! | module | does |
//! |---|---|
//! | [`field`], [`trail`] | `Field`: a piece of a request worth a look, and where it sits |
//! | [`parse`] | request → fields, and fields found inside fields |
//! | [`decode`] | decodes one layer of a value |
//! | [`token`] | values as SQL, HTML, Markdown, XML, shell, template, URL or path tokens; cannot fail |
//! | [`detect`] | a value → matches, one file per attack type |
//! | [`prefilter`] | one look at a value decides who reads it: its bytes, and the literals of all detectors |
//! | [`signature`] | the catalogue in `signatures/*.toml`: regexes, run where their literals are |
//! | [`clean_value_cache`] | values that were read before and hold nothing |
//! | [`inspection`] | walks fields and layers, turns matches into findings |
//! | [`rules`] | what operators add: virtual patches, detectors, exclusions, masks, compiled |
//! | [`budget`] | what one request may cost; running out is a finding |
//! | [`corpus`], [`mutate`] | attacks and benign as data, and the many requests each becomes: for scores and tests |

mod budget;
mod clean_value_cache;
pub mod corpus;
mod decode;
mod detect;
mod field;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod inspection;
pub mod mutate;
mod parse;
mod point_path;
mod prefilter;
pub mod rules;
mod signature;
mod token;
mod words;

use clean_value_cache::CleanValueCache;
use detect::Detectors;
use inspection::Reader;
use rules::RequestRules;
use shared::InspectRequest;

pub use inspection::{ExplainedField, Inspection, LayerView, SuppressedFinding};

/// The compiled detectors. Made once, shared by all threads.
pub struct Engine {
    detectors: Detectors,
    clean_value_cache: CleanValueCache,
}

impl Engine {
    /// Compiles the built-in signatures.
    pub fn new() -> Self {
        Self { detectors: Detectors::built_in(), clean_value_cache: CleanValueCache::new() }
    }

    /// Looks for attacks in every field of the request. Total: any request gets an answer, in time linear in its size.
    pub fn inspect(&self, request: &InspectRequest) -> Inspection {
        self.inspect_under(request, &RequestRules::default())
    }

    /// The same, with what the rules add and suppress.
    pub fn inspect_under(&self, request: &InspectRequest, rules: &RequestRules<'_>) -> Inspection {
        let clean_value_cache = Some(&self.clean_value_cache);
        inspection::inspect(Reader { detectors: &self.detectors, rules, clean_value_cache }, request)
    }

    /// Shows what [`Engine::inspect`] sees: each field, the layers decoded from it, and what was found there.
    pub fn explain(&self, request: &InspectRequest) -> Vec<ExplainedField> {
        self.explain_under(request, &RequestRules::default())
    }

    /// The same for [`Engine::inspect_under`], with what was suppressed.
    pub fn explain_under(&self, request: &InspectRequest, rules: &RequestRules<'_>) -> Vec<ExplainedField> {
        inspection::explain(Reader { detectors: &self.detectors, rules, clean_value_cache: None }, request)
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
