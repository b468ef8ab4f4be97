//! Whether a run is as expected.

use serde::Serialize;

use super::{Expectation, Metric, Scope, Unit};
use crate::summary::{EntrySummary, RunSummary};

/// An expectation, and what was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Whose figure it is; empty for all requests together.
    pub scope: String,
    /// The figure's name.
    pub metric: String,
    /// What was measured, with its unit; empty if nothing was.
    pub value: String,
    /// The comparison and the limit.
    pub limit: String,
    /// Whether it is as expected.
    pub passed: bool,
}

impl Outcome {
    /// In words: `POST /predict: p95 was 812ms, not < 500ms`.
    pub fn said(&self) -> String {
        let scope = match &*self.scope {
            "" => String::new(),
            scope => format!("{scope}: "),
        };
        let value = match &*self.value {
            "" => "not measured",
            value => value,
        };
        let verdict = if self.passed { "as" } else { "not" };
        format!(
            "{scope}{} was {value}, {verdict} {}",
            self.metric, self.limit
        )
    }
}

/// Holds a run against what is expected of it, in that order. A figure that was not
/// measured (no such request, none with a time) is not as expected.
pub fn judge(run: &RunSummary, expectations: &[Expectation]) -> Vec<Outcome> {
    let outcome = |expectation: &Expectation| {
        let value = value_of(run, expectation);
        let unit = expectation.metric.unit();
        let holds = |value| expectation.comparison.holds(value, expectation.limit);
        Outcome {
            scope: match &expectation.scope {
                Scope::Total => String::new(),
                Scope::Entry(name) => name.clone(),
            },
            metric: expectation.metric.to_string(),
            value: value.map(|value| measured(unit, value)).unwrap_or_default(),
            limit: format!(
                "{} {}",
                expectation.comparison,
                unit.show(expectation.limit)
            ),
            passed: value.is_some_and(holds),
        }
    };
    expectations.iter().map(outcome).collect()
}

/// A figure of `run`, in the metric's unit; none if nothing was measured.
pub(crate) fn value_of(run: &RunSummary, expectation: &Expectation) -> Option<f64> {
    match &expectation.scope {
        Scope::Total if expectation.metric == Metric::Dropped => {
            Some(run.arrivals.as_ref()?.dropped as f64)
        }
        Scope::Total => figure(&run.total, expectation.metric),
        Scope::Entry(name) => {
            let mut named = named(run, name);
            let first = figure(named.next()?, expectation.metric)?;
            // The same name under several methods: the one that is furthest from the limit
            // on its wrong side decides.
            let better = |a: f64, b: f64| expectation.comparison.holds(a, b);
            Some(
                named
                    .filter_map(|entry| figure(entry, expectation.metric))
                    .fold(
                        first,
                        |worst, value| if better(value, worst) { worst } else { value },
                    ),
            )
        }
    }
}

/// The requests that an expectation is of.
pub(crate) fn requests_of(run: &RunSummary, expectation: &Expectation) -> u64 {
    match &expectation.scope {
        Scope::Total => run.total.requests,
        Scope::Entry(name) => named(run, name).map(|entry| entry.requests).sum(),
    }
}

/// The rows of a name, one for each of its methods, or of a method and a name.
fn named<'a>(run: &'a RunSummary, name: &'a str) -> impl Iterator<Item = &'a EntrySummary> {
    let entries = run.entries.iter();
    entries.filter(move |entry| entry.label() == name || entry.name == name)
}

fn figure(entry: &EntrySummary, metric: Metric) -> Option<f64> {
    if entry.requests == 0 && !matches!(metric, Metric::Requests | Metric::Failures) {
        return None;
    }
    match metric {
        Metric::Percentile(fraction) => entry.percentile(fraction),
        Metric::Average => entry.avg,
        Metric::Shortest => entry.min,
        Metric::Longest => entry.max,
        Metric::FailRatio => entry.fail_ratio(),
        Metric::SuccessRatio => entry.fail_ratio().map(|ratio| 1.0 - ratio),
        Metric::Rps => Some(entry.rps),
        Metric::Requests => Some(entry.requests as f64),
        Metric::Failures => Some(entry.failures as f64),
        Metric::Accuracy => Some(entry.answers.as_ref()?.accuracy()),
        Metric::MixedUp => Some(entry.answers.as_ref()?.mixed_up as f64),
        Metric::Dropped => None,
    }
}

