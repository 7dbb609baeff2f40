//! Access logs of CloudFront.

use access_log::{Columns, Parser};

/// The columns of lines without a header.
const REAL_TIME: &str = "timestamp c-ip sc-status cs-method cs-host cs-uri-stem x-edge-request-id x-host-header \
    time-taken cs-user-agent cs-cookie cs-headers asn";

/// A file in any format. Lines are parsed one by one, and a record becomes a request with the id of
/// its distribution.
pub fn access_log(data: &[u8]) -> bool {
    let columns: Columns = REAL_TIME.parse().expect("the columns are valid");
    let mut parser = Parser::new(Some(columns));
    let mut has_record = false;
    for (number, line) in (1..).zip(data.split(|byte| *byte == b'\n')) {
        match parser.parse(line) {
            None => {}
            Some(Err(error)) => assert_eq!(error.line, number),
            Some(Ok(record)) => {
                has_record = true;
                let request = record.inspect_request("E1", "1");
                assert_eq!(request.request_id, Some(record.request_id("E1")));
                let report = record.response_report("E1", "1");
                assert!(report.is_none_or(|report| Some(report.request_id) == request.request_id));
            }
        }
    }
    has_record
}
