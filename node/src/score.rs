//! `wallarm-node score`: detection rates on labelled requests.
//!
//! A file has one JSON object per line, plain or gzip:
//! `{id, suite, label: attack|benign, type, method, path, headers: [[name, value]], body_b64}`,
//! where `method`, `path` and `headers` hold one character per byte. A file `*.toml` has the format
//! of `engine/corpus`: each entry becomes many requests. A folder stands for its files.
//!
//! A request counts as detected from the threshold of a sensitivity on, as nodes decide.

mod corpus;
mod labelled;
mod table;

use anyhow::Context as _;
use engine::Engine;
use labelled::{Label, Labelled};
use shared::{Finding, Sensitivity, score::of_request};
use std::{
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

pub use table::Table;

/// The sensitivities to measure, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sensitivities {
    Low,
    Balanced,
    Strict,
    All,
}

impl Sensitivities {
    fn list(self) -> &'static [Sensitivity] {
        match self {
            Self::Low => &[Sensitivity::Low],
            Self::Balanced => &[Sensitivity::Balanced],
            Self::Strict => &[Sensitivity::Strict],
            Self::All => &Sensitivity::ALL,
        }
    }

    /// The sensitivity of the lists of requests.
    fn of_lists(self) -> Sensitivity {
        if let [only] = self.list() { *only } else { Sensitivity::default() }
    }
}

/// The findings in a labelled request, and their score.
struct Scored {
    labelled: Labelled,
    findings: Vec<Finding>,
    score: i32,
    took: Duration,
}

/// Inspects every request of the files. Writes missed attacks and false positives to the folder
/// `list`, if given.
pub fn score(files: &[PathBuf], sensitivities: Sensitivities, list: Option<&Path>) -> anyhow::Result<Table> {
    let engine = Engine::new();
    let mut scored = Vec::new();
    for file in &expanded(files)? {
        let requests = read(file).with_context(|| format!("cannot score {}", file.display()))?;
        eprintln!("{}: {} requests", file.display(), requests.len());
        scored.extend(inspect_all(&engine, requests));
    }
    if let Some(directory) = list {
        write_lists(&scored, sensitivities.of_lists(), directory)
            .with_context(|| format!("cannot write to {}", directory.display()))?;
    }
    Ok(Table::of(&scored, sensitivities.list()))
}

/// The files, and those in folders, in a stable order.
fn expanded(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = fs::read_dir(path).with_context(|| format!("cannot read folder {}", path.display()))?;
        let mut inside = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        let is_readable = |it: &PathBuf| {
            it.is_dir()
                || [".toml", ".jsonl", ".jsonl.gz"]
                    .iter()
                    .any(|end| it.as_os_str().as_encoded_bytes().ends_with(end.as_bytes()))
        };
        inside.retain(is_readable);
        inside.sort_unstable();
        files.extend(expanded(&inside)?);
    }
    Ok(files)
}

fn read(path: &Path) -> anyhow::Result<Vec<Labelled>> {
    if path.extension().is_some_and(|extension| extension == "toml") {
        return corpus::read(path);
    }
    let file = File::open(path)?;
    let is_gzip = path.extension().is_some_and(|extension| extension == "gz");
    let reader: Box<dyn Read> =
        if is_gzip { Box::new(flate2::read::GzDecoder::new(file)) } else { Box::new(file) };
    let mut requests = Vec::new();
    for (number, line) in BufReader::new(reader).lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            requests.push(Labelled::parse(&line).with_context(|| format!("line {}", number + 1))?);
        }
    }
    Ok(requests)
}

fn inspect_all(engine: &Engine, requests: Vec<Labelled>) -> Vec<Scored> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = requests.len().div_ceil(threads).max(1);
    let mut shares: Vec<Vec<Labelled>> = Vec::new();
    for (position, request) in requests.into_iter().enumerate() {
        if position % share == 0 {
            shares.push(Vec::with_capacity(share));
        }
        shares.last_mut().expect("one was pushed for the first position").push(request);
    }
    thread::scope(|scope| {
        let inspect =
            |share: Vec<Labelled>| share.into_iter().map(|request| inspect(engine, request)).collect();
        let workers: Vec<_> =
            shares.into_iter().map(|share| scope.spawn(move || -> Vec<Scored> { inspect(share) })).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the engine does not panic")).collect()
    })
}

fn inspect(engine: &Engine, labelled: Labelled) -> Scored {
    let start = Instant::now();
    let findings = engine.inspect(&labelled.request).findings;
    Scored { took: start.elapsed(), labelled, score: of_request(&findings), findings }
}

