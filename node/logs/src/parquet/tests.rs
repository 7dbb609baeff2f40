//! Tests of files of another implementation, and of damaged and hostile files.

use super::*;
use crate::{Field, LogRecord, Selection};
use bytes::Bytes;
use parquet::{
    basic::{Compression, GzipLevel},
    data_type::{ByteArray, ByteArrayType},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use proptest::prelude::*;
use std::fmt::Write as _;

const JSON: &str = include_str!("../../fixtures/rows.json");
/// Three row groups of texts with dictionaries.
const GZIP: &[u8] = include_bytes!("../../fixtures/gzip.parquet");
/// Texts without dictionaries, null for `-`, in pages of version 2.
const SNAPPY: &[u8] = include_bytes!("../../fixtures/snappy.parquet");
/// Numbers, and small pages of version 2, without compression.
const NUMBERS: &[u8] = include_bytes!("../../fixtures/numbers.parquet");
const ZSTD: &[u8] = include_bytes!("../../fixtures/zstd.parquet");

/// The lines from a row on, and why the rest cannot be read.
fn lines(file: &[u8], skipped: u64) -> (Vec<Vec<u8>>, Result<(), ParquetLogError>) {
    let (mut lines, mut line) = (Vec::new(), Vec::new());
    let result = ParquetRows::open(Bytes::copy_from_slice(file)).and_then(|mut rows| {
        rows.skip(skipped)?;
        while rows.read_line(&mut line)? {
            lines.push(line.clone());
        }
        Ok(())
    });
    (lines, result)
}

fn error(file: &[u8]) -> String {
    lines(file, 0).1.unwrap_err().to_string()
}

fn parse<'l>(lines: impl IntoIterator<Item = &'l [u8]>) -> Vec<LogRecord> {
    let mut parser = Parser::new(None);
    lines.into_iter().map(|line| parser.parse(line).unwrap().unwrap()).collect()
}

fn records(file: &[u8], skipped: u64) -> Vec<LogRecord> {
    let (lines, result) = lines(file, skipped);
    result.unwrap();
    parse(lines.iter().map(Vec::as_slice))
}

#[test]
fn rows_are_the_records_of_the_same_lines_in_json() {
    let expected = parse(JSON.lines().map(str::as_bytes));
    assert_eq!(expected.len(), 40);
    for file in [GZIP, SNAPPY, NUMBERS] {
        assert_eq!(records(file, 0), expected);
    }
}

#[test]
fn rows_are_skipped_within_and_across_row_groups() {
    let expected = parse(JSON.lines().map(str::as_bytes));
    for file in [GZIP, SNAPPY, NUMBERS] {
        for skipped in 0..=expected.len() {
            assert_eq!(records(file, skipped as u64), expected[skipped..]);
        }
        assert!(records(file, 1_000).is_empty());
    }
}

#[test]
fn columns_have_the_names_of_athena() {
    let named = |name: &str| Field::of_column(name).map(Field::name);
    assert_eq!(named("cs_host"), Some("cs(Host)"));
    assert_eq!(named("cs_user_agent"), Some("cs(User-Agent)"));
    assert_eq!(named("timestamp_ms"), Some("timestamp(ms)"));
    assert_eq!(named("distributionid"), Some("DistributionId"));
    assert_eq!(named("fle_status"), None);
    for name in Selection::StandardV2.fields() {
        let column = name.to_ascii_lowercase().replace(['-', '('], "_").replace(')', "");
        assert_eq!(named(&column), Field::named(name).map(Field::name), "{column}");
    }
}

#[test]
fn a_truncated_file_is_an_error_without_rows() {
    for file in [GZIP, SNAPPY, NUMBERS] {
        for length in 0..file.len() {
            let (rows, result) = lines(&file[..length], 0);
            assert!(rows.is_empty() && result.is_err(), "{length} of {} bytes", file.len());
        }
        let half = error(&file[..file.len() / 2]);
        assert_eq!(half, "no Parquet footer: the file is truncated, or is not yet written to its end");
    }
}

#[test]
fn a_damaged_page_costs_no_row_before_it() {
    let expected = parse(JSON.lines().map(str::as_bytes));
    let footer = ParquetMetaDataReader::new().parse_and_finish(&Bytes::from_static(GZIP)).unwrap();
    let (start, length) = footer.row_group(1).column(9).byte_range();
    let mut file = GZIP.to_vec();
    let page = usize::try_from(start).unwrap()..usize::try_from(start + length).unwrap();
    file[page].fill(0);
    let (lines, result) = lines(&file, 0);
    let cause = result.unwrap_err().to_string();
    assert!(cause.starts_with("row group 1, column cs_uri_stem: "), "{cause}");
    assert_eq!(parse(lines.iter().map(Vec::as_slice)), expected[..16]);
}

