//! Tests of files that grow, are compressed, truncated, or read again.

use super::*;
use crate::{Config, config::Environment, log::Logs};
use flate2::{Compression, write::GzEncoder};
use shared::{AttackRecord, CoverageTotals, Delivery, Enforced, Record, RequestId};
use std::{collections::BTreeMap, fs::OpenOptions, io::Write as _};
use tempfile::TempDir;

const HEADER: &str = "#Version: 1.0\n#Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status \
    x-edge-result-type x-edge-request-id x-host-header\n";

fn line(id: &str, path: &str) -> String {
    format!(
        "2026-01-02\t03:04:05\t203.0.113.7\tGET\td1.cloudfront.net\t{path}\t200\tHit\t{id}\tshop.example.com\n"
    )
}

struct Harness {
    folder: TempDir,
    node: Arc<Node>,
}

impl Harness {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        let node = node(&folder);
        Self { folder, node }
    }

    /// As after a kill: the state on disk remains.
    fn restarted(self) -> Self {
        let Self { folder, node } = self;
        drop(node);
        let node = self::node(&folder);
        Self { folder, node }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("logs").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn files(&self, is_final: bool) -> LogFiles {
        let (paths, state) = (vec![self.folder.path().join("logs")], self.folder.path().join("state.json"));
        LogFiles::open(self.node.clone(), paths, &state, is_final).unwrap()
    }

    fn pass(&self, is_final: bool) -> LogTally {
        self.files(is_final).pass(&CancellationToken::new()).unwrap()
    }

    fn attacks(&self) -> Vec<AttackRecord> {
        let attack = |record| match record {
            Record::Attack(attack) => Some(*attack),
            _ => None,
        };
        self.node.spool.waiting().into_iter().filter_map(attack).collect()
    }

    /// The coverage as the console adds it up, by behavior.
    fn coverage(&self) -> BTreeMap<String, CoverageTotals> {
        self.node.flush_journal().unwrap();
        let (mut last, mut sums) = (BTreeMap::new(), BTreeMap::<_, CoverageTotals>::new());
        for record in self.node.spool.waiting() {
            let Record::Coverage(coverage) = record else { continue };
            let last = last.entry(coverage.source).or_insert(0);
            if coverage.sequence > *last {
                *last = coverage.sequence;
                for count in coverage.counts {
                    *sums.entry(count.behavior).or_default() += count.totals;
                }
            }
        }
        sums
    }

    fn requests(&self) -> u64 {
        self.coverage().values().map(|totals| totals.requests).sum()
    }
}

fn node(folder: &TempDir) -> Arc<Node> {
    let spool = folder.path().join("spool");
    let config = format!(
        "version: 4\nmode: connector-server\nconnector: {{address: ':1'}}\nroute_config: {{wallarm_mode: block}}\n\
         logs: {{distribution_id: E1, paths: [/logs]}}\nspool: {{directory: '{}'}}\n",
        spool.display()
    );
    let config = Config::parse(Path::new("node.yaml"), &config, &Environment::default()).unwrap();
    Arc::new(Node::build(config, Logs::default()).unwrap().0)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn inspected(inspected: u64) -> LogTally {
    LogTally { inspected, ..LogTally::default() }
}

#[test]
fn an_attack_in_a_log_becomes_a_hit_that_does_not_claim_to_be_enforced() {
    let harness = Harness::new();
    harness.append("E2EXAMPLE.2026-01-02-03.a1.log", &format!("{HEADER}{}", line("a==", "/etc/passwd")));
    assert_eq!(harness.pass(true), inspected(1));
    let attacks = harness.attacks();
    assert_eq!(attacks.len(), 1);
    let (request, decision) = (&attacks[0].request, &attacks[0].decision);
    assert_eq!(
        request.request_id,
        RequestId::derive("E2EXAMPLE", "a=="),
        "the id is in the name of the file"
    );
    assert_eq!(request.at.to_string(), "2026-01-02T03:04:05Z");
    assert_eq!((decision.delivery, decision.enforced), (Delivery::Log, Enforced::Unknown));
    let records = harness.node.spool.waiting();
    let Some(Record::Response(report)) = records.iter().find(|it| matches!(it, Record::Response(_))) else {
        panic!("a report: {records:?}")
    };
    assert_eq!(report.status, 200);
    assert_eq!(report.logged.as_ref().unwrap().result_type.as_deref(), Some("Hit"));
}

#[test]
fn a_growing_file_is_read_from_its_last_record() {
    let harness = Harness::new();
    harness.append("a.log", &format!("{HEADER}{}", line("a==", "/")));
    let mut files = harness.files(false);
    let stop = CancellationToken::new();
    assert_eq!(files.pass(&stop).unwrap(), inspected(1));
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
    let (start, end) = (&line("b==", "/etc/passwd")[..40], &line("b==", "/etc/passwd")[40..]);
    harness.append("a.log", start);
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default(), "the line has no end");
    harness.append("a.log", end);
    assert_eq!(files.pass(&stop).unwrap(), inspected(1));
    harness.append("a.log", &line("c==", "/"));
    drop(files);
    let harness = harness.restarted();
    assert_eq!(harness.pass(false), inspected(1), "the state has the columns");
    assert_eq!(harness.attacks().len(), 1);
}

