//! The access log: one line of JSON per verdict. It holds no query, header or body, as those may
//! hold secrets; those of a path are masked.

use super::{LogFile, writer::Writer};
use crate::mask::mask_path;
use decision::Evaluation;
use serde::Serialize;
use shared::{Action, AttackType, DecidedBy, Delivery, InspectRequest, Mode, Reason, RequestId};
use std::{net::IpAddr, sync::Arc, time::Duration};

pub struct AccessLog {
    pub(super) writer: Arc<Writer>,
    /// Includes the basis of the verdict.
    is_verbose: bool,
}

/// A request and its evaluation.
pub(crate) struct Access<'a> {
    pub(crate) request: &'a InspectRequest,
    pub(crate) request_id: RequestId,
    pub(crate) trace_id: Option<&'a str>,
    pub(crate) evaluation: &'a Evaluation<'a>,
    pub(crate) attack_types: &'a [AttackType],
    pub(crate) took: Duration,
}

#[derive(Serialize)]
struct Line<'a> {
    time: jiff::Timestamp,
    request_id: RequestId,
    #[serde(skip_serializing_if = "Option::is_none")]
    edge_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'a str>,
    client_ip: IpAddr,
    method: &'a str,
    host: &'a str,
    path: String,
    verdict: Action,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    basis: Option<Basis<'a>>,
}

/// The basis of the verdict.
#[derive(Serialize)]
struct Basis<'a> {
    delivery: Delivery,
    mode: Mode,
    mode_source: &'a str,
    reason: Option<&'a Reason>,
    would_block: bool,
    attack_types: &'a [AttackType],
    decided_by: DecidedBy,
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<u32>,
    analysis_micros: u64,
}

impl AccessLog {
    pub(crate) fn new(file: LogFile, is_verbose: bool) -> Self {
        Self { writer: Writer::start(file), is_verbose }
    }

    pub(crate) fn file(&self) -> &LogFile {
        &self.writer.file
    }

    /// Waits until pending lines are written, at most for `timeout`.
    pub fn flush(&self, timeout: Duration) {
        self.writer.flush(timeout);
    }

    pub(crate) fn log(&self, access: &Access<'_>) {
        let Access { request, evaluation, .. } = access;
        let connector = request.connector.as_ref();
        let basis = || Basis {
            delivery: request.delivery,
            mode: evaluation.mode.mode,
            mode_source: &evaluation.mode.source,
            reason: evaluation.ruling.reason.as_ref(),
            would_block: evaluation.ruling.would_block,
            attack_types: access.attack_types,
            decided_by: evaluation.decided_by.clone(),
            application: connector.and_then(|connector| connector.application),
            analysis_micros: u64::try_from(access.took.as_micros()).unwrap_or(u64::MAX),
        };
        let line = Line {
            time: jiff::Timestamp::now(),
            request_id: access.request_id,
            edge_request_id: connector.and_then(|connector| connector.edge_request_id.as_deref()),
            trace_id: access.trace_id,
            client_ip: request.client_ip,
            method: &request.method,
            host: &request.host,
            path: mask_path(&request.path),
            verdict: evaluation.ruling.action,
            basis: self.is_verbose.then(basis),
        };
        if let Ok(mut line) = serde_json::to_vec(&line) {
            line.push(b'\n');
            self.writer.write(&line);
        }
    }
}
