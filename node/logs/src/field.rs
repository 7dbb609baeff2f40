//! The fields of a log that are read, by their names.

use std::fmt;

macro_rules! fields {
    ($($(#[$meta:meta])* $field:ident = $name:literal $(| $alias:literal)*,)+) => {
        /// A field of a log record. Other fields are ignored.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Field {
            $($(#[$meta])* $field,)+
        }

        impl Field {
            pub(crate) const COUNT: usize = [$(Self::$field),+].len();

            #[cfg(feature = "parquet")]
            const NAMES: &[(&str, Self)] = &[$(($name, Self::$field) $(, ($alias, Self::$field))*),+];

            /// The field with this name in any of the formats.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $alias)* => Some(Self::$field),)+
                    _ => None,
                }
            }

            /// Its name in standard logs.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }
        }
    };
}

fields! {
    Date = "date",
    Time = "time",
    /// Unix time in seconds, with a fraction in real-time logs.
    Timestamp = "timestamp",
    /// Of standard logs (v2), in milliseconds.
    TimestampMs = "timestamp(ms)",
    ClientIp = "c-ip",
    ForwardedFor = "x-forwarded-for",
    Method = "cs-method",
    /// The distribution's domain name in standard logs.
    Host = "cs(Host)",
    /// The visitor's `Host` in real-time logs.
    ViewerHost = "cs-host",
    /// The visitor's `Host` in standard logs, the distribution's domain name in real-time logs.
    HostHeader = "x-host-header",
    /// With the query in real-time logs.
    UriStem = "cs-uri-stem",
    UriQuery = "cs-uri-query",
    UserAgent = "cs(User-Agent)" | "cs-user-agent",
    Referer = "cs(Referer)" | "cs-referer",
    Cookie = "cs(Cookie)" | "cs-cookie",
    /// All headers, of real-time logs.
    Headers = "cs-headers",
    Protocol = "cs-protocol",
    ProtocolVersion = "cs-protocol-version",
    TlsVersion = "ssl-protocol",
    Status = "sc-status",
    ResponseBytes = "sc-bytes",
    TimeTaken = "time-taken",
    EdgeLocation = "x-edge-location",
    EdgeRequestId = "x-edge-request-id",
    ResultType = "x-edge-result-type",
    ResponseResultType = "x-edge-response-result-type",
    DetailedResultType = "x-edge-detailed-result-type",
    Country = "c-country",
    Asn = "asn",
    PathPattern = "cache-behavior-path-pattern",
    DistributionId = "DistributionId" | "distribution-id" | "primary-distribution-id",
    DistributionDomain = "primary-distribution-dns-name",
}

#[cfg(feature = "parquet")]
impl Field {
    /// The field of a column of a Parquet file. Of two fields whose names differ in punctuation only,
    /// that of standard logs: `cs_host` is `cs(Host)`.
    pub fn of_column(name: &str) -> Option<Self> {
        let letters = |text: &str| {
            let letters = text.bytes().filter(u8::is_ascii_alphanumeric);
            letters.map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>()
        };
        let column = letters(name);
        Self::NAMES.iter().find(|(name, _)| letters(name) == column).map(|(_, field)| *field)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The values of a line, encoded, by field. `-` and the empty text are absent.
#[derive(Debug)]
pub(crate) struct Values<V> {
    values: [Option<V>; Field::COUNT],
}

impl<V: AsRef<str>> Values<V> {
    pub(crate) fn new() -> Self {
        Self { values: [const { None }; Field::COUNT] }
    }

    /// The first value of a field counts.
    pub(crate) fn set(&mut self, field: Field, value: V) {
        if !matches!(value.as_ref(), "" | "-") {
            self.values[field as usize].get_or_insert(value);
        }
    }

    pub(crate) fn get(&self, field: Field) -> Option<&str> {
        self.values[field as usize].as_ref().map(AsRef::as_ref)
    }
}
