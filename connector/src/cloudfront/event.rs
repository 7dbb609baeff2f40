//! Events of the four triggers.

use super::{edit, headers::Headers, reply::Reply};
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;
use shared::{Body, RequestId, Trigger};
use std::borrow::Cow;

/// One event. Events of response triggers contain the request, too.
#[derive(Debug)]
pub struct Event<'a> {
    pub config: EventConfig<'a>,
    request: &'a RawValue,
    response: Option<&'a RawValue>,
}

/// Why an event is invalid.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    #[error("the event is not a CloudFront event: {0}")]
    Envelope(#[source] serde_json::Error),
    #[error("the event has {0} records instead of one")]
    Records(usize),
    #[error("the event's request is invalid: {0}")]
    Request(#[source] serde_json::Error),
    #[error("the event's response is invalid: {0}")]
    Response(#[source] serde_json::Error),
    #[error("the event has no response")]
    NoResponse,
    #[error("the event's {field} is invalid: {value:?}")]
    Field { field: &'static str, value: String },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventConfig<'a> {
    #[serde(borrow)]
    pub distribution_domain_name: Cow<'a, str>,
    #[serde(borrow)]
    pub distribution_id: Cow<'a, str>,
    pub event_type: Trigger,
    /// The same in all events of a viewer request; the viewer receives it as `x-amz-cf-id`.
    #[serde(borrow)]
    pub request_id: Cow<'a, str>,
}

/// The fields of the viewer's request that inspection needs.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventRequest<'a> {
    #[serde(borrow)]
    pub client_ip: Cow<'a, str>,
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    #[serde(borrow)]
    pub uri: Cow<'a, str>,
    #[serde(borrow, default)]
    pub querystring: Cow<'a, str>,
    #[serde(default)]
    pub headers: Headers,
    #[serde(borrow, default)]
    pub body: Option<EventBody<'a>>,
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// The body, if the trigger includes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventBody<'a> {
    #[serde(default)]
    pub input_truncated: bool,
    #[serde(borrow, default)]
    pub encoding: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub data: Cow<'a, str>,
}

/// The origin, in events of the origin triggers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    #[serde(rename_all = "camelCase")]
    Custom { domain_name: String },
    #[serde(rename_all = "camelCase")]
    S3 { domain_name: String },
}

#[derive(Debug, Deserialize)]
pub struct EventResponse {
    #[serde(deserialize_with = "status_code")]
    pub status: u16,
    #[serde(default)]
    pub headers: Headers,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<EnvelopeRecord<'a>>,
}

#[derive(Deserialize)]
struct EnvelopeRecord<'a> {
    #[serde(borrow)]
    cf: EnvelopeContent<'a>,
}

#[derive(Deserialize)]
struct EnvelopeContent<'a> {
    #[serde(borrow)]
    config: EventConfig<'a>,
    #[serde(borrow)]
    request: &'a RawValue,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

impl<'a> Event<'a> {
    pub fn parse(json: &'a RawValue) -> Result<Self, EventError> {
        let mut envelope: Envelope<'a> = serde_json::from_str(json.get()).map_err(EventError::Envelope)?;
        let count = envelope.records.len();
        match envelope.records.pop() {
            Some(EnvelopeRecord { cf }) if count == 1 => {
                Ok(Self { config: cf.config, request: cf.request, response: cf.response })
            }
            _ => Err(EventError::Records(count)),
        }
    }

    pub fn request_id(&self) -> RequestId {
        RequestId::derive(&self.config.distribution_id, &self.config.request_id)
    }

    pub fn request(&self) -> Result<EventRequest<'a>, EventError> {
        serde_json::from_str(self.request.get()).map_err(EventError::Request)
    }

    pub fn response(&self) -> Result<EventResponse, EventError> {
        let response = self.response.ok_or(EventError::NoResponse)?;
        serde_json::from_str(response.get()).map_err(EventError::Response)
    }

    pub fn is_request(&self) -> bool {
        self.config.event_type.is_request()
    }

    /// Returns the response at response triggers, else the request, byte for byte.
    pub fn unchanged(&self) -> Reply {
        Reply::Continue(self.response.unwrap_or(self.request).to_owned())
    }

    /// Returns the request with a header set or removed, everything else byte for byte.
    pub fn with_header(&self, name: &str, value: Option<&str>) -> Reply {
        edit::with_header(self.request, name, value).map_or_else(|| self.unchanged(), Reply::Continue)
    }
}

impl EventRequest<'_> {
    /// Whether the viewer sent a body, even if the event does not include it.
    pub fn has_body(&self) -> bool {
        self.body.as_ref().is_some_and(|body| !body.data.is_empty())
            || self.headers.first("content-length").is_some_and(|length| length.trim() != "0")
            || self.headers.first("transfer-encoding").is_some()
    }
}

impl EventBody<'_> {
    pub fn decode(&self) -> Result<Body, EventError> {
        if self.encoding.as_deref() == Some("text") {
            return Ok(Body(self.data.as_bytes().to_vec()));
        }
        Body::from_base64(&self.data)
            .map_err(|cause| EventError::Field { field: "body", value: cause.to_string() })
    }
}

impl Origin {
    pub fn domain_name(&self) -> &str {
        match self {
            Self::Custom { domain_name } | Self::S3 { domain_name } => domain_name,
        }
    }
}

/// CloudFront writes the status as text.
fn status_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Status {
        Text(String),
        Number(u16),
    }
    match Status::deserialize(deserializer)? {
        Status::Number(status) => Ok(status),
        Status::Text(text) => {
            text.parse().map_err(|_| de::Error::custom(format!("`{text}` is not a status code")))
        }
    }
}