impl Scored {
    /// Whether the request is an attack at this sensitivity.
    fn is_attack(&self, sensitivity: Sensitivity) -> bool {
        self.score >= sensitivity.threshold()
    }

    fn is_named_right(&self) -> bool {
        self.findings.iter().any(|finding| self.labelled.accepts.contains(&finding.attack_type))
    }
}

/// Writes `missed.tsv` and `false-alarms.tsv`: suite, type, id, signatures.
fn write_lists(scored: &[Scored], sensitivity: Sensitivity, directory: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    for (name, label, detected) in
        [("missed.tsv", Label::Attack, false), ("false-alarms.tsv", Label::Benign, true)]
    {
        let mut file = File::create(directory.join(name))?;
        let is_listed = |row: &&Scored| row.labelled.label == label && row.is_attack(sensitivity) == detected;
        for row in scored.iter().filter(is_listed) {
            let Labelled { suite, kind, id, .. } = &row.labelled;
            let signatures: Vec<_> = row.findings.iter().map(|finding| finding.signature.as_str()).collect();
            writeln!(file, "{suite}\t{kind}\t{id}\t{}", signatures.join(","))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = concat!(
        r#"{"id":"1","suite":"a","label":"attack","type":"sqli","method":"GET","path":"/?x='+OR+1=1","headers":[],"body_b64":""}"#,
        "\n\n",
        r#"{"id":"2","suite":"a","label":"attack","type":"xss","method":"GET","path":"/?x=nothing","headers":[],"body_b64":""}"#,
        "\n",
        r#"{"id":"3","suite":"a","label":"attack","type":"xss","method":"GET","path":"/?x='+OR+1=1","headers":[],"body_b64":""}"#,
        "\n",
        r#"{"id":"4","suite":"b","label":"benign","type":"","method":"POST","path":"/caf\u00c3\u00a9","headers":[["Host","h"]],"body_b64":"YT0x"}"#,
        "\n"
    );

    #[test]
    fn prints_rates_by_suite_and_type_and_lists_misses() {
        let directory = tempfile::tempdir().unwrap();
        let (file, list) = (directory.path().join("a.jsonl"), directory.path().join("list"));
        fs::write(&file, LINES).unwrap();
        let table = score(&[file], Sensitivities::Balanced, Some(&list)).unwrap();
        insta::assert_snapshot!(table.without_times());
        assert_eq!(fs::read_to_string(list.join("missed.tsv")).unwrap(), "a\txss\t2\t\n");
        assert_eq!(fs::read_to_string(list.join("false-alarms.tsv")).unwrap(), "");
    }

    #[test]
    fn prints_the_rates_of_all_sensitivities_side_by_side() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.jsonl");
        fs::write(&file, LINES).unwrap();
        let mut requests = read(&file).unwrap().into_iter();
        // One attack above each threshold, one below all; the benign request is above the lowest.
        let scored: Vec<_> = [7, 4, 5, 3]
            .into_iter()
            .map(|score| Scored {
                labelled: requests.next().unwrap(),
                findings: Vec::new(),
                score,
                took: Duration::ZERO,
            })
            .collect();
        insta::assert_snapshot!(Table::of(&scored, Sensitivities::All.list()).without_times());
        write_lists(&scored, Sensitivities::All.of_lists(), directory.path()).unwrap();
        assert_eq!(fs::read_to_string(directory.path().join("missed.tsv")).unwrap(), "a\txss\t2\t\n");
    }

    #[test]
    fn a_folder_of_our_own_corpus_is_scored_plain_mutated_and_benign() {
        let directory = tempfile::tempdir().unwrap();
        let attacks = "type = 'sqli'\nlanguage = 'sql'\nattacks = [{ payload = \"' or 1=1-- -\" }]";
        fs::write(directory.path().join("quotes.toml"), attacks).unwrap();
        fs::write(directory.path().join("names.toml"), "benign = [{ value = \"O'Brien\" }]").unwrap();
        fs::write(directory.path().join("README.md"), "of people").unwrap();
        let table = score(&[directory.path().to_owned()], Sensitivities::Balanced, None).unwrap();
        insta::assert_snapshot!(table.without_times());
    }

    #[test]
    fn reports_an_invalid_line_with_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.jsonl");
        fs::write(&file, "\n{}\n").unwrap();
        let error = format!("{:#}", score(&[file], Sensitivities::Balanced, None).unwrap_err());
        assert!(error.contains("line 2") && error.contains("missing field"), "{error}");
    }
}
