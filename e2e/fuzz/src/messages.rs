//! Messages between connector, node and console.

use console_api::store::{ValidRecord, node_validation_error, plausible};
use decision::{GeoFields, Policy};
use jiff::Timestamp;
use serde_json::Value;
use shared::{
    Encoding, InspectRequest, Record, ResponseReport,
    call_signature::{SignedCall, SigningKey},
    record::IngestBatch,
    ruleset::Ruleset,
};

const NOW_UNIX_MS: u64 = 1_767_225_600_000;

fn now() -> Timestamp {
    Timestamp::from_millisecond(NOW_UNIX_MS.cast_signed()).unwrap_or_default()
}

/// The first line is the header of a call signature, the rest the body of the call. Only the
/// signature made with the key is valid.
pub fn call_signature(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
    let key = SigningKey::new("edge", *b"a secret of the fuzz target");
    let call = SignedCall {
        method: "POST",
        path_and_query: "/v1/inspect/request",
        content_type: "application/json",
        body: body.as_bytes(),
    };
    let Ok(verified) = SigningKey::verify(std::slice::from_ref(&key), header, call, NOW_UNIX_MS) else {
        return false;
    };
    let signed = key.sign(call, verified.unix_ms, verified.nonce);
    assert!(signed.eq_ignore_ascii_case(header), "{header} passes for {signed}");
    true
}

/// Calls of connectors to a node, in both encodings. A decoded message survives either encoding.
pub fn message(data: &[u8]) -> bool {
    let mut is_valid = false;
    for encoding in [Encoding::Json, Encoding::MessagePack] {
        if let Ok(request) = encoding.decode::<InspectRequest>(data) {
            is_valid = true;
            for other in [Encoding::Json, Encoding::MessagePack] {
                let bytes = other.encode(&request).expect("a message can be encoded");
                let again: InspectRequest = other.decode(&bytes).expect("an encoded message can be decoded");
                assert_eq!(again, request, "{other:?}");
            }
        }
        is_valid |= encoding.decode::<ResponseReport>(data).is_ok();
    }
    is_valid
}

/// A ruleset of the console, as a node compiles it.
pub fn ruleset(data: &[u8]) -> bool {
    let Ok(ruleset) = serde_json::from_slice::<Ruleset>(data) else { return false };
    let summary = Policy::compile(&ruleset, GeoFields::default(), now()).summary;
    let items = ruleset.rules.items.len() + ruleset.lists.items.len();
    assert!(summary.rules + summary.list_entries <= items, "{summary:?}");
    !summary.left_out.is_empty() || summary.rules + summary.list_entries == items
}

/// A batch of a node, as the console reads it before it is stored.
pub fn ingest(data: &[u8]) -> bool {
    let Ok(batch) = serde_json::from_slice::<IngestBatch>(data) else { return false };
    assert!(batch.records.len() <= IngestBatch::MAX_RECORDS);
    let _status = batch.status.map(|status| plausible(status, now()));
    let mut is_valid = node_validation_error(&batch.node).is_none();
    for raw in &batch.records {
        let _any: Option<Value> = serde_json::from_str(raw.get()).ok();
        let record = serde_json::from_str::<Record>(raw.get());
        is_valid &= record.is_ok_and(|record| ValidRecord::new(record, now()).is_ok());
    }
    is_valid
}
