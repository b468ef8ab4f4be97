//! The load-testing guide's "Example Report", as text and as Markdown.
//!
//! What is not known of a run (users, where a run left no history) has no line. Behind the
//! guide's parts come its Key Metrics with their grades, and what was expected.

mod format;

use crate::diagnosis::{Advice, diagnose};
use crate::expect::Outcome;
use crate::grade::{Metric, key_metrics};
use crate::insight;
use crate::resources::Part as Resource;
use crate::scaling::Step;
use crate::summary::{EntrySummary, RunSummary};

use format::{bandwidth, bound, measured, plain};
pub(crate) use format::{count, duration, ms, percent};

/// What a report is made of.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// What was tested, for the heading.
    pub title: &'a str,
    /// The run that it is about.
    pub run: &'a RunSummary,
    /// Several loads, fewest users first; none if there is only the one.
    pub steps: &'a [Step],
    /// What was expected of the run.
    pub verdicts: &'a [Outcome],
}

/// A part of the report: its heading, and a line for each item.
type Part = (&'static str, Vec<String>);

impl Report<'_> {
    /// In the guide's layout.
    pub fn text(&self) -> String {
        let heading = self.heading();
        // The guide's line is two characters longer than its heading.
        let mut text = format!("{heading}\n{}\n", "=".repeat(heading.chars().count() + 2));
        for (title, items) in self.parts() {
            text += &format!("\n{title}:\n");
            for item in items {
                text += &format!("- {item}\n");
            }
        }
        text
    }

    /// The same for a wiki or a pull request.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n", escaped(&self.heading()));
        for (title, items) in self.parts() {
            text += &format!("\n## {title}\n\n");
            for item in items {
                text += &format!("- {}\n", escaped(&item));
            }
        }
        text
    }

    fn heading(&self) -> String {
        format!("Load Test Results - {}", self.title)
    }

    fn parts(&self) -> Vec<Part> {
        let run = self.run;
        let entries = run.entries.iter().map(endpoint).collect();
        let measured = [
            ("Test Configuration", configuration(run)),
            ("Results", results(run)),
            ("Response Times", times(&run.total)),
            ("Throughput", throughput(run)),
            ("API Endpoints Performance", entries),
        ];
        let judged = [
            ("Scaling Analysis", self.steps.iter().map(step).collect()),
            (
                "Key Metrics",
                key_metrics(&run.total).iter().filter_map(graded).collect(),
            ),
            (
                "Resources",
                run.resources.iter().filter_map(resource).collect(),
            ),
            (
                "Troubleshooting",
                diagnose(run).iter().map(Advice::line).collect(),
            ),
            ("Expectations", self.verdicts.iter().map(judged).collect()),
        ];
        let parts = measured
            .into_iter()
            .chain(insight::sections(run))
            .chain(judged);
        parts
            .filter(|(_, items): &Part| !items.is_empty())
            .collect()
    }
}

fn configuration(run: &RunSummary) -> Vec<String> {
    let lines = [
        run.duration_s
            .map(|seconds| format!("Duration: {}", duration(seconds))),
        run.peak_users
            .map(|users| format!("Peak Users: {}", count(users))),
        run.spawn_rate
            .map(|rate| format!("Spawn Rate: {} users/sec", plain(rate))),
    ];
    lines.into_iter().flatten().collect()
}

fn results(run: &RunSummary) -> Vec<String> {
    let total = &run.total;
    let passed = total.requests - total.failures.min(total.requests);
    let share = |part: u64| 100.0 * part as f64 / total.requests.max(1) as f64;
    vec![
        format!("Total Requests: {}", count(total.requests)),
        format!(
            "Failed: {} ({:.2}%)",
            count(total.failures),
            share(total.failures)
        ),
        format!("Passed: {} ({:.2}%)", count(passed), share(passed)),
    ]
}

fn times(total: &EntrySummary) -> Vec<String> {
    let lines = [
        ("Min", total.min),
        ("Median", total.median()),
        ("Average", total.avg),
        ("95th percentile", total.percentile(0.95)),
        ("99th percentile", total.percentile(0.99)),
        ("Max", total.max),
    ];
    let known = lines
        .into_iter()
        .filter_map(|(name, time)| Some((name, time?)));
    known
        .map(|(name, time)| format!("{name}: {}", ms(time)))
        .collect()
}

fn throughput(run: &RunSummary) -> Vec<String> {
    let rate = format!("Requests/sec: {:.1}", run.total.rps);
    let bytes = run.bandwidth.map(|bytes| {
        let part = if bytes.both_ways {
            ""
        } else {
            " (answers only)"
        };
        format!("Bandwidth: {}{part}", bandwidth(bytes.bytes_per_s))
    });
    [Some(rate), bytes].into_iter().flatten().collect()
}

fn endpoint(entry: &EntrySummary) -> String {
    let label = one_line(&entry.label());
    match (entry.median(), entry.avg) {
        (Some(median), Some(avg)) => format!("{label}: Median {} (avg {})", ms(median), ms(avg)),
        (None, Some(avg)) => format!("{label}: avg {}", ms(avg)),
        _ => format!("{label}: no response times"),
    }
}

/// A step as the guide's scaling analysis has it.
pub(crate) fn step(step: &Step) -> String {
    let avg = step.avg.map(|avg| format!(", avg {}", ms(avg)));
    let success = percent(step.success_ratio() * 100.0);
    format!(
        "{} users: {success} success{}",
        count(step.users),
        avg.unwrap_or_default()
    )
}

fn graded(metric: &Metric) -> Option<String> {
    let value = measured(metric.value?, metric.unit);
    let Some(grade) = metric.grade else {
        return Some(format!(
            "{}: {value}, not graded: every request failed",
            metric.name
        ));
    };
    let (good, poor) = (
        bound(metric.good, metric.unit),
        bound(metric.poor, metric.unit),
    );
    let (better, worse) = if metric.less { ("<", ">") } else { (">", "<") };
    Some(format!(
        "{}: {value} - {grade:?} (good {better} {good}, poor {worse} {poor})",
        metric.name
    ))
}

fn judged(outcome: &Outcome) -> String {
    let scope = match &*outcome.scope {
        "" => String::new(),
        scope => format!("{scope}: "),
    };
    let value = match &*outcome.value {
        "" => "not measured",
        value => value,
    };
    let verdict = if outcome.passed { "pass" } else { "FAIL" };
    format!(
        "{scope}{} {value}, expected {}: {verdict}",
        outcome.metric, outcome.limit
    )
}

fn resource(part: &Resource) -> Option<String> {
    part.line().map(|line| one_line(&line))
}

/// Names may come from anywhere; they begin no new line, and command no terminal.
pub(crate) fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// What Markdown gives a meaning is shown as it is.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