#[test]
fn a_file_read_twice_counts_once() {
    let harness = Harness::new();
    let text = format!("{HEADER}{}{}", line("a==", "/etc/passwd"), line("a==", "/etc/passwd"));
    harness.append("a.log", &text);
    assert_eq!(harness.pass(true), LogTally { inspected: 1, duplicates: 1, ..LogTally::default() });
    fs::rename(harness.path("a.log"), harness.path("b.log")).unwrap();
    assert_eq!(harness.pass(true), LogTally { duplicates: 2, ..LogTally::default() });
    let harness = harness.restarted();
    fs::rename(harness.path("b.log"), harness.path("c.log")).unwrap();
    assert_eq!(harness.pass(true), LogTally { duplicates: 2, ..LogTally::default() }, "after a kill");
    assert_eq!((harness.attacks().len(), harness.requests()), (1, 1));
}

#[test]
fn requests_count_by_behavior_and_by_what_inspected_them() {
    let harness = Harness::new();
    let header = HEADER.replace(" x-host-header", " x-host-header cache-behavior-path-pattern");
    let line = |id, path, behavior| line(id, path).replace('\n', &format!("\t{behavior}\n"));
    let attack = line("b==", "/etc/passwd", "/files/*");
    harness.append("a.log", &format!("{header}{}{attack}{}", line("a==", "/", "*"), line("c==", "/", "-")));
    assert_eq!(harness.pass(true), inspected(3));
    let cached = CoverageTotals { requests: 1, cached: 1, cache_hits: 1, ..CoverageTotals::default() };
    let expected = [
        ("*".to_owned(), cached),
        ("/files/*".to_owned(), CoverageTotals { log_attacks: 1, ..cached }),
        ("unknown".to_owned(), cached),
    ];
    assert_eq!(harness.coverage(), expected.into());
}

#[test]
fn a_compressed_file_without_a_last_line_feed_is_read_once() {
    let harness = Harness::new();
    let text = format!("{HEADER}{}{}", line("a==", "/"), line("b==", "/").trim_end());
    fs::write(harness.path("a.gz"), gzip(&text)).unwrap();
    let mut files = harness.files(false);
    let stop = CancellationToken::new();
    assert_eq!(files.pass(&stop).unwrap(), inspected(2));
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(harness.folder.path().join("state.json")).unwrap()).unwrap();
    let file = &state[harness.path("a.gz").to_str().unwrap()];
    assert_eq!(file["read_bytes"], fs::metadata(harness.path("a.gz")).unwrap().len(), "{state}");
}

