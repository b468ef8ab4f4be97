//! What an open page gets about once a second: the state, every row, the newest
//! point of the charts. One text serves every page.

use std::collections::VecDeque;

use acrida_engine::RunState;
use acrida_report::course::Course;
use acrida_report::grade::{self, Metric, key_metrics};
use acrida_report::insight::{self, Section};
use acrida_report::occurrences::{id_of_exception, id_of_failure};
use acrida_report::summary::EntrySummary;
use acrida_stats::{EntrySnapshot, ExceptionRow, FailureRow, Snapshot};
use serde::Serialize;

use crate::generator::Load;
use crate::history::{Beat, Event, FinishedRun, histogram};
use crate::shared::{Book, Wanted};

/// The frame after which there is none.
pub(crate) const END: &str = "end";
/// The longest text of an error or a traceback in a frame, in bytes; the files
/// have all of it.
const TEXT_MAX: usize = 2_000;
/// The most rows of errors and of exceptions in a frame.
pub(crate) const ROWS_MAX: usize = 200;

#[derive(Serialize)]
struct Frame<'a> {
    /// Another one than before: the program was started anew.
    process: &'a str,
    t: f64,
    state: &'static str,
    users: u64,
    wanted: Wanted,
    host: Option<&'a str>,
    start: f64,
    elapsed: f64,
    total: Row<'a>,
    rows: Vec<Row<'a>>,
    failures: Vec<Failure<'a>>,
    failures_more: usize,
    exceptions: Vec<Exception<'a>>,
    /// Of the whole test.
    metrics: [Metric; 5],
    /// And of the last ten seconds of one that goes on.
    metrics_now: Option<[Metric; 5]>,
    histogram: Vec<u64>,
    load: Load,
    beat: Option<&'a Beat>,
    events: &'a VecDeque<Event>,
    runs: &'a VecDeque<FinishedRun>,
    /// Headings with lines: arrivals, answers, the server's time.
    insight: Vec<Section>,
    cut_off: u64,
    overflowed_names: u64,
}

/// One endpoint. Times are in ms.
#[derive(Serialize)]
struct Row<'a> {
    method: &'a str,
    name: &'a str,
    requests: u64,
    failures: u64,
    /// Requests and failures per second now.
    rps: f32,
    fps: f32,
    /// And over the whole test.
    avg_rps: f32,
    min: Option<f32>,
    avg: Option<f32>,
    max: Option<f32>,
    /// p50, p95, p99 of the whole test.
    times: [Option<f32>; 3],
    /// And of the last ten seconds.
    now: [Option<f32>; 3],
    size: f32,
}

#[derive(Serialize)]
struct Failure<'a> {
    /// What `/live/occurrences` has its counts under.
    id: String,
    method: &'a str,
    name: &'a str,
    error: &'a str,
    count: u64,
    first: f64,
    last: f64,
}

#[derive(Serialize)]
struct Exception<'a> {
    /// As a failure's.
    id: String,
    message: &'a str,
    traceback: &'a str,
    nodes: &'a [String],
    count: u64,
    first: f64,
    last: f64,
}

/// The frame for a snapshot, as JSON.
pub(crate) fn text(snapshot: &Snapshot, state: RunState, book: &Book) -> String {
    let history = &book.history;
    let active = state.is_active();
    let end_us = if active {
        Some(snapshot.taken_us)
    } else {
        snapshot.last_request_us
    };
    let row_of = |entry| {
        row(
            entry,
            history
                .course(&entry.method, &entry.name)
                .filter(|_| active),
        )
    };
    let frame = Frame {
        process: &book.process,
        t: seconds(snapshot.taken_us),
        state: state.name(),
        users: snapshot.user_count,
        wanted: book.wanted,
        host: book.host.as_deref(),
        start: seconds(snapshot.start_us),
        elapsed: end_us.map_or(0.0, |end| seconds(end.saturating_sub(snapshot.start_us))),
        total: row(&snapshot.total, Some(history.total()).filter(|_| active)),
        rows: snapshot.entries.iter().map(row_of).collect(),
        failures: snapshot
            .failures
            .iter()
            .take(ROWS_MAX)
            .map(failure)
            .collect(),
        failures_more: snapshot.failures.len().saturating_sub(ROWS_MAX),
        exceptions: snapshot
            .exceptions
            .iter()
            .take(ROWS_MAX)
            .map(exception)
            .collect(),
        metrics: key_metrics(&EntrySummary::of(&snapshot.total, &grade::FRACTIONS)),
        metrics_now: active.then(|| key_metrics(&history.total().lately())),
        histogram: histogram(&snapshot.total),
        load: book.load,
        beat: book.beat.as_ref(),
        events: history.events(),
        runs: history.runs(),
        insight: insight::sections_of(snapshot),
        cut_off: snapshot.cut_off,
        overflowed_names: snapshot.overflowed_names,
    };
    serde_json::to_string(&frame).expect("a frame is JSON")
}

fn row<'a>(entry: &'a EntrySnapshot, course: Option<&Course>) -> Row<'a> {
    const FRACTIONS: [f64; 3] = [0.5, 0.95, 0.99];
    let (rps, fps) = course.map_or((0.0, 0.0), Course::rates);
    let three = |times: Vec<f64>| [0, 1, 2].map(|at| Some(times[at] as f32));
    let one = |time: Result<f64, _>| time.ok().map(|time| time as f32);
    Row {
        method: &entry.method,
        name: &entry.name,
        requests: entry.num_requests,
        failures: entry.num_failures,
        rps,
        fps,
        avg_rps: entry.total_rps() as f32,
        min: one(entry.min_response_time_ms()),
        avg: one(entry.avg_response_time_ms()),
        max: one(entry.max_response_time_ms()),
        times: entry.percentiles_ms(&FRACTIONS).map_or([None; 3], three),
        now: course
            .and_then(Course::newest)
            .map_or([None; 3], |point| [point.p50, point.p95, point.p99]),
        size: entry.avg_content_length() as f32,
    }
}

fn failure(row: &FailureRow) -> Failure<'_> {
    Failure {
        id: hexadecimal(id_of_failure(row)),
        method: &row.method,
        name: &row.name,
        error: cut(&row.error),
        count: row.occurrences,
        first: seconds(row.first_seen_us),
        last: seconds(row.last_seen_us),
    }
}

fn exception(row: &ExceptionRow) -> Exception<'_> {
    Exception {
        id: hexadecimal(id_of_exception(row)),
        message: cut(&row.message),
        traceback: cut(&row.traceback),
        nodes: &row.nodes,
        count: row.count,
        first: seconds(row.first_seen_us),
        last: seconds(row.last_seen_us),
    }
}

/// An id as text: JavaScript's numbers are too short for it.
pub(crate) fn hexadecimal(id: u64) -> String {
    format!("{id:x}")
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TEXT_MAX)]
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}
