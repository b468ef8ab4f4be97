//! `acrida trend`: a scenario over its runs in the history.

use acrida_history::{History, KeptRun};
use acrida_report::json_text;
use acrida_report::trend::{RunOfTrend, Trend, Verdict, svg, text, trend};
use clap::{Arg, ArgAction};

use super::{arguments, history::run_argument};
use crate::exit::{Exit, NOT_AS_EXPECTED, SUCCESS};
use crate::run::keeper::no_such_run;

const ABOUT: &str = "Follows a scenario over its runs in the history: p50, p95, p99, requests per second and failures of each \
    run, whether there is a trend, and how large. Runs of one scenario have the locustfile, the host and the most users \
    in common.";

/// Runs the command.
pub(super) fn run(program: &str, args: &[String]) -> Result<i32, Exit> {
    let flags = vec![
        run_argument("run", "RUN")
            .default_value("last")
            .help("A run of the scenario, by its number in 'acrida history', or 'last'"),
        arguments::text(
            "count",
            "number",
            "How many runs to look at, the newest ones",
        )
        .short('n')
        .value_parser(clap::value_parser!(u16).range(1..))
        .default_value("100"),
        Arg::new("gate")
            .long("gate")
            .action(ArgAction::SetTrue)
            .help("The exit code is 3 if a metric gets worse"),
        arguments::history(),
        arguments::text("format", "format", "How to write it")
            .value_parser(["text", "json", "svg", "html"])
            .default_value("text"),
        arguments::output(),
    ];
    let matches = arguments::parse(arguments::command(program, ABOUT, flags), args)?;
    let history = arguments::open_history(&matches)?;
    let count = matches.get_one::<u16>("count").copied().unwrap_or(1);
    let named = |which| matches.get_one::<String>(which).map_or("", String::as_str);
    let runs = alike(&history, named("run"), usize::from(count))?;
    let found = of(&runs);
    let text = match named("format") {
        "json" => json_text::indented(&serde_json::json!(found)) + "\n",
        "svg" => svg::picture(&found),
        "html" => svg::page(&found),
        _ => text::table(&found),
    };
    arguments::write(&matches, &text)?;
    let is_worse = found
        .metrics
        .iter()
        .any(|metric| metric.verdict == Verdict::Worse);
    Ok(if is_worse && matches.get_flag("gate") {
        NOT_AS_EXPECTED
    } else {
        SUCCESS
    })
}

/// What runs of one scenario have in common.
fn scenario(run: &KeptRun) -> (&str, Option<&str>, u64) {
    let summary = &run.summary;
    (
        &summary.title,
        summary.host.as_deref(),
        summary.peak_users.unwrap_or(0),
    )
}

/// The runs of the scenario of `name`, the newest `count`, oldest first.
fn alike(history: &History, name: &str, count: usize) -> Result<Vec<KeptRun>, Exit> {
    let failed = |error: acrida_history::HistoryError| Exit::Failed(error.to_string());
    let mut runs = history.newest(acrida_history::RUNS_MAX).map_err(failed)?;
    let wanted = match name {
        "last" => runs.first(),
        number => {
            let id = number.trim_start_matches('#').parse().ok();
            runs.iter().find(|run| Some(run.id) == id)
        }
    };
    let wanted = wanted
        .ok_or_else(|| Exit::Failed(no_such_run(name)))?
        .clone();
    runs.retain(|run| scenario(run) == scenario(&wanted));
    runs.truncate(count);
    runs.reverse();
    Ok(runs)
}

fn of(runs: &[KeptRun]) -> Trend {
    let named = runs.first().map_or_else(String::new, |run| {
        let (title, host, users) = scenario(run);
        let host = host.map_or_else(String::new, |host| format!(" on {host}"));
        format!("{title}{host} with {users} users")
    });
    let with_figures: Vec<_> = runs
        .iter()
        .map(|run| RunOfTrend {
            id: run.id,
            made_by: (&run.version, &run.machine),
            summary: &run.summary,
        })
        .collect();
    trend(&named, &with_figures)
}