/// With as many digits as one wants to read, and never so few that a value seems to be at
/// a limit that it has passed.
fn measured(unit: Unit, value: f64) -> String {
    let digits = match unit {
        Unit::Ratio => 1e4,
        _ if value < 10.0 => 1e3,
        _ => 1e1,
    };
    unit.show((value * digits).round() / digits)
}

/// The table of outcomes, empty without any.
pub fn table(outcomes: &[Outcome]) -> String {
    if outcomes.is_empty() {
        return String::new();
    }
    let value = |outcome: &Outcome| match &*outcome.value {
        "" => "not measured".to_owned(),
        value => value.to_owned(),
    };
    let of = |outcome: &Outcome| match &*outcome.scope {
        "" => "all requests".to_owned(),
        scope => scope.to_owned(),
    };
    let widest = |what: &dyn Fn(&Outcome) -> String, title: &str| {
        let widths = outcomes.iter().map(|outcome| what(outcome).chars().count());
        widths.chain([title.len()]).max().unwrap_or(0)
    };
    let metric = |outcome: &Outcome| outcome.metric.clone();
    let limit = |outcome: &Outcome| outcome.limit.clone();
    let (a, b) = (widest(&of, "Of"), widest(&metric, "Metric"));
    let (c, d) = (widest(&value, "Measured"), widest(&limit, "Expected"));
    let line = |cells: [&str; 4], verdict: &str| {
        let [of, metric, value, limit] = cells;
        format!("{of:<a$}  {metric:<b$}  {value:>c$}  {limit:<d$}  {verdict}\n")
    };
    let mut text = "Expectations\n".to_owned();
    text += &line(["Of", "Metric", "Measured", "Expected"], "Verdict");
    for outcome in outcomes {
        let cells = [of(outcome), metric(outcome), value(outcome), limit(outcome)];
        let verdict = if outcome.passed { "pass" } else { "FAIL" };
        text += &line(cells.each_ref().map(String::as_str), verdict);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(method: &str, name: &str, p95: f64) -> EntrySummary {
        EntrySummary {
            method: method.to_owned(),
            name: name.to_owned(),
            requests: 200,
            failures: 1,
            rps: 20.04,
            percentiles: vec![(0.95, p95)],
            ..EntrySummary::default()
        }
    }

    fn judged(text: &str) -> (String, bool) {
        let run = RunSummary {
            entries: vec![entry("GET", "/a", 100.0), entry("POST", "/a", 900.0)],
            total: entry("", "Aggregated", 499.96),
            ..RunSummary::default()
        };
        let expectation = text.parse().expect("an expectation");
        let outcome = judge(&run, &[expectation]).remove(0);
        (outcome.value, outcome.passed)
    }

    #[test]
    fn figures_are_held_against_their_limits() {
        for (text, value, passed) in [
            ("p95 < 500ms", "500ms", true),
            ("p95 < 0.4s", "500ms", false),
            ("GET /a: p95 <= 100", "100ms", true),
            ("/a: p95 < 500", "900ms", false),
            ("/a: p95 > 500", "100ms", false),
            ("fail_ratio < 1%", "0.5%", true),
            ("success_ratio > 99.5%", "99.5%", false),
            ("rps > 20", "20/s", true),
            ("failures <= 0", "1", false),
            ("p90 < 500ms", "", false),
            ("avg < 500ms", "", false),
            ("GET /missing: rps < 5", "", false),
        ] {
            assert_eq!(judged(text), (value.to_owned(), passed), "{text}");
        }
    }

    #[test]
    fn the_table_names_metric_value_and_limit() {
        let run = RunSummary {
            total: entry("", "Aggregated", 700.0),
            ..RunSummary::default()
        };
        let expectations = ["p95 < 500ms", "GET /x: rps > 1"].map(|text| text.parse().expect(text));
        assert_eq!(
            table(&judge(&run, &expectations)),
            "Expectations\n\
             Of            Metric      Measured  Expected  Verdict\n\
             all requests  p95            700ms  < 500ms   FAIL\n\
             GET /x        rps     not measured  > 1/s     FAIL\n"
        );
        assert_eq!(table(&[]), "");
    }
}
