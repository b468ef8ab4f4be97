//! `/stats/report`: one HTML file that needs nothing else, with Locust's keys.

use serde_json::{Map, Value, json};

use crate::index::Document;
use crate::json_text::for_script;
use crate::locust;
use crate::login::random_text;
use crate::shared::Shared;

const PAGE: &str = include_str!("../ui/report/report.html");
const SCRIPT: &str = include_str!("../ui/report/report.js");
const STYLE: &str = include_str!("../ui/report/report.css");
const CHARTS: &str = include_str!("../ui/vendor/uplot.js");
const CHARTS_STYLE: &str = include_str!("../ui/vendor/uplot.css");
/// Locust's `PERCENTILES_FOR_HTML_REPORT`, with the keys that it gives them.
const PERCENTILES: [(&str, f64); 8] = [
    ("0.5", 0.5),
    ("0.6", 0.6),
    ("0.7", 0.7),
    ("0.8", 0.8),
    ("0.9", 0.9),
    ("0.95", 0.95),
    ("0.99", 0.99),
    ("1.0", 1.0),
];

/// The report on everything that was measured up to now.
pub(crate) fn page(shared: &Shared, theme: &str, download_link: bool) -> Document {
    let nonce = random_text();
    let theme = if theme == "dark" { "dark" } else { "light" };
    let html = PAGE
        .replace("{{nonce}}", &nonce)
        .replace("{{theme}}", theme)
        .replace("{{style}}", &format!("{CHARTS_STYLE}\n{STYLE}"))
        .replace("{{charts}}", CHARTS)
        .replace("{{script}}", SCRIPT)
        .replace(
            "{{args}}",
            &for_script(&template_args(shared, download_link)),
        );
    Document { html, nonce }
}

fn template_args(shared: &Shared, download_link: bool) -> Value {
    let snapshot = shared.snapshot();
    let host = shared.shown_host();
    let ratios = shared.site.task_ratios();
    let book = shared.book();
    let rows = || snapshot.entries.iter().chain([&snapshot.total]);
    let start = snapshot.start_us / 1_000_000;
    let end = snapshot
        .last_request_us
        .map_or(start, |end| end / 1_000_000);
    json!({
        "is_report": true,
        "requests_statistics": rows().map(locust::entry).collect::<Vec<_>>(),
        "failures_statistics": snapshot.failures.iter().map(locust::failure).collect::<Vec<_>>(),
        "exceptions_statistics": locust::exceptions(&snapshot),
        "response_time_statistics": rows().map(response_times).collect::<Vec<_>>(),
        "start_time": locust::utc_second(start as f64),
        "end_time": locust::utc_second(end as f64),
        "duration": locust::duration(end - start),
        "host": host.filter(|host| !host.is_empty()).unwrap_or_else(|| "None".to_owned()),
        "history": locust::history(book.history.total()),
        "show_download_link": download_link,
        "locustfile": shared.settings.locustfile,
        "tasks": ratios,
        "percentiles_to_chart": locust::PERCENTILES_TO_CHART,
        "profile": book.options.get("profile"),
    })
}

fn response_times(entry: &acrida_stats::EntrySnapshot) -> Value {
    let fractions = PERCENTILES.map(|(_, fraction)| fraction);
    let times = entry
        .percentiles_ms(&fractions)
        .unwrap_or_else(|_| vec![0.0; fractions.len()]);
    let keyed = PERCENTILES
        .iter()
        .zip(times)
        .map(|((key, _), time)| ((*key).to_owned(), json!(time)));
    let mut row: Map<_, _> = keyed.collect();
    row.insert("name".to_owned(), json!(entry.name));
    row.insert("method".to_owned(), json!(entry.method));
    Value::Object(row)
}
