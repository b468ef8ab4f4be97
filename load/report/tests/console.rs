//! What the console shows that Locust does not.

use std::time::Duration;

use acrida_report::console::{self, Style};
use acrida_report::locust_csv;
use acrida_stats::{Ledger, Limits, Recorder, Sample, Snapshot};

const START_US: u64 = 1_700_000_000_000_000;

fn sample(name: &str, response_time_us: u64) -> Sample<'_> {
    Sample {
        method: "GET",
        name,
        finished_us: START_US + 1_000_000,
        response_time_us: Some(response_time_us),
        content_length: 10,
        failure: None,
        ..Sample::default()
    }
}

fn snapshot_of(limits: Limits, samples: &[Sample<'_>], then: impl Fn(&mut Ledger)) -> Snapshot {
    let mut recorder = Recorder::new(limits);
    samples.iter().for_each(|sample| recorder.record(sample));
    let mut ledger = Ledger::new(limits, START_US);
    ledger.absorb(recorder.take());
    then(&mut ledger);
    ledger.snapshot(START_US + 2_000_000, 1)
}

fn snapshot(samples: &[Sample<'_>]) -> Snapshot {
    snapshot_of(Limits::default(), samples, |_| {})
}

#[test]
fn a_run_without_requests_shows_what_locust_shows() {
    // Expected: what Locust 2.47.0 prints and writes at the start of a run.
    let empty = snapshot(&[]);
    let table = console::stats_table(&empty, true, Style::PLAIN);
    let total = "         Aggregated                                                                         \
                 0     0(0.00%) |      0       0       0      0 |    0.00        0.00";
    assert_eq!(table.lines().nth(3), Some(total));
    assert_eq!(
        locust_csv::stats_history_rows(&empty, &[0.5, 0.95], false),
        "1700000002,1,,Aggregated,0.000000,0.000000,N/A,N/A,0,0,0,0.0,0,0,0\r\n"
    );
    let stats = locust_csv::stats_csv(&empty, &[0.5]);
    assert_eq!(
        stats.lines().nth(1),
        Some(",Aggregated,0,0,0,0.0,0,0,0,0.0,0.0,N/A,0,0,0,0.0,0,0,0")
    );
    assert_eq!(console::error_report(&empty, Style::PLAIN), "");
}

#[test]
fn short_times_have_decimals() {
    for (time_us, expected) in [
        (0, "0.00"),
        (430, "0.43"),
        (9_994, "9.99"),
        (9_995, "10"),
        (56_534, "57"),
        (250_000, "250"),
    ] {
        let snapshot = snapshot(&[sample("/", time_us)]);
        let table = console::stats_table(&snapshot, false, Style::PLAIN);
        let row = table.lines().nth(2).expect("a row");
        let columns: Vec<_> = row.split_whitespace().collect();
        assert_eq!(columns[5..9], [expected; 4], "{row}");
        let table = console::percentiles_table(&snapshot, &[0.5, 1.0], Style::PLAIN);
        let row = table.lines().nth(3).expect("a row");
        let columns: Vec<_> = row.split_whitespace().collect();
        assert_eq!(columns[2..], [expected, expected, "1"], "{row}");
    }
}

#[test]
fn names_get_the_room_that_the_terminal_has() {
    // Widths: of Locust 2.47.0's separator, except where the terminal is too narrow
    // for any name.
    let snapshot = snapshot(&[sample("/health", 12_000)]);
    for (columns, expected) in [(400, 160), (160, 160), (120, 120), (60, 100)] {
        let table = console::stats_table(&snapshot, true, Style::terminal(columns, false));
        let separator = table.lines().nth(1).expect("a separator");
        assert_eq!(separator.chars().count(), expected, "{columns} columns");
    }
}

#[test]
fn a_name_cannot_break_the_table_or_command_the_terminal() {
    let snapshot = snapshot(&[sample("/a\n\u{1b}[2J/b", 12_000)]);
    for table in [
        console::stats_table(&snapshot, true, Style::PLAIN),
        console::percentiles_table(&snapshot, &[0.5], Style::PLAIN),
    ] {
        assert!(table.contains("/a  [2J/b "), "{table}");
        assert!(!table.contains('\u{1b}'));
    }
}

#[test]
fn failures_are_red_in_a_terminal_and_nothing_else_changes() {
    let failed = Sample {
        failure: Some("500"),
        ..sample("/bad", 12_000)
    };
    let snapshot = snapshot(&[sample("/good", 12_000), failed]);
    let (red, reset) = ("\u{1b}[31m", "\u{1b}[0m");
    let show = |style| {
        let table = console::stats_table(&snapshot, true, style);
        table + &console::error_report(&snapshot, style)
    };
    let coloured = show(Style::terminal(160, true));
    let row = |name: &str| {
        let mut lines = coloured.lines();
        lines
            .find(|line| line.contains(name))
            .expect("a row")
            .to_owned()
    };
    assert!(row(" /bad ").contains(&format!("{red}  1(100.00%){reset}")));
    assert!(!row(" /good ").contains(red));
    let plain = coloured.replace(red, "").replace(reset, "");
    assert_eq!(plain, show(Style::PLAIN));
}

#[test]
fn error_texts_are_shown_without_their_wrapping() {
    for (why, error, expected) in [
        (
            "a message",
            "CatchResponseError('too slow')",
            "GET /: too slow",
        ),
        (
            "with an apostrophe",
            "CatchResponseError(\"isn't\")",
            "GET /: isn't",
        ),
        (
            "with an escape, it stays a literal",
            r"CatchResponseError('a\nb')",
            r"GET /: 'a\nb'",
        ),
        (
            "not a literal",
            "CatchResponseError(KeyError(1))",
            "GET /: KeyError(1)",
        ),
        (
            "another exception",
            "ConnectionRefusedError(111, 'Connection refused')",
            "GET /: ConnectionRefusedError(111, 'Connection refused')",
        ),
        ("two lines", "a\nb", "GET /: a b"),
    ] {
        let failed = Sample {
            failure: Some(error),
            ..sample("/", 1)
        };
        let report = console::error_report(&snapshot(&[failed]), Style::PLAIN);
        let row = report.lines().nth(3).expect("a row");
        assert_eq!(
            row.trim_end(),
            format!("1                  {expected}"),
            "{why}"
        );
    }
}

#[test]
fn what_is_in_no_table_is_said() {
    let limits = Limits {
        max_names: 1,
        max_overflowed_names: 2,
        max_failures: 0,
        ..Limits::default()
    };
    let failed = Sample {
        failure: Some("500"),
        ..sample("/d", 1)
    };
    let samples = [sample("/a", 1), sample("/b", 1), sample("/c", 1), failed];
    let snapshot = snapshot_of(limits, &samples, |ledger| {
        ledger.record_cut_off(2);
        ledger.record_exception("boom", "line 1", "local", START_US);
    });
    let report = console::error_report(&snapshot, Style::PLAIN);
    let lines: Vec<_> = report.lines().map(str::trim_end).collect();
    let (dashes, count) = ("-".repeat(141), "-".repeat(18));
    let expected = [
        "Error report",
        "# occurrences      Error",
        &format!("{count}|{dashes}"),
        "1                  (other errors)",
        &format!("{count}|{dashes}"),
        "",
        "Exception report",
        "# occurrences      Exception",
        &format!("{count}|{dashes}"),
        "1                  boom (local)",
        &format!("{count}|{dashes}"),
        "",
        "Cut off: 2 requests were still open when the run ended, and counted nowhere else.",
        "Too many names: more than 2 names are counted together as \"(other names)\"; give requests \
         that belong together the same name=.",
        "",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn one_request_is_cut_off_in_the_singular() {
    let snapshot = snapshot_of(Limits::default(), &[], |ledger| ledger.record_cut_off(1));
    assert_eq!(
        console::error_report(&snapshot, Style::PLAIN),
        "Cut off: 1 request was still open when the run ended, and counted nowhere else.\n\n"
    );
}

#[test]
fn the_progress_line_says_where_the_run_is() {
    let failed = Sample {
        failure: Some("500"),
        ..sample("/", 21_000)
    };
    for (why, samples, elapsed_s, run_time_s, expected) in [
        (
            "the beginning",
            vec![],
            0,
            None,
            "0:00  1 user  0.0 req/s  0 failures  p95 –",
        ),
        (
            "a minute's run",
            vec![sample("/", 21_000)],
            12,
            Some(60),
            "0:12 / 1:00  1 user  0.0 req/s  0 failures  p95 21 ms",
        ),
        (
            "hours, and a failure",
            vec![failed],
            3_725,
            Some(36_000),
            "1:02:05 / 10:00:00  1 user  0.0 req/s  1 failure  p95 21 ms",
        ),
    ] {
        let line = console::progress_line(
            &snapshot(&samples),
            Duration::from_secs(elapsed_s),
            run_time_s.map(Duration::from_secs),
            Style::PLAIN,
        );
        assert_eq!(line, expected, "{why}");
    }
}
