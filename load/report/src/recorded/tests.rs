use proptest::prelude::*;

use super::*;

fn file(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn stats(text: &str) -> Result<RunSummary, Unreadable> {
    let files = CsvFiles {
        stats: file("x_stats.csv", text),
        ..CsvFiles::default()
    };
    read_csv("x", &files)
}

/// The guide's own example, with the line end that a file has.
const OF_THE_GUIDE: &str = "Type,Name,# requests,# failures,Median response time,Average response time,Min response time,Max response time,Average Content Length,Requests/s\nGET,/health,100,0,10,15,5,50,123,50\nPOST,/predict,50,1,450,520,200,1200,456,25\n";

const OF_LOCUST_2: &str = include_str!("../../tests/locust/stats.csv");

#[test]
fn the_guides_columns_are_read() {
    let run = stats(OF_THE_GUIDE).expect("a run");
    assert_eq!(run.total.requests, 150);
    assert_eq!(run.total.failures, 1);
    assert_eq!(run.total.rps, 75.0);
    assert_eq!(run.duration_s, Some(2.0));
    assert_eq!((run.total.min, run.total.max), (Some(5.0), Some(1_200.0)));
    let avg = run.total.avg.expect("an average");
    assert!((avg - (1_500.0 + 26_000.0) / 150.0).abs() < 1e-9);
    assert_eq!(
        run.total.median(),
        None,
        "parts say nothing about the whole's"
    );
    assert_eq!(run.entries[1].median(), Some(450.0));
    assert_eq!(run.entries[1].label(), "POST /predict");
}

#[test]
fn locusts_own_file_is_read() {
    let run = stats(OF_LOCUST_2).expect("a run");
    let sum: u64 = run.entries.iter().map(|entry| entry.requests).sum();
    assert_eq!(run.total.requests, sum);
    assert!(run.total.percentile(0.95).is_some());
    assert!(run.total.percentile(0.9999).is_some());
}

#[test]
fn a_file_that_says_nothing_is_told() {
    let cut = &OF_LOCUST_2[..OF_LOCUST_2.len() - 30];
    let (header, _) = OF_LOCUST_2.split_once('\n').expect("lines");
    for (why, text, part) in [
        ("empty", "", "x_stats.csv: the file is empty"),
        ("blank", " \r\n", "the file is empty"),
        ("foreign", "a,b\n1,2\n", "it has no column 'Name'"),
        ("not CSV", "<html>\n<p>\n", "it has no column 'Name'"),
        ("header only", &format!("{header}\n"), "no request was made"),
        (
            "more failures than requests",
            &OF_THE_GUIDE.replace("100,0", "100,101"),
            "line 2: 101 failures of 100 requests",
        ),
        ("cut off", cut, "cut off in its last line"),
        (
            "a line is short",
            &format!("{header}\nGET,/a,1\n"),
            "line 2 has 3 fields, expected 22",
        ),
        (
            "no number",
            "Name,# requests,# failures\n/a,many,0\n",
            "line 2: 'Request Count' is no number: 'many'",
        ),
    ] {
        let error = stats(text).expect_err(why).to_string();
        assert!(error.contains(part), "{why}: {error}");
    }
}

#[test]
fn users_and_their_spawn_rate_are_told_by_the_history() {
    let rows: String = (0..30)
        .map(|at| {
            format!(
                "{},{},,Aggregated,10,0,5,9,12,1\n",
                1_000 + at,
                (5 * at).min(50)
            )
        })
        .collect();
    let header =
        "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,95%,99%,Total Request Count\n";
    let files = CsvFiles {
        stats: file("x_stats.csv", OF_THE_GUIDE),
        history: Some(file("x_stats_history.csv", &format!("{header}{rows}"))),
        ..CsvFiles::default()
    };
    let run = read_csv("x", &files).expect("a run");
    assert_eq!(run.peak_users, Some(50));
    assert_eq!(run.spawn_rate, Some(5.0));
    assert_eq!(run.course.len(), 30);
    assert_eq!(run.course[3].p95, Some(9.0));
}

#[test]
fn bytes_both_ways_come_from_the_log_of_requests() {
    let log = "Timestamp,Method,Name,Response time (ms),Bytes sent,Bytes received\n\
               1700000000,GET,/health,12,0,100\n1700000001,POST,/predict,520,5000,1000\n17000";
    let traffic = Traffic::read("x_requests.csv", log.as_bytes()).expect("a log");
    assert_eq!(
        (traffic.rows, traffic.bytes, traffic.seconds()),
        (2, 6_100, 2.0)
    );
    let error = Traffic::read("x_requests.csv", "a,b\n".as_bytes()).expect_err("foreign");
    assert!(
        error.to_string().contains("no column 'Timestamp'"),
        "{error}"
    );
}

#[test]
fn json_of_locust_is_read() {
    let row = |name: &str, times: &str| {
        format!(
            r#"{{"name": "{name}", "method": "GET", "last_request_timestamp": 12.0, "start_time": 2.0,
            "num_requests": 4, "num_none_requests": 0, "num_failures": 1, "total_response_time": 20.0,
            "max_response_time": 9.0, "min_response_time": 1.0, "total_content_length": 40,
            "response_times": {times}}}"#
        )
    };
    let text = format!(
        "[{}, {}]",
        row("/a", r#"{"1": 3, "9": 1}"#),
        row("/b", r#"{"5": 4}"#)
    );
    let run = read_json("x.json", "x", &text).expect("a run");
    assert_eq!((run.total.requests, run.total.rps), (8, 0.8));
    assert_eq!(run.total.median(), Some(5.0));
    assert_eq!(run.entries[0].percentile(0.5), Some(1.0));
    for (text, part) in [
        ("[", "no JSON"),
        ("{}", "no JSON of a load test"),
        ("[]", "no JSON of a load test"),
        ("3", "no JSON of"),
    ] {
        let error = read_json("x.json", "x", text).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in "(Type,Name,Request Count,50%\n)?[A-Za-z0-9,.\"\n%-]{0,80}\n?") {
        let _ = stats(&text);
        let _ = read_json("x", "x", &text);
        let _ = Traffic::read("x", text.as_bytes());
    }

    #[test]
    fn what_was_written_is_read(
        times in prop::collection::vec((0..3_u8, 1..9_000_000_u64, any::<bool>()), 1..200),
    ) {
        use acrida_stats::{Ledger, Limits, Recorder, Sample};
        let mut ledger = Ledger::new(Limits::default(), 0);
        let mut recorder = Recorder::new(Limits::default());
        for (name, time, fails) in &times {
            recorder.record(&Sample {
                method: "GET", name: ["/a", "/b,\"c\"", "/d\ne"][usize::from(*name)], finished_us: 5_000_000,
                response_time_us: Some(*time), content_length: 7, failure: fails.then_some("boom, \"x\""),
                ..Sample::default()
            });
        }
        ledger.absorb(recorder.take());
        let snapshot = ledger.snapshot(6_000_000, 1);
        let files = CsvFiles {
            stats: file("x_stats.csv", &crate::locust_csv::stats_csv(&snapshot, &crate::locust_csv::PERCENTILES)),
            failures: Some(file("x_failures.csv", &crate::locust_csv::failures_csv(&snapshot))),
            ..CsvFiles::default()
        };
        let read = read_csv("x", &files).expect("a run");
        let written = RunSummary::of(&snapshot, &[]);
        prop_assert_eq!(read.total.requests, written.total.requests);
        prop_assert_eq!(read.total.avg, written.total.avg);
        prop_assert_eq!(read.total.percentile(0.95), written.total.percentile(0.95));
        prop_assert_eq!(read.entries.len(), written.entries.len());
        prop_assert_eq!(&read.failures, &written.failures);
    }
}
