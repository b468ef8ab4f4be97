//! Reading an expectation, and writing it so that it reads as the same.

use std::fmt;
use std::str::FromStr;

use super::{Comparison, Expectation, Metric, Scope, Unit};

/// A text that is no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is no expectation: {why}; write it like 'p95 < 500ms', 'fail_ratio < 1%' or 'POST /predict: rps > 20'"
)]
pub struct InvalidExpectation {
    text: String,
    why: String,
}

/// Longer ones are taken first.
const COMPARISONS: [(&str, Comparison); 4] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

const METRICS: [(&str, Metric); 12] = [
    ("median", Metric::Percentile(0.5)),
    ("avg", Metric::Average),
    ("min", Metric::Shortest),
    ("max", Metric::Longest),
    ("fail_ratio", Metric::FailRatio),
    ("success_ratio", Metric::SuccessRatio),
    ("rps", Metric::Rps),
    ("requests", Metric::Requests),
    ("failures", Metric::Failures),
    ("accuracy", Metric::Accuracy),
    ("mixed_up", Metric::MixedUp),
    ("dropped", Metric::Dropped),
];

impl FromStr for Expectation {
    type Err = InvalidExpectation;

    fn from_str(text: &str) -> Result<Self, InvalidExpectation> {
        read(text.trim()).map_err(|why| InvalidExpectation {
            text: text.to_owned(),
            why,
        })
    }
}

fn read(text: &str) -> Result<Expectation, String> {
    // A name may hold colons and comparisons; what follows the last colon does not.
    let (scope, rest) = match text.rsplit_once(':') {
        Some((scope, rest)) if !scope.trim().is_empty() => {
            (Scope::Entry(scope.trim().to_owned()), rest)
        }
        Some(_) => return Err("there is no name before the colon".to_owned()),
        None => (Scope::Total, text),
    };
    let at = rest
        .find(['<', '>'])
        .ok_or("it has none of '<', '<=', '>' and '>='")?;
    let (name, rest) = rest.split_at(at);
    let found = COMPARISONS
        .iter()
        .find_map(|(sign, comparison)| Some((*comparison, rest.strip_prefix(sign)?)));
    let (comparison, limit) = found.ok_or("it has no comparison")?;
    let metric = metric(name.trim())?;
    Ok(Expectation {
        scope,
        metric,
        comparison,
        limit: self::limit(metric.unit(), limit.trim())?,
    })
}

fn metric(name: &str) -> Result<Metric, String> {
    if let Some((_, metric)) = METRICS.iter().find(|(known, _)| *known == name) {
        return Ok(*metric);
    }
    let digits = name.strip_prefix('p').filter(|digits| is_plain(digits));
    let percent = digits.and_then(|digits| digits.parse::<f64>().ok());
    match percent {
        Some(percent) if percent <= 100.0 => Ok(Metric::Percentile(fraction(percent))),
        _ => Err(format!(
            "'{name}' is no metric (p50 to p100, {})",
            METRICS.map(|(name, _)| name).join(", ")
        )),
    }
}

/// 99.9 as 0.999 and not as the number beside it.
fn fraction(percent: f64) -> f64 {
    (percent * 1e6).round() / 1e8
}

fn limit(unit: Unit, text: &str) -> Result<f64, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number: f64 = number
        .parse()
        .ok()
        .filter(|_| is_plain(number))
        .ok_or_else(|| format!("'{text}' is no number with a unit"))?;
    let factor = match (unit, suffix.trim()) {
        (Unit::Ms, "" | "ms") | (Unit::Ratio | Unit::Count, "") => 1.0,
        (Unit::PerSecond, "" | "/s") => 1.0,
        (Unit::Ms, "us" | "µs") => 1e-3,
        (Unit::Ms, "s") => 1e3,
        (Unit::Ms, "m") => 60e3,
        (Unit::Ratio, "%") => 0.01,
        (_, suffix) => return Err(format!("'{suffix}' is no unit of this metric")),
    };
    let limit = number * factor;
    match unit {
        Unit::Ratio if limit > 1.0 => Err(format!("'{text}' is more than 100%")),
        _ if limit.is_finite() => Ok(limit),
        _ => Err(format!("'{text}' is too large")),
    }
}

/// Digits with a point at most; no sign, no exponent.
fn is_plain(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || c == '.')
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Scope::Entry(name) = &self.scope {
            write!(f, "{name}: ")?;
        }
        let limit = self.metric.unit().show(self.limit);
        write!(f, "{} {} {limit}", self.metric, self.comparison)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Percentile(fraction) = self {
            return write!(f, "p{}", (fraction * 1e8).round() / 1e6);
        }
        let name = METRICS.iter().find(|(_, metric)| metric == self);
        f.write_str(name.expect("every other metric has a name").0)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = COMPARISONS
            .iter()
            .find(|(_, comparison)| comparison == self);
        f.write_str(sign.expect("every comparison has a sign").0)
    }
}

