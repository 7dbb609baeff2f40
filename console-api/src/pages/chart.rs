//! The chart of hits over time: blocked and passed hits, a scale, and an axis over the whole range.

use super::view;
use crate::attack::{Series, SeriesPoint};
use jiff::{SignedDuration, Timestamp};

/// The height of the plot in SVG units.
const HEIGHT: u64 = 100;
/// The width of a bar with its gap.
const STEP: usize = 10;
/// The labels of the time axis.
const TIMES: i64 = 4;

pub(super) struct Chart {
    pub bars: Vec<Bar>,
    pub width: usize,
    /// The hits of the period before, as a path.
    pub previous: Option<String>,
    /// The labels of the scale, from the top.
    pub scale: [String; 3],
    /// The length of an interval, in words.
    pub interval: String,
    /// The labels of the time axis.
    pub times: Vec<(Timestamp, String)>,
    /// The address that selected times are added to.
    pub zoom: String,
    /// The start and the end of the plot.
    pub from: Timestamp,
    pub to: Timestamp,
}

/// An interval of the series, in SVG units.
pub(super) struct Bar {
    pub x: usize,
    pub hits: u64,
    pub blocked: u64,
    pub label: String,
    pub address: String,
}

impl Chart {
    /// `zoom`: the address of the same page without times.
    pub(super) fn new(series: &Series, previous: Option<&Series>, zoom: String) -> Self {
        let interval = SignedDuration::from_secs(i64::try_from(series.interval_seconds).unwrap_or(i64::MAX));
        let end_of = |at: Timestamp| at.checked_add(interval).unwrap_or(at);
        let from = series.points.first().map_or(series.from, |point| point.at);
        let to = series.points.last().map_or(series.to, |point| end_of(point.at));
        let before = previous.map_or(&[][..], |previous| &previous.points[..]);
        let top = top(series.points.iter().chain(before).map(|point| point.hits).max().unwrap_or(0));
        let height = |hits: u64| if hits == 0 { 0 } else { (hits.saturating_mul(HEIGHT) / top).max(2) };
        let bar = |(index, point): (usize, &SeriesPoint)| {
            let end = end_of(point.at);
            Bar {
                x: index * STEP,
                hits: height(point.hits),
                blocked: height(point.blocked),
                label: format!(
                    "{} to {} UTC: {} hit{}, {} blocked",
                    view::time(&point.at),
                    view::time(&end),
                    view::number(&point.hits),
                    if point.hits == 1 { "" } else { "s" },
                    view::number(&point.blocked)
                ),
                address: format!("{zoom}from={}&to={end}", point.at),
            }
        };
        let bars = series.points.iter().enumerate().filter(|(_, point)| point.hits > 0).map(bar).collect();
        Self {
            bars,
            width: series.points.len().max(1) * STEP,
            previous: previous.map(|previous| line(&previous.points, top)),
            scale: [top, top / 2, 0].map(|hits| view::number(&hits)),
            interval: in_words(series.interval_seconds),
            times: times(from, to),
            zoom,
            from,
            to,
        }
    }
}

/// A path through the hits of each interval.
fn line(points: &[SeriesPoint], top: u64) -> String {
    let points = points.iter().enumerate().map(|(index, point)| {
        let y = HEIGHT - (point.hits.saturating_mul(HEIGHT) / top).min(HEIGHT);
        format!("{}{} {y}", if index == 0 { "M" } else { "L" }, index * STEP + STEP / 2)
    });
    points.collect()
}

/// The top of a scale whose half is a whole number.
fn top(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for top in [2, 4, 10].map(|digits| unit.saturating_mul(digits)) {
            if top >= most {
                return top;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

fn in_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 { unit.to_owned() } else { format!("{count} {unit}s") }
}

/// Times at equal distances, as precise as the range needs.
fn times(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, String)> {
    let span = to.duration_since(from);
    let format = match span.as_hours() {
        0 if span.as_mins() < 10 => "%H:%M:%S",
        0..12 => "%H:%M",
        12..336 => "%b %d %H:%M",
        336..7200 => "%b %d",
        _ => "%Y-%m-%d",
    };
    let time = |n: i64| {
        let part =
            SignedDuration::from_millis(i64::try_from(span.as_millis()).unwrap_or(0) / (TIMES - 1) * n);
        let at = from.checked_add(part).unwrap_or(to);
        (at, at.strftime(format).to_string())
    };
    (0..TIMES).map(time).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_or_above_the_highest_bar() {
        let tops = [0, 1, 3, 5, 11, 248, 1_000_000].map(top);
        assert_eq!(tops, [2, 2, 4, 10, 20, 400, 1_000_000]);
        assert!(top(u64::MAX) > 0);
    }

    #[test]
    fn an_axis_names_times_from_start_to_end() {
        let axis = |from: &str, to: &str| {
            let times = times(from.parse().unwrap(), to.parse().unwrap());
            times.into_iter().map(|(_, label)| label).collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(axis("2026-01-01T09:00:00Z", "2026-01-01T12:00:00Z"), "09:00 | 10:00 | 11:00 | 12:00");
        assert_eq!(
            axis("2025-12-31T12:00:00Z", "2026-01-01T12:00:00Z"),
            "Dec 31 12:00 | Dec 31 20:00 | Jan 01 04:00 | Jan 01 12:00"
        );
    }

    #[test]
    fn an_interval_is_named() {
        assert_eq!(
            [5, 60, 300, 3600, 43_200, 604_800].map(in_words),
            ["5 seconds", "minute", "5 minutes", "hour", "12 hours", "7 days"]
        );
    }
}