#[test]
fn files_that_are_no_logs_are_errors_that_name_the_column() {
    assert_eq!(error(ZSTD), "column timestamp_ms is compressed with ZSTD; SNAPPY and GZIP are read");
    let missing = write("required binary cs_uri_stem (UTF8);", &[b"/"], &[1]);
    assert_eq!(error(&missing), "the schema has no field x-edge-request-id");
    let wrong = write("required boolean sc_status;", &[], &[]);
    assert_eq!(error(&wrong), "column sc_status has the type BOOLEAN; texts and numbers are read");
    let mut footer = GZIP.to_vec();
    let length = footer.len();
    footer[length - 8..length - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(error(&footer), "the Parquet footer has 4294967295 bytes, more than 2097152");
}

const REQUIRED: [&str; 6] =
    ["x_edge_request_id", "timestamp_ms", "c_ip", "cs_method", "cs_uri_stem", "cs_host"];

/// Texts of all columns that a record needs, and of `others`: one for each row.
fn texts(others: &[&str], rows: &[&[u8]]) -> Vec<u8> {
    let columns = REQUIRED.iter().chain(others).fold(String::new(), |mut columns, name| {
        let _ = write!(columns, "required binary {name} (UTF8);");
        columns
    });
    write(&columns, rows, &vec![1; REQUIRED.len() + others.len()])
}

fn write(columns: &str, rows: &[&[u8]], written: &[u8]) -> Vec<u8> {
    let schema = parse_message_type(&format!("message log {{ {columns} }}")).unwrap();
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(GzipLevel::default()))
        .set_dictionary_enabled(false)
        .set_statistics_enabled(parquet::file::properties::EnabledStatistics::None)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema.into(), properties.into()).unwrap();
    if !written.is_empty() {
        let mut group = writer.next_row_group().unwrap();
        let values: Vec<ByteArray> = rows.iter().map(|value| ByteArray::from(value.to_vec())).collect();
        while let Some(mut column) = group.next_column().unwrap() {
            column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.into_inner().unwrap()
}

#[test]
fn a_value_of_any_bytes_is_a_line_that_the_parser_reads_or_refuses() {
    let long = vec![b'x'; Parser::MAX_LINE_BYTES + 10];
    let (lines, result) = lines(&texts(&[], &[b"a\"\\\n\xff\x00", &long]), 0);
    result.unwrap();
    let text = std::str::from_utf8(&lines[0]).unwrap();
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value["cs-uri-stem"], "a\"\\\n\u{fffd}\0");
    assert_eq!(lines.len(), 2);
    assert!(lines[1].len() < 2 * Parser::MAX_LINE_BYTES);
    let refused = Parser::new(None).parse(&lines[1]).unwrap().unwrap_err();
    assert_eq!(refused.cause.to_string(), "has more than 262144 bytes");
}

#[test]
fn pages_are_decompressed_within_limits() {
    let page = vec![0; MAX_PAGE_BYTES];
    let cause = error(&texts(&[], &[&page]));
    assert_eq!(
        cause,
        "row group 0, column x_edge_request_id: Parquet error: a page has more than 16777216 bytes"
    );
    let page = vec![0; MAX_PAGE_BYTES - 4];
    let others = ["cs_cookie", "cs_referer", "cs_user_agent"];
    let cause = error(&texts(&others, &[&page]));
    assert!(cause.ends_with("have more than 134217728 bytes"), "{cause}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bytes_are_rows_or_an_error(
        file in prop::sample::select(vec![GZIP, SNAPPY, NUMBERS]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_footer in any::<bool>(),
    ) {
        let mut damaged = file.to_vec();
        let footer = u32::from_le_bytes(file[file.len() - 8..file.len() - 4].try_into().unwrap()) as usize;
        let first = if in_footer { file.len() - 8 - footer } else { 0 };
        for (index, byte) in changes {
            let position = first + index.index(file.len() - first);
            damaged[position] = byte;
        }
        let (mut rows, mut line) = (0, Vec::new());
        let _ = ParquetRows::open(Bytes::from(damaged)).and_then(|mut file| {
            while rows < 100_000 && file.read_line(&mut line)? {
                rows += 1;
            }
            Ok(())
        });
    }
}