#[test]
fn a_truncated_gzip_file_continues_when_it_is_complete() {
    let harness = Harness::new();
    let lines: String = (0..2000).map(|n| line(&format!("{n}=="), &format!("/{n}"))).collect();
    let whole = gzip(&format!("{HEADER}{lines}"));
    fs::write(harness.path("a.gz"), &whole[..whole.len() / 2]).unwrap();
    let mut files = harness.files(false);
    let stop = CancellationToken::new();
    let first = files.pass(&stop).unwrap();
    assert!((1..2000).contains(&first.inspected), "{first:?}");
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
    fs::write(harness.path("a.gz"), &whole).unwrap();
    let second = files.pass(&stop).unwrap();
    assert_eq!((first.inspected + second.inspected, second.duplicates), (2000, 0));
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
}

/// 40 rows in row groups of 16.
const PARQUET: &[u8] = include_bytes!("../../logs/fixtures/gzip.parquet");

/// With a second row group whose first page cannot be decompressed.
fn damaged_parquet() -> Vec<u8> {
    let pages = PARQUET.windows(3).enumerate().filter(|(_, bytes)| *bytes == [0x1f, 0x8b, 0x08]);
    let pages: Vec<_> = pages.map(|(position, _)| position).collect();
    let mut damaged = PARQUET.to_vec();
    damaged[pages[pages.len() / 3]] = 0;
    damaged
}

#[test]
fn a_parquet_file_is_read_once_also_after_a_restart() {
    let harness = Harness::new();
    fs::write(harness.path("a.parquet"), PARQUET).unwrap();
    let mut files = harness.files(false);
    let stop = CancellationToken::new();
    assert_eq!(files.pass(&stop).unwrap(), inspected(40));
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
    assert_eq!((harness.attacks().len(), harness.requests()), (24, 40));
    drop(files);
    let harness = harness.restarted();
    assert_eq!(harness.pass(true), LogTally::default(), "the state has its size");
    fs::rename(harness.path("a.parquet"), harness.path("b.parquet")).unwrap();
    assert_eq!(harness.pass(true), LogTally { duplicates: 40, ..LogTally::default() });
}

#[test]
fn a_damaged_parquet_file_continues_at_its_row_when_it_is_whole() {
    let harness = Harness::new();
    fs::write(harness.path("a.parquet"), &PARQUET[..PARQUET.len() / 2]).unwrap();
    let mut files = harness.files(false);
    let stop = CancellationToken::new();
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
    assert_eq!(files.failed().collect::<Vec<_>>(), [harness.path("a.parquet")]);
    fs::write(harness.path("a.parquet"), damaged_parquet()).unwrap();
    assert_eq!(files.pass(&stop).unwrap(), inspected(16));
    assert_eq!(files.pass(&stop).unwrap(), LogTally::default());
    assert_eq!(files.failed().count(), 1);
    fs::write(harness.path("a.parquet"), PARQUET).unwrap();
    let file = OpenOptions::new().write(true).open(harness.path("a.parquet")).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(files.pass(&stop).unwrap(), inspected(24), "from the second row group on");
    assert_eq!((files.failed().count(), harness.requests()), (0, 40));
}

#[test]
fn a_parquet_file_is_not_a_stream() {
    let harness = Harness::new();
    let read = command::read_stream(&harness.node, io::Cursor::new(PARQUET), &CancellationToken::new());
    let cause = format!("{:#}", read.unwrap_err());
    assert_eq!(cause, "a Parquet file is read from its end: pass its path instead");
}

#[tokio::test]
async fn the_command_fails_for_a_file_that_cannot_be_read_to_its_end() {
    #[derive(clap::Parser)]
    struct Arguments {
        #[command(flatten)]
        ingest: command::IngestLogs,
    }

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let config = format!(
        "version: 4\nmode: connector-server\nconnector: {{address: ':1'}}\nspool: {{directory: '{}'}}\n",
        path("spool")
    );
    fs::write(path("node.yaml"), config).unwrap();
    fs::create_dir(path("logs")).unwrap();
    fs::write(path("logs/a.parquet"), &PARQUET[..1_000]).unwrap();
    fs::write(path("logs/b.parquet"), PARQUET).unwrap();
    let run = async || {
        let arguments = ["ingest-logs", "--config", &path("node.yaml"), &path("logs")];
        let ingest = <Arguments as clap::Parser>::try_parse_from(arguments).unwrap().ingest;
        let config = ingest.config().unwrap();
        ingest.run(config, Logs::default(), CancellationToken::new()).await
    };
    let cause = run().await.unwrap_err().to_string();
    assert_eq!(cause, format!("could not be read to the end: {}", path("logs/a.parquet")));
    fs::write(path("logs/a.parquet"), PARQUET).unwrap();
    run().await.unwrap();
}

