//! Percentiles of windows that were merged, against exact ones of every single request as
//! `requests.csv` has it.

use acrida_report::requests_csv::{RequestRow, write_row};
use acrida_report::series::Merge;
use acrida_report::windows::{Window, WindowLog};
use acrida_stats::{Ledger, Limits, Recorder, Sample};
use proptest::prelude::*;

const START_S: u64 = 1_700_000_000;
/// Windows keep three significant digits: a time is off by half a unit of the third at
/// most, and so is the histogram's that it comes from.
const PRECISION: f64 = 0.005 + 0.001;

/// Requests as pairs of a second and a response time in µs, spread over magnitudes.
fn requests() -> impl Strategy<Value = Vec<(u64, u64)>> {
    let time = prop_oneof![1..1_000_u64, 1_000..100_000_u64, 100_000..30_000_000_u64];
    prop_oneof![
        3 => prop::collection::vec((1..200_u64, time.clone()), 1..300),
        1 => prop::collection::vec((1..30_u64, time), 3_000..5_000),
    ]
}

/// By Locust's rule: of n sorted times, the one at index ⌊n · fraction⌋, or the last.
fn rank(count: usize, fraction: f64) -> usize {
    ((count as f64 * fraction) as usize).min(count - 1)
}

fn from_csv(requests: &[(u64, u64)]) -> Vec<f64> {
    let mut csv = Vec::new();
    for (second, time_us) in requests {
        let row = RequestRow {
            finished_us: (START_S + second) * 1_000_000,
            method: "GET",
            name: "/a, \"b\"",
            response_time_us: Some(*time_us),
            bytes_sent: 1,
            bytes_received: 2,
        };
        write_row(&mut csv, &row);
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&*csv);
    let ms = |record: Result<csv::StringRecord, csv::Error>| -> f64 {
        record.expect("valid CSV")[3].parse().expect("a time")
    };
    let mut times: Vec<f64> = reader.records().map(ms).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn from_windows(requests: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut ledger = Ledger::new(Limits::default(), START_S * 1_000_000);
    let mut log = WindowLog::default();
    let last = requests.iter().map(|(second, _)| *second).max();
    let last = last.expect("there are requests");
    for second in 0..=last {
        let mut recorder = Recorder::new(Limits::default());
        for (_, time_us) in requests.iter().filter(|(at, _)| *at == second) {
            recorder.record(&Sample {
                method: "GET",
                name: "/a",
                finished_us: (START_S + second) * 1_000_000 + 1,
                response_time_us: Some(*time_us),
                content_length: 2,
                failure: None,
                server: None,
                answer: None,
            });
        }
        ledger.absorb(recorder.take());
        log.observe(&ledger.snapshot((START_S + second + 1) * 1_000_000, 1));
    }
    // A request later than all others, so that the last second is a whole one.
    let mut recorder = Recorder::new(Limits::default());
    recorder.record(&Sample {
        method: "GET",
        name: "/end",
        finished_us: (START_S + last + 1) * 1_000_000,
        response_time_us: None,
        content_length: 0,
        failure: None,
        server: None,
        answer: None,
    });
    ledger.absorb(recorder.take());
    let all = log.finish(&ledger.snapshot((START_S + last + 2) * 1_000_000, 1));
    let mut merged = Window::default();
    let entry = all.iter().find(|entry| entry.name == "/a");
    let windows = &entry.expect("it was requested").windows;
    windows.iter().for_each(|window| merged.merge(window));
    merged.times
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn merged_windows_have_the_percentiles_of_every_request(requests in requests()) {
        let exact = from_csv(&requests);
        let merged = from_windows(&requests);
        let count: u64 = merged.iter().map(|(_, count)| count).sum();
        prop_assert_eq!(count as usize, exact.len());
        for fraction in [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0] {
            let at = rank(exact.len(), fraction);
            let mut seen = 0;
            let found = merged.iter().find(|(_, count)| { seen += count; seen as usize > at });
            let found_ms = found.expect("within the count").0 as f64 / 1e3;
            let off = (found_ms - exact[at]).abs() / exact[at];
            prop_assert!(off <= PRECISION, "p{}: {} for {}", fraction * 100.0, found_ms, exact[at]);
        }
    }
}
