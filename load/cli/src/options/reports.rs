//! Settings of what a run leaves behind besides CSV files, and of what is expected of it.

use acrida_history::Place;
use acrida_report::expect::Expectation;

use super::typed::Values;
use crate::flags::Value;

/// What is made of a run at its end.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportOptions {
    /// `--html`: the file, with `{u}`, `{r}` and `{t}` replaced.
    pub html: Option<String>,
    /// `--json`.
    pub json: bool,
    /// `--json-file`: the file without `.json`.
    pub json_file: Option<String>,
    /// `--expect`.
    pub expectations: Vec<Expectation>,
    /// `--abort-on`.
    pub abort_on: Vec<Expectation>,
    /// `--history`, or where the history usually is; none where nobody has a home.
    pub history: Option<Place>,
    /// `--no-history`.
    pub no_history: bool,
    /// `--watch`: what to look at while the run goes on.
    pub watch: Vec<String>,
    /// `--baseline`.
    pub baseline: Option<String>,
    /// `--baseline-tolerance`, as a share.
    pub baseline_tolerance: f64,
}

pub(super) fn read(values: &Values<'_>) -> ReportOptions {
    let text = |dest| values.text(dest).filter(|text| !text.is_empty());
    ReportOptions {
        html: text("html_file").map(|name| with_numbers(&name, values)),
        json: values.switch("json"),
        json_file: text("json_file"),
        expectations: expectations(values, "expect"),
        abort_on: expectations(values, "abort_on"),
        // Checked where it was read.
        history: text("history_file").and_then(|text| Place::parse(&text).ok()),
        no_history: values.switch("no_history"),
        watch: values.list("watch").unwrap_or_default(),
        baseline: text("baseline"),
        baseline_tolerance: match values.get("baseline_tolerance") {
            Value::Float(percent) => percent / 100.0,
            other => panic!("baseline_tolerance is a number, not {other:?}"),
        },
    }
}

/// The name of a file with the users, spawn rate and run time in it, as in Locust; what is
/// not set stays as it is.
fn with_numbers(name: &str, values: &Values<'_>) -> String {
    let mut name = name.to_owned();
    for (place, dest) in [
        ("{u}", "num_users"),
        ("{r}", "spawn_rate"),
        ("{t}", "run_time"),
    ] {
        let number = match values.get(dest) {
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            _ => continue,
        };
        name = name.replace(place, &number);
    }
    name
}

/// As [`Place`] is shown: without the password that a setting holds.
pub(super) fn hide_password(all: &mut [(String, Value)]) {
    let setting = all.iter_mut().find(|(dest, _)| dest == "history_file");
    if let Some((_, Value::Text(text))) = setting
        && let Ok(place) = Place::parse(text)
    {
        *text = place.to_string();
    }
}

/// They were checked where they were read.
fn expectations(values: &Values<'_>, dest: &str) -> Vec<Expectation> {
    let texts = values.list(dest).unwrap_or_default();
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}
