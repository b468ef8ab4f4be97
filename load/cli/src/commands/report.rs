//! `acrida report`: the load-testing guide's report on a run that was saved.

use acrida_report::diagnosis::diagnose;
use acrida_report::expect::{self, Outcome};
use acrida_report::grade::key_metrics;
use acrida_report::guide::Report;
use acrida_report::html::Page;
use acrida_report::json_text;
use acrida_report::scaling::Step;
use acrida_report::summary::RunSummary;
use clap::Arg;
use serde_json::json;

use super::{arguments, saved};
use crate::exit::{Exit, NOT_AS_EXPECTED, SUCCESS};

const ABOUT: &str = "Prints the report of a run: configuration, results, response times, throughput, endpoints, and \
    the load-testing guide's grades. The first PREFIX is the run that it is about; with several, all of them are \
    compared by their numbers of users.";

/// Runs the command.
pub(super) fn run(program: &str, args: &[String]) -> Result<i32, Exit> {
    let flags = vec![
        Arg::new("runs")
            .value_name("PREFIX")
            .num_args(1..)
            .required(true)
            .help("What --csv had (files of Locust will do), a JSON file, or a run's number in 'acrida history' or 'last'"),
        arguments::text("format", "format", "How to write it")
            .value_parser(["text", "markdown", "json", "html"])
            .default_value("text"),
        arguments::text("title", "title", "What was tested, for the heading"),
        arguments::expect(),
        arguments::history(),
        arguments::output(),
    ];
    let matches = arguments::parse(arguments::command(program, ABOUT, flags), args)?;
    let expectations = arguments::expectations(&matches)?;
    let names = matches.get_many::<String>("runs").unwrap_or_default();
    let runs = names
        .map(|name| saved::load(name, &matches))
        .collect::<Result<Vec<_>, _>>()?;
    let mut run = runs[0].clone();
    if let Some(title) = matches.get_one::<String>("title") {
        run.title.clone_from(title);
    }
    let verdicts = expect::judge(&run, &expectations);
    let code = if verdicts.iter().all(|outcome| outcome.passed) {
        SUCCESS
    } else {
        NOT_AS_EXPECTED
    };
    let format = matches.get_one::<String>("format").map(String::as_str);
    let text = render(format.unwrap_or_default(), run, &steps(&runs), &verdicts);
    arguments::write(&matches, &text)?;
    Ok(code)
}

/// The runs by their numbers of users; one alone is compared with nothing.
fn steps(runs: &[RunSummary]) -> Vec<Step> {
    let mut steps: Vec<_> = runs
        .iter()
        .filter_map(|run| Some(Step::of(run, run.peak_users?)))
        .collect();
    if runs.len() < 2 {
        steps.clear();
    }
    steps.sort_by_key(|step| step.users);
    steps
}

fn render(format: &str, run: RunSummary, steps: &[Step], verdicts: &[Outcome]) -> String {
    let report = Report {
        title: &run.title,
        run: &run,
        steps,
        verdicts,
    };
    match format {
        "markdown" => report.markdown(),
        "json" => {
            let value = json!({
                "acrida_report": 1,
                "run": run,
                "grades": key_metrics(&run.total),
                "scaling": steps,
                "expectations": verdicts,
                "diagnosis": diagnose(&run),
            });
            json_text::indented(&value) + "\n"
        }
        "html" => Page {
            run,
            verdicts,
            steps,
            ..Page::default()
        }
        .html(),
        _ => report.text(),
    }
}
