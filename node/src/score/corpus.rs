//! Requests from our own corpus: each entry as written, and mutated.

use super::{Label, Labelled};
use anyhow::Context as _;
use engine::{
    corpus::{self, Sample},
    mutate::Variant,
};
use std::{fs, path::Path};

const PLAIN: &str = "own-attacks";
const MUTATED: &str = "own-attacks-mutated";
const BENIGN: &str = "own-benign";

/// The requests of a file; its name is their type.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    let kind = path.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
    let samples = corpus::parse(&fs::read_to_string(path)?)?;
    Ok(samples.iter().enumerate().flat_map(|(number, sample)| requests(number + 1, sample, &kind)).collect())
}

fn requests(number: usize, sample: &Sample, kind: &str) -> Vec<Labelled> {
    let labelled = |suite: &str, label: Label, variant: Variant| Labelled {
        id: format!("{kind} {number}, {}", variant.how),
        suite: suite.to_owned(),
        label,
        kind: kind.to_owned(),
        accepts: sample.accepts.clone(),
        request: variant.request,
    };
    if !sample.is_attack() {
        let variants = sample.everywhere().into_iter();
        return variants.map(|variant| labelled(BENIGN, Label::Benign, variant)).collect();
    }
    let mutated = sample.mutated().into_iter().map(|variant| labelled(MUTATED, Label::Attack, variant));
    [labelled(PLAIN, Label::Attack, sample.plain())].into_iter().chain(mutated).collect()
}
