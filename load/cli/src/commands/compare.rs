//! `acrida compare A B`: whether two runs of the history differ.

use acrida_history::{History, KeptRun};
use acrida_report::compare::{self, Comparison};
use acrida_report::json_text;
use acrida_report::windows::EntryWindows;
use clap::{Arg, ArgAction};
use serde_json::json;

use super::{arguments, history::run_argument};
use crate::exit::{Exit, NOT_AS_EXPECTED, SUCCESS};
use crate::run::keeper::{conclusion, describe, find, no_such_run};

const ABOUT: &str = "Compares a run with an earlier one, A, by median, p95, average, fail ratio and requests per second, in \
    total and for each name, and says how certain each difference is.";

/// Runs the command.
pub(super) fn run(program: &str, args: &[String]) -> Result<i32, Exit> {
    let flags = vec![
        run_argument("a", "A").required(true),
        run_argument("b", "B").default_value("last"),
        Arg::new("baseline")
            .long("baseline")
            .action(ArgAction::SetTrue)
            .help("A is the baseline: the exit code is 3 if B is worse by more than --tolerance"),
        arguments::text("tolerance", "percent", "What B may be worse by, in percent")
            .value_parser(clap::value_parser!(f64))
            .default_value("5"),
        arguments::history(),
        arguments::text("format", "format", "How to write it")
            .value_parser(["text", "json"])
            .default_value("text"),
        arguments::output(),
    ];
    let matches = arguments::parse(arguments::command(program, ABOUT, flags), args)?;
    let history = arguments::open_history(&matches)?;
    let named = |which| matches.get_one::<String>(which).map_or("", String::as_str);
    let (run_a, windows_a) = kept(&history, named("a"))?;
    let (run_b, windows_b) = kept(&history, named("b"))?;
    let comparison = compare::compare(&windows_a, &windows_b);
    let is_gate = matches.get_flag("baseline");
    let tolerance = matches.get_one::<f64>("tolerance").copied().unwrap_or(5.0) / 100.0;
    let text = match named("format") {
        "json" => {
            json_text::indented(&json!({
                "a": run_a.id,
                "b": run_b.id,
                "confidence": compare::CONFIDENCE,
                "comparison": comparison,
            })) + "\n"
        }
        _ => text(&comparison, &run_a, &run_b, is_gate.then_some(tolerance)),
    };
    arguments::write(&matches, &text)?;
    let is_worse = comparison.regressions(tolerance).next().is_some();
    Ok(if is_gate && is_worse {
        NOT_AS_EXPECTED
    } else {
        SUCCESS
    })
}

fn kept(history: &History, name: &str) -> Result<(KeptRun, Vec<EntryWindows>), Exit> {
    find(history, name)
        .map_err(|error| Exit::Failed(error.to_string()))?
        .ok_or_else(|| Exit::Failed(no_such_run(name)))
}

fn text(comparison: &Comparison, a: &KeptRun, b: &KeptRun, tolerance: Option<f64>) -> String {
    let table = compare::table(comparison, &describe(a), &describe(b));
    let gate = tolerance.map(|tolerance| conclusion(comparison, tolerance));
    table + &gate.unwrap_or_default()
}
