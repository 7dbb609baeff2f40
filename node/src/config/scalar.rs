//! Types of single values, and the errors of invalid ones.

use super::Secret;
use crate::routes::regex_cause;
use regex::Regex;
use shared::{Mode, ruleset::Network};
use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

/// A value written as one word.
pub(super) trait Scalar: Sized {
    /// Parses the value. The error continues a sentence that starts with the key.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value as written in the file.
    fn shown(&self) -> String;
}

/// Implements [`Scalar`] for a type with a word for each value.
macro_rules! words {
    ($type:ty: $($word:literal => $value:expr,)+) => {
        impl Scalar for $type {
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok($value),)+
                    _ => Err(format!("must be one of {}", [$($word),+].join(", "))),
                }
            }

            fn shown(&self) -> String {
                let word = [$(($word, $value)),+].into_iter().find(|(_, value)| value == self);
                word.map_or_else(String::new, |(word, _)| word.to_owned())
            }
        }
    };
}
pub(super) use words;

impl Scalar for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "True" | "TRUE" => Ok(true),
            "false" | "False" | "FALSE" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        }
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        /// Digits may be grouped: `640_000`.
        impl Scalar for $type {
            fn parse(text: &str) -> Result<Self, String> {
                let digits = text.replace('_', "");
                digits.parse().map_err(|_| format!("must be a whole number from {} to {}", Self::MIN, Self::MAX))
            }

            fn shown(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

whole_numbers!(u16, u32, u64, usize, i64);

impl Scalar for String {
    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
    }

    fn shown(&self) -> String {
        self.clone()
    }
}

impl Scalar for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        String::parse(text).map(Self::from)
    }

    fn shown(&self) -> String {
        self.display().to_string()
    }
}

/// `:5050` means all addresses.
impl Scalar for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        let address = match text.strip_prefix(':') {
            Some(port) => port.parse().ok().map(|port: u16| Self::from(([0, 0, 0, 0], port))),
            None => text.parse().ok(),
        };
        address.ok_or_else(|| {
            "must be an address and a port such as \"127.0.0.1:5050\", or \":5050\" for all addresses"
                .to_owned()
        })
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// Numbers with units, such as `200ms`, `1m` or `1h30m`.
impl Scalar for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        duration(text).ok_or_else(|| "must be a time such as 200ms, 5s, 1m or 1h30m".to_owned())
    }

    fn shown(&self) -> String {
        let (millis, seconds) = (self.subsec_millis(), self.as_secs());
        match (seconds, millis) {
            (_, 1..) => format!("{}ms", self.as_millis()),
            (1.., 0) if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            (1.., 0) if seconds % 60 == 0 => format!("{}m", seconds / 60),
            _ => format!("{seconds}s"),
        }
    }
}

fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|it: char| !it.is_ascii_digit())?);
        let (unit, after) = after.split_at(after.find(|it: char| it.is_ascii_digit()).unwrap_or(after.len()));
        let number: u64 = number.parse().ok()?;
        let part = match unit {
            "ms" => Duration::from_millis(number),
            "s" => Duration::from_secs(number),
            "m" => Duration::from_secs(number.checked_mul(60)?),
            "h" => Duration::from_secs(number.checked_mul(3600)?),
            _ => return None,
        };
        (total, rest) = (total.checked_add(part)?, after);
    }
    (!text.is_empty()).then_some(total)
}

words! { Mode:
    "off" => Mode::Off,
    "monitoring" => Mode::Monitoring,
    "safe_blocking" => Mode::SafeBlocking,
    "block" => Mode::Block,
}

impl Scalar for Network {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = "must be an address or a network such as 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32";
        text.parse().map_err(|_| expected.to_owned())
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Scalar for Regex {
    fn parse(text: &str) -> Result<Self, String> {
        Self::new(text).map_err(|error| format!("must be a regular expression: {}", regex_cause(&error)))
    }

    fn shown(&self) -> String {
        self.to_string()
    }
}

/// Written as the path of a file that contains it.
impl Scalar for Secret {
    fn parse(text: &str) -> Result<Self, String> {
        let path = PathBuf::parse(text)?;
        let secret =
            fs::read_to_string(&path).map_err(|cause| format!("cannot read {}: {cause}", path.display()))?;
        let secret = Self::new(&secret);
        if secret.expose().is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(secret) }
    }

    fn shown(&self) -> String {
        "a file".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_times_with_units() {
        let times =
            ["200ms", "5s", "1m", "1h30m", "0s", "", "5", "5 s", "1d", "99999999999999999999s", "-1s"];
        let read = times.map(|text| Duration::parse(text).map(|time| time.as_millis()).ok());
        let none = None;
        assert_eq!(
            read,
            [
                Some(200),
                Some(5_000),
                Some(60_000),
                Some(5_400_000),
                Some(0),
                none,
                none,
                none,
                none,
                none,
                none
            ]
        );
    }

    #[test]
    fn shown_values_parse_to_the_same() {
        for text in ["250ms", "1500ms", "7s", "2m", "90m", "3h"] {
            let time = Duration::parse(text).unwrap();
            assert_eq!(Duration::parse(&time.shown()), Ok(time), "{text}");
        }
    }

    #[test]
    fn accepts_grouped_digits() {
        assert_eq!(u64::parse("640_000"), Ok(640_000));
        assert_eq!(u16::parse("65536"), Err("must be a whole number from 0 to 65535".to_owned()));
        assert!(u64::parse("").is_err() && u64::parse("1.5").is_err());
    }
}