#[test]
fn malformed_lines_are_counted_and_skipped() {
    let harness = Harness::new();
    let long = "x".repeat(300_000);
    harness.append("a.log", &format!("{HEADER}{long}\n{{}}\n{}x\ty\n{}", line("a==", "/"), line("b==", "/")));
    assert_eq!(harness.pass(true), LogTally { inspected: 2, malformed: 3, ..LogTally::default() });
}

#[test]
fn a_full_spool_keeps_the_position() {
    let harness = Harness::new();
    harness.append("a.log", &format!("{HEADER}x\n{}", line("a==", "/etc/passwd")));
    let spool = harness.folder.path().join("spool");
    fs::remove_dir_all(&spool).unwrap();
    for _ in 0..3 {
        assert!(harness.files(true).pass(&CancellationToken::new()).is_err());
    }
    assert_eq!(harness.node.log_totals.get(), LogTally::default(), "nothing was stored");
    fs::create_dir(&spool).unwrap();
    let expected = LogTally { malformed: 1, ..inspected(1) };
    assert_eq!(harness.pass(true), expected);
    assert_eq!(harness.node.log_totals.get(), expected);
    assert_eq!(harness.node.spool.stats().dropped, 0, "the records were kept");
    assert_eq!((harness.attacks().len(), harness.requests()), (1, 1));
}

#[test]
fn a_stream_is_read_to_its_end() {
    let harness = Harness::new();
    let text = format!("{HEADER}{}{}", line("a==", "/"), line("b==", "/").trim_end());
    for stream in [text.clone().into_bytes(), gzip(&text)] {
        command::read_stream(&harness.node, io::Cursor::new(stream), &CancellationToken::new()).unwrap();
    }
    let expected = LogTally { inspected: 2, duplicates: 2, ..LogTally::default() };
    assert_eq!(harness.node.log_totals.get(), expected);
}

#[test]
fn distributions_are_found_in_paths() {
    let table = [
        ("logs/E2EXAMPLE.2026-11-30-23.1a2b3c4d.gz", Some("E2EXAMPLE")),
        ("logs/E2EXAMPLE/2026/11/30/23/a.gz", Some("E2EXAMPLE")),
        ("logs/DistributionId=E2EXAMPLE/year=2026/a.gz", Some("E2EXAMPLE")),
        ("logs/E2EXAMPLE/year=2026/month=11/a.gz", Some("E2EXAMPLE")),
        ("logs/distributionid=E2EXAMPLE/a.gz", Some("E2EXAMPLE")),
        ("EXPORT/a.gz", None),
        ("EXPORT2026/a.gz", None),
        ("EXPORT2026/logs/2026/a.gz", None),
        ("Env=EUROPEWEST1/a.gz", None),
        ("EXPORT2026.log.gz", None),
        ("EXPORT2026.2026-11-30.gz", None),
        ("a.gz", None),
    ];
    for (path, expected) in table {
        assert_eq!(distribution_id(Path::new(path)), expected, "{path}");
    }
}

#[test]
fn a_damaged_state_is_renamed_and_the_files_are_read_again() {
    let harness = Harness::new();
    harness.append("a.log", &format!("{HEADER}{}", line("1==", "/etc/passwd")));
    assert_eq!(harness.pass(true).inspected, 1);
    let state = harness.folder.path().join("state.json");
    for damaged in ["", "{\"a\""] {
        fs::write(&state, damaged).unwrap();
        let tally = harness.pass(true);
        assert_eq!((tally.inspected, tally.duplicates), (0, 1), "{damaged:?}");
        assert_eq!(fs::read_to_string(state.with_extension("json.damaged")).unwrap(), damaged);
    }
}
