//! What handlers take: query parameters that are all known and all right, and ids from the path.

use crate::{
    attack::Order,
    clock::Clock,
    error::ApiError,
    paging::{Cursor, Slice},
    query::{self, Condition, Field, Filter, Problem, Times},
};
use axum::{
    body::Bytes,
    extract::{
        FromRef, FromRequest, FromRequestParts, Path, Query as RawQuery, Request, rejection::BytesRejection,
    },
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
};
use flate2::read::GzDecoder;
use jiff::Timestamp;
use ruzstd::decoding::StreamingDecoder;
use serde::{
    Deserialize as _, Deserializer,
    de::{self, DeserializeOwned},
};
use serde_json::{Map, Value};
use shared::Encoding;
use std::{
    io::{self, Read as _},
    str::FromStr,
};
use uuid::Uuid;

/// The query parameters of a call, taken one by one. What nobody takes is a mistake of the caller, and named.
pub struct Parameters {
    pairs: Vec<(String, String)>,
    /// What times such as `-24h` count from.
    now: Timestamp,
}

impl Parameters {
    /// What has not been taken yet.
    pub fn given(&self) -> impl Iterator<Item = &(String, String)> {
        self.pairs.iter()
    }

    /// The value of a parameter. An empty one counts as left out: forms send what was not filled in.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ApiError> {
        let mut given = self.pairs.extract_if(.., |(given, _)| given == name);
        let value = given.next().map(|(_, value)| value);
        if given.next().is_some() {
            return Err(ApiError::parameter(name, format!("`{name}` is given more than once")));
        }
        if value.as_ref().is_some_and(|value| value.contains('\0')) {
            return Err(ApiError::parameter(name, format!("`{name}` holds a NUL")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// A value read by `read`; `expected` completes "`name` must be …".
    pub fn read<T>(
        &mut self,
        name: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let bad = || ApiError::parameter(name, format!("`{name}` must be {expected}"));
        read(&text).ok_or_else(bad).map(Some)
    }

    pub fn parse<T: FromStr>(&mut self, name: &str, expected: &str) -> Result<Option<T>, ApiError> {
        self.read(name, expected, |text| text.parse().ok())
    }

    /// Whether a word is there, as `?word`, `?word=true` or `?word=1`.
    pub fn flag(&mut self, name: &str) -> Result<bool, ApiError> {
        let is_given = self.pairs.iter().any(|(given, _)| given == name);
        let value = self.read(name, "true or false, or stand alone", |text| match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        })?;
        Ok(value.unwrap_or(is_given))
    }

    pub fn time(&mut self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let now = self.now;
        self.read(name, Times::MOMENT, |text| query::moment(text, now))
    }

    fn end(self) -> Result<(), ApiError> {
        match self.pairs.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!("`{name}` is not a parameter of this call");
                Err(ApiError::parameter(name, detail))
            }
        }
    }
}

/// Something that is read from query parameters.
pub trait FromParameters: Sized {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError>;
}

impl<A: FromParameters, B: FromParameters> FromParameters for (A, B) {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        Ok((A::from_parameters(parameters)?, B::from_parameters(parameters)?))
    }
}

impl FromParameters for () {
    fn from_parameters(_: &mut Parameters) -> Result<Self, ApiError> {
        Ok(())
    }
}

/// The query of a call, read to the end.
pub struct Query<T>(pub T);

impl<S: Sync, T: FromParameters> FromRequestParts<S> for Query<T>
where
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let RawQuery(pairs) = RawQuery::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::BadBody("the query is not percent-encoded UTF-8".to_owned()))?;
        let mut parameters = Parameters { pairs, now: Clock::from_ref(state).now() };
        let value = T::from_parameters(&mut parameters)?;
        parameters.end()?;
        Ok(Self(value))
    }
}

/// A cursor belongs to the order it was given for.
impl FromParameters for (Order, Slice) {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let order = parameters.read("sort", Order::EXPECTED, Order::parse)?.unwrap_or_default();
        let slice = slice(parameters, &order.text())?;
        Ok((order, slice))
    }
}

impl FromParameters for Slice {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        slice(parameters, "")
    }
}

fn slice(parameters: &mut Parameters, list: &str) -> Result<Slice, ApiError> {
    let limit = parameters.read("limit", "a number from 1 to 200", |text| {
        text.parse().ok().filter(|limit| (1..=Slice::MAX_LIMIT).contains(limit))
    })?;
    let after = parameters.read("cursor", "a `next_cursor` of this list", |text| {
        Cursor::parse(text).filter(|cursor| cursor.list == list)
    })?;
    Ok(Slice { limit: limit.unwrap_or(Slice::DEFAULT_LIMIT), after })
}

/// `q`, and a parameter for each field: the same conditions, all of which must hold. Without one on marks, false positives
/// are left out. `from` and `to` bound the time.
impl FromParameters for Filter {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let (filter, times) = FromParameters::from_parameters(parameters)?;
        Ok(Self::within(filter, times))
    }
}