impl Unit {
    /// `value` as a limit may be written.
    pub fn show(self, value: f64) -> String {
        // Rounded, so that 0.07 is shown as 7 and not as 7.000000000000001 percent.
        let rounded = |value: f64| (value * 1e6).round() / 1e6;
        match self {
            Self::Ms => format!("{}ms", rounded(value)),
            Self::Ratio => format!("{}%", rounded(value * 100.0)),
            Self::PerSecond => format!("{}/s", rounded(value)),
            Self::Count => format!("{}", rounded(value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expectations_are_read() {
        for (text, scope, metric, comparison, limit) in [
            (
                "p95 < 500ms",
                None,
                Metric::Percentile(0.95),
                Comparison::Below,
                500.0,
            ),
            (
                "p99.9<=1s",
                None,
                Metric::Percentile(0.999),
                Comparison::AtMost,
                1_000.0,
            ),
            (
                "median < 250 us",
                None,
                Metric::Percentile(0.5),
                Comparison::Below,
                0.25,
            ),
            (
                "fail_ratio < 1%",
                None,
                Metric::FailRatio,
                Comparison::Below,
                0.01,
            ),
            (
                "success_ratio >= 0.99",
                None,
                Metric::SuccessRatio,
                Comparison::AtLeast,
                0.99,
            ),
            ("rps > 20", None, Metric::Rps, Comparison::Above, 20.0),
            (
                "POST /predict: p99 < 1s",
                Some("POST /predict"),
                Metric::Percentile(0.99),
                Comparison::Below,
                1_000.0,
            ),
            (
                "GET http://x:80/a<b: max < 2m",
                Some("GET http://x:80/a<b"),
                Metric::Longest,
                Comparison::Below,
                120_000.0,
            ),
        ] {
            let scope = scope.map_or(Scope::Total, |name| Scope::Entry(name.to_owned()));
            let expected = Expectation {
                scope,
                metric,
                comparison,
                limit,
            };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn only_an_expectation_of_all_requests_tolerates_failures() {
        for (text, expected) in [
            ("fail_ratio < 1%", true),
            ("success_ratio > 99%", true),
            ("failures < 5", true),
            ("GET /: fail_ratio < 1%", false),
            ("p95 < 5s", false),
        ] {
            let expectation: Expectation = text.parse().expect(text);
            assert_eq!(expectation.is_about_failures(), expected, "{text}");
        }
    }

    #[test]
    fn a_mistake_is_said() {
        for (text, part) in [
            ("", "none of '<'"),
            ("p95", "none of '<'"),
            ("p95 = 5", "none of '<'"),
            ("p101 < 5", "'p101' is no metric"),
            ("px < 5", "'px' is no metric"),
            ("latency < 5", "'latency' is no metric (p50"),
            ("p95 < ", "'' is no number"),
            ("p95 < 5 parsecs", "'parsecs' is no unit"),
            ("p95 < -5", "'-5' is no number"),
            ("p95 < 5%", "'%' is no unit"),
            ("rps > 5ms", "'ms' is no unit"),
            ("fail_ratio < 5", "more than 100%"),
            (": p95 < 5", "no name"),
            ("p95 << 5", "'< 5' is no number"),
        ] {
            let error = text.parse::<Expectation>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    fn some_metric() -> impl Strategy<Value = Metric> {
        prop_oneof![
            (0..=10_000_u32).prop_map(|at| Metric::Percentile(fraction(f64::from(at) / 100.0))),
            (1..METRICS.len()).prop_map(|at| METRICS[at].1),
        ]
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[a-z0-9<>=%.: /]{0,20}") {
            let _ = text.parse::<Expectation>();
        }

        #[test]
        fn what_is_written_reads_as_the_same(
            name in prop::option::of("[A-Z]{3,4} /[a-z:<>/%]{0,8}[a-z]"),
            metric in some_metric(),
            at in 0..4_usize,
            number in 0..1_000_000_u32,
        ) {
            let limit = match metric.unit() {
                Unit::Ratio => f64::from(number) / 1e6,
                _ => f64::from(number) / 1e3,
            };
            let expectation = Expectation {
                scope: name.map_or(Scope::Total, Scope::Entry),
                metric,
                comparison: COMPARISONS[at].1,
                limit,
            };
            let read: Expectation = expectation.to_string().parse().expect("it was written");
            prop_assert!((read.limit - expectation.limit).abs() <= 1e-9 * (1.0 + limit));
            prop_assert_eq!(Expectation { limit, ..read }, expectation);
        }
    }
}
