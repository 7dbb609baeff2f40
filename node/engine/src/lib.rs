//! Detection engine: finds attacks in an HTTP request. Pure: no I/O, no clock, no log.
//!
//! [`Engine::inspect`] parses a request into fields, decodes each value layer by layer, and runs
//! the detectors on every stage.
//!
//! | module | purpose |
//! |---|---|
//! | [`field`], [`point_path`] | `Field`: one value of a request, with its kind and its point |
//! | [`file_type`] | types of files by their content |
//! | [`upload_policy`] | the files that a route accepts |
//! | [`parse`] | parsers: a request into fields, and fields into nested fields |
//! | [`decode`] | decoders: each removes one layer of encoding |
//! | [`token`] | tokenizers (SQL, HTML, Markdown, XML, shell, templates, URLs, paths) that cannot fail |
//! | [`detect`] | detectors: a value into matches, one file per attack type |
//! | [`words`] | word lists of the detectors and parsers: the data in `words/*.toml` |
//! | [`prefilter`] | byte classes and literals of a value, which select the detectors to run |
//! | [`signature`] | the catalogue of `signatures/*.toml`: regular expressions with required literals |
//! | [`exploit`] | known exploits by CVE: the data in `exploits/*.toml`, matched once per request |
//! | [`clean_value_cache`] | negative cache of values without matches |
//! | [`inspection`] | visits fields and decoding stages, collects findings |
//! | [`score`] | the score of a finding: its rule, and where and how the value was written |
//! | [`payload`] | the part of a value that attacks, around the match of a rule |
//! | [`rules`] | compiled rules of the console: virtual patches, custom detectors, exclusions, masks |
//! | [`digest`] | keyed digests, by which equal values are skipped |
//! | [`budget`] | resource limits of one request; an exhausted limit is a finding |
//! | [`corpus`], [`mutate`] | labelled attacks and benign values, and the requests generated from them |

mod budget;
mod clean_value_cache;
pub mod corpus;
mod decode;
mod detect;
mod digest;
mod exploit;
mod field;
mod file_type;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod inspection;
pub mod mutate;
mod parse;
mod payload;
mod point_path;
mod prefilter;
pub mod rules;
mod score;
mod signature;
mod token;
mod upload_policy;
mod words;

use clean_value_cache::CleanValueCache;
use detect::Detectors;
use exploit::Exploits;
use inspection::Inspector;
use rules::RequestRules;
use shared::InspectRequest;

/// How a body is read by its declarations, so that others read it alike.
pub use decode::charset::is_ascii_based;
pub use file_type::{AllowedType, FileGroup, FileType};
pub use inspection::{ExplainedField, Inspection, LayerView, SuppressedFinding};
/// How bodies are split and what is skipped in them, so that others find the same values.
pub use parse::{is_no_coding, json_prefix, multipart};
pub use upload_policy::{UploadPolicy, is_data_type};

/// The compiled detectors, created once and shared by all threads.
pub struct Engine {
    detectors: Detectors,
    exploits: Exploits,
    clean_value_cache: CleanValueCache,
}

impl Engine {
    /// Compiles the built-in signatures.
    pub fn new() -> Self {
        Self {
            detectors: Detectors::built_in(),
            exploits: Exploits::built_in(),
            clean_value_cache: CleanValueCache::new(),
        }
    }

    /// Finds attacks in every field of the request. Never fails; takes time linear in the size of
    /// the request.
    pub fn inspect(&self, request: &InspectRequest) -> Inspection {
        self.inspect_with_rules(request, &RequestRules::default())
    }

    /// [`Engine::inspect`] with custom detectors, virtual patches and exclusions.
    pub fn inspect_with_rules(&self, request: &InspectRequest, rules: &RequestRules<'_>) -> Inspection {
        let clean_value_cache = Some(&self.clean_value_cache);
        inspection::inspect(self.inspector(rules, clean_value_cache), request)
    }

    /// The fields that [`Engine::inspect`] inspects, each with its decoding stages and findings.
    pub fn explain(&self, request: &InspectRequest) -> Vec<ExplainedField> {
        self.explain_with_rules(request, &RequestRules::default())
    }

    /// [`Engine::explain`] with rules, including suppressed findings.
    pub fn explain_with_rules(
        &self,
        request: &InspectRequest,
        rules: &RequestRules<'_>,
    ) -> Vec<ExplainedField> {
        inspection::explain(self.inspector(rules, None), request)
    }

    fn inspector<'e>(
        &'e self,
        rules: &'e RequestRules<'e>,
        clean_value_cache: Option<&'e CleanValueCache>,
    ) -> Inspector<'e> {
        Inspector { detectors: &self.detectors, exploits: &self.exploits, rules, clean_value_cache }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}