/// The same, with the time apart.
impl FromParameters for (Filter, Times) {
    fn from_parameters(parameters: &mut Parameters) -> Result<Self, ApiError> {
        let now = parameters.now;
        let mut filter = match parameters.text("q")? {
            Some(text) => {
                Filter::parse(&text, now).map_err(|error| ApiError::parameter("q", error.to_string()))?
            }
            None => Filter::default(),
        };
        for field in Field::ALL {
            if let Some(value) = parameters.text(field.name())? {
                let condition = Condition::of(field, &value, now);
                let wrong = |problem: Problem| ApiError::parameter(field.name(), problem.to_string());
                filter = filter.and(condition.map_err(wrong)?.into());
            }
        }
        let filter = filter.without_false_positives();
        Ok((filter, Times { from: parameters.time("from")?, to: parameters.time("to")? }))
    }
}

/// What unpacking zstd may look back on; RFC 8878 wants 8 MB of every decoder.
const ZSTD_WINDOW: u64 = 8 << 20;

/// The body of a call, as JSON, plain, or in gzip or zstd. `what` completes "not …"; `limit` is the one the route has, and that of the
/// body once it is inflated.
pub async fn json_body<T: DeserializeOwned, S: Send + Sync>(
    request: Request,
    state: &S,
    what: &str,
    limit: usize,
) -> Result<T, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.and_then(Encoding::from_content_type) != Some(Encoding::Json) {
        return Err(ApiError::MediaType("application/json"));
    }
    let encoding = request.headers().get(header::CONTENT_ENCODING).cloned();
    let body = Bytes::from_request(request, state).await.map_err(|cause| unread(&cause, limit))?;
    let body = match encoding.as_ref().map(HeaderValue::as_bytes) {
        None | Some(b"identity") => body,
        Some(b"gzip") => inflate(GzDecoder::new(&body[..]), "gzip", limit)?,
        Some(b"zstd") => {
            let zstd = StreamingDecoder::new_with_max_window_size(&body[..], ZSTD_WINDOW);
            let zstd = zstd.map_err(|cause| ApiError::BadBody(format!("not whole zstd: {cause}")))?;
            inflate(zstd, "zstd", limit)?
        }
        Some(_) => return Err(ApiError::MediaType("plain, or in gzip or zstd")),
    };
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(ApiError::BadBody(format!("not {what}: a JSON object is expected")));
    }
    serde_json::from_slice(&body).map_err(|cause| ApiError::BadBody(format!("not {what}: {cause}")))
}

/// For fields that hold objects: derived readers take an array of the fields' values, too, and nobody means that.
pub fn object<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<T, D::Error> {
    let fields = Map::deserialize(deserializer)?;
    T::deserialize(Value::Object(fields)).map_err(de::Error::custom)
}

/// The same for a field that may be absent or null.
pub fn optional_object<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.map(|fields| T::deserialize(Value::Object(fields)).map_err(de::Error::custom)).transpose()
}

/// Stops at the limit, so that a small body cannot become one that fills the memory.
fn inflate(reader: impl io::Read, format: &str, limit: usize) -> Result<Bytes, ApiError> {
    let mut inflated = Vec::new();
    let read = reader.take(limit as u64 + 1).read_to_end(&mut inflated);
    read.map_err(|cause| ApiError::BadBody(format!("not whole {format}: {cause}")))?;
    if inflated.len() > limit { Err(ApiError::TooLarge { limit }) } else { Ok(inflated.into()) }
}

fn unread(cause: &BytesRejection, limit: usize) -> ApiError {
    if cause.status() == StatusCode::PAYLOAD_TOO_LARGE {
        ApiError::TooLarge { limit }
    } else {
        ApiError::BadBody("the body could not be read".to_owned())
    }
}

/// The id in the path. A text that is no id is the id of nothing: 404, like any other unknown one.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let id = Path::<Uuid>::from_request_parts(parts, state).await;
        id.map(|Path(id)| Self(id)).map_err(|_| ApiError::NotFound("id"))
    }
}

/// The number in the path. A text that is none is the number of nothing.
pub struct Number(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Number {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let number = Path::<u64>::from_request_parts(parts, state).await;
        number.map(|Path(number)| Self(number)).map_err(|_| ApiError::NotFound("number"))
    }
}

/// The revision that the caller knows, from `If-Match`.
pub struct IfMatch(pub u32);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let tag = parts.headers.get(header::IF_MATCH).ok_or(ApiError::NoRevision)?;
        let revision =
            tag.to_str().ok().and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        let bad =
            || ApiError::BadBody("`If-Match` must be an `ETag` of this address, such as \"1\"".to_owned());
        revision.map(Self).ok_or_else(bad)
    }
}

/// The header that tells a revision.
pub type Tag = [(HeaderName, String); 1];

pub fn etag(revision: u32) -> Tag {
    [(header::ETAG, format!("\"{revision}\""))]
}
