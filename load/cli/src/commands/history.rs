//! `acrida history`: the runs that were kept.

use std::fmt::Write as _;

use acrida_history::{History, KeptRun};
use acrida_report::json_text;
use acrida_report::locust_json::utc_second;
use clap::Arg;
use serde_json::json;

use super::arguments;
use crate::exit::{Exit, SUCCESS};

const ABOUT: &str = "Lists the runs that were kept, newest first. Every run with a request is, unless --no-history says \
    otherwise; the newest 1,000 stay.";

/// Runs the command.
pub(super) fn run(program: &str, args: &[String]) -> Result<i32, Exit> {
    let flags = vec![
        arguments::history(),
        arguments::text("count", "number", "How many to list")
            .short('n')
            .value_parser(clap::value_parser!(u16))
            .default_value("20"),
        arguments::text("format", "format", "How to list them")
            .value_parser(["text", "json"])
            .default_value("text"),
        arguments::output(),
    ];
    let matches = arguments::parse(arguments::command(program, ABOUT, flags), args)?;
    let history = arguments::open_history(&matches)?;
    let count = matches.get_one::<u16>("count").copied().unwrap_or_default();
    let runs = newest(&history, usize::from(count))?;
    let is_json = matches
        .get_one::<String>("format")
        .is_some_and(|format| format == "json");
    let text = if is_json {
        as_json(&runs)
    } else {
        table(&runs)
    };
    arguments::write(&matches, &text)?;
    Ok(SUCCESS)
}

fn newest(history: &History, count: usize) -> Result<Vec<KeptRun>, Exit> {
    history
        .newest(count)
        .map_err(|error| Exit::Failed(error.to_string()))
}

fn table(runs: &[KeptRun]) -> String {
    if runs.is_empty() {
        return "No run is kept yet.\n".to_owned();
    }
    let mut text = String::from(
        "  Run  Began                    Users  Requests  Failures    RPS       p50       p95  Exit  Of\n",
    );
    for run in runs {
        let total = &run.summary.total;
        let ms = |time: Option<f64>| match time {
            Some(time) if time < 9.995 => format!("{time:.2}ms"),
            Some(time) => format!("{time:.0}ms"),
            None => "-".to_owned(),
        };
        let _ = writeln!(
            text,
            "{:>5}  {:<22}  {:>6}  {:>8}  {:>8}  {:>5.1}  {:>8}  {:>8}  {:>4}  {} {}",
            run.id,
            utc_second(run.summary.start_s.unwrap_or(0.0)),
            run.summary.peak_users.unwrap_or(0),
            total.requests,
            total.failures,
            total.rps,
            ms(total.percentile(0.5)),
            ms(total.percentile(0.95)),
            run.exit_code,
            run.summary.title,
            run.summary.host.as_deref().unwrap_or_default(),
        );
    }
    text
}

fn as_json(runs: &[KeptRun]) -> String {
    let run = |run: &KeptRun| {
        json!({
            "id": run.id,
            "version": run.version,
            "machine": run.machine,
            "exit_code": run.exit_code,
            "settings": serde_json::from_str::<serde_json::Value>(&run.settings).unwrap_or_default(),
            "run": run.summary,
        })
    };
    json_text::indented(&runs.iter().map(run).collect::<Vec<_>>()) + "\n"
}

/// A run's name on the command line.
pub(super) fn run_argument(name: &'static str, value: &'static str) -> Arg {
    Arg::new(name)
        .value_name(value)
        .help("A run's number in 'acrida history', or 'last'")
}
