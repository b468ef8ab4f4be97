//! Files to save: the CSVs, and the names that they get.

use acrida_report::locust_csv;
use acrida_stats::Snapshot;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::answers::{attachment, html};
use crate::shared::Shared;

const CSV: &str = "text/csv; charset=utf-8";

/// A CSV with everything that was measured up to now.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Table {
    Requests,
    Failures,
    Exceptions,
}

pub(crate) fn csv(shared: &Shared, table: Table) -> Response {
    let snapshot = shared.snapshot();
    let (kind, text) = match table {
        Table::Requests => (
            "requests",
            locust_csv::locust_stats_csv(&snapshot, &shared.settings.percentiles),
        ),
        Table::Failures => ("failures", locust_csv::locust_failures_csv(&snapshot)),
        Table::Exceptions => ("exceptions", locust_csv::exceptions_csv(&snapshot)),
    };
    attachment(
        CSV,
        &format!("{}_{kind}.csv", file_name(shared, &snapshot)),
        text,
    )
}

/// The file of `--csv-full-history`, as far as it is written.
pub(crate) async fn full_history(shared: &Shared) -> Response {
    let Some(path) = shared.settings.full_history.clone() else {
        let text = "Error: Server was not started with option to generate full history.";
        return html(StatusCode::NOT_FOUND, text);
    };
    match tokio::task::spawn_blocking(move || std::fs::read(path)).await {
        Ok(Ok(bytes)) => {
            let name = file_name(shared, &shared.snapshot());
            attachment(CSV, &format!("{name}_requests_full_history.csv"), bytes)
        }
        _ => html(
            StatusCode::NOT_FOUND,
            "Error: The file of the full history cannot be read.",
        ),
    }
}

/// `Locust_2026-11-25-06h29_locustfile.py_http://127.0.0.1:8000`, as scripts know it.
pub(crate) fn file_name(shared: &Shared, snapshot: &Snapshot) -> String {
    let start = i64::try_from(snapshot.start_us).ok();
    let start = start
        .and_then(|start| Timestamp::from_microsecond(start).ok())
        .unwrap_or_default();
    let time = start
        .to_zoned_datetime(TimeZone::system())
        .strftime("%Y-%m-%d-%Hh%M")
        .to_string();
    let host = shared.book().host.clone().filter(|host| !host.is_empty());
    let parts = [
        "Locust".to_owned(),
        time,
        shared.settings.locustfile.clone(),
    ];
    parts.into_iter().chain(host).collect::<Vec<_>>().join("_")
}
