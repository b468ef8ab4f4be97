//! The same samples, as Locust 2.47.0 shows them and as we do.
//!
//! Locust's files are written by `locust/generate.py`. The samples are chosen so
//! that its rounding to two digits of whole milliseconds changes nothing.

use std::collections::BTreeSet;

use acrida_report::console::{self, Style};
use acrida_report::locust_csv::{self, PERCENTILES};
use acrida_stats::{Ledger, Limits, Recorder, Sample, Snapshot};

const START_US: u64 = 1_700_000_000_500_000;
const END_US: u64 = 1_700_000_020_250_000;

fn locust(name: &str) -> String {
    let path = format!("{}/tests/locust/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn snapshot() -> Snapshot {
    let mut recorder = Recorder::new(Limits::default());
    let samples = locust("samples.csv");
    for row in csv::Reader::from_reader(samples.as_bytes()).records() {
        let row = row.expect("valid CSV");
        let time_ms: Option<f64> = row[3].parse().ok();
        recorder.record(&Sample {
            method: &row[1],
            name: &row[2],
            finished_us: row[0].parse().expect("an integer"),
            response_time_us: time_ms.map(|ms| (ms * 1e3) as u64),
            content_length: row[4].parse().expect("an integer"),
            failure: Some(&row[5]).filter(|error| !error.is_empty()),
            ..Sample::default()
        });
    }
    let mut ledger = Ledger::new(Limits::default(), START_US);
    ledger.absorb(recorder.take());
    for at_us in [START_US, END_US] {
        let traceback = "  File \"a.py\", line 1, in f\n    g()\n";
        ledger.record_exception("boom, \"x\"", traceback, "local", at_us);
    }
    ledger.snapshot(END_US, 7)
}

/// Rows of `text` as lists of fields.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("valid CSV"));
    records
        .map(|record| record.iter().map(str::to_owned).collect())
        .collect()
}

#[test]
fn the_samples_are_read() {
    assert_eq!(snapshot().total.num_requests, 101);
}

#[test]
fn stats_are_locusts_followed_by_the_guides_columns() {
    let ours = locust_csv::stats_csv(&snapshot(), &PERCENTILES);
    let theirs = locust("stats.csv");
    assert_eq!(ours.lines().count(), theirs.lines().count());
    let guide = "# requests,# failures,Median response time,Average response time,\
                 Min response time,Max response time,Average Content Length";
    for (at, (ours, theirs)) in ours.split("\r\n").zip(theirs.split("\r\n")).enumerate() {
        let Some(ours) = ours.strip_prefix(theirs) else {
            panic!("{ours}\ndoes not begin as Locust's\n{theirs}");
        };
        let expected = match (at, records(theirs).first()) {
            (0, _) => format!(",{guide}"),
            (_, Some(row)) => format!(",{}", row[2..9].join(",")),
            (_, None) => String::new(),
        };
        assert_eq!(ours, expected);
    }
}

#[test]
fn failures_are_locusts_followed_by_the_guides_columns() {
    // Locust sorts failures by a hash, we by when they first happened.
    let ours = records(&locust_csv::failures_csv(&snapshot()));
    let mut theirs = records(&locust("failures.csv"));
    let (header, rows) = theirs.split_first_mut().expect("a header");
    header.extend(["# failures".to_owned(), "Failure message".to_owned()]);
    for row in rows {
        row.extend([row[3].clone(), row[2].clone()]);
    }
    assert_eq!(ours[0], theirs[0]);
    assert_eq!(
        ours.iter().collect::<BTreeSet<_>>(),
        theirs.iter().collect()
    );
}

#[test]
fn exceptions_are_locusts_byte_for_byte() {
    assert_eq!(
        locust_csv::exceptions_csv(&snapshot()),
        locust("exceptions.csv")
    );
}

#[test]
fn history_is_locusts_byte_for_byte() {
    for (file, full_history) in [("history.csv", false), ("full_history.csv", true)] {
        let header = locust_csv::stats_history_header(&PERCENTILES);
        let rows = locust_csv::stats_history_rows(&snapshot(), &PERCENTILES, full_history);
        assert_eq!(format!("{header}{rows}"), locust(file), "{file}");
    }
}

#[test]
fn tables_are_locusts_byte_for_byte() {
    let snapshot = snapshot();
    let style = Style::PLAIN;
    for (file, ours) in [
        (
            "table_current.txt",
            console::stats_table(&snapshot, true, style),
        ),
        (
            "table_total.txt",
            console::stats_table(&snapshot, false, style),
        ),
        (
            "percentiles.txt",
            console::percentiles_table(&snapshot, &PERCENTILES, style),
        ),
    ] {
        assert_eq!(ours, locust(file), "{file}");
    }
}

#[test]
fn the_error_report_begins_as_locusts() {
    let ours = console::error_report(&snapshot(), Style::PLAIN);
    let rest = ours
        .strip_prefix(&locust("errors.txt"))
        .unwrap_or_else(|| panic!("{ours}"));
    assert!(rest.starts_with("Exception report\n"), "{rest}");
}
