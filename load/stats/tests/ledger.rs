//! What a ledger tells of a run, one rule at a time.

use acrida_stats::{
    EntrySnapshot, Ledger, Limits, NoSamples, OTHER_ERRORS, OTHER_EXCEPTIONS, OTHER_NAMES,
    Recorder, Sample,
};

const START_US: u64 = 1_700_000_000_000_000;
const SECOND_US: u64 = 1_000_000;

fn sample(name: &str, after_us: u64) -> Sample<'_> {
    Sample {
        method: "GET",
        name,
        finished_us: START_US + after_us,
        response_time_us: Some(1_500),
        content_length: 10,
        failure: None,
        ..Sample::default()
    }
}

fn ledger_of(limits: Limits, samples: &[Sample<'_>]) -> Ledger {
    let mut recorder = Recorder::new(limits);
    samples.iter().for_each(|sample| recorder.record(sample));
    let mut ledger = Ledger::new(limits, START_US);
    ledger.absorb(recorder.take());
    ledger
}

fn rates(entry: &EntrySnapshot) -> [f64; 4] {
    [
        entry.current_rps(),
        entry.current_fail_per_sec(),
        entry.total_rps(),
        entry.total_fail_per_sec(),
    ]
}

#[test]
fn rates_are_locusts() {
    // Expected rates: of Locust 2.47.0's StatsEntry, its clock set to the same times.
    let every = |seconds: std::ops::Range<u64>| seconds.map(|s| (s, s % 2 == 0)).collect();
    let paused = vec![(1, false), (11, true), (20, false)];
    let thirds = [2.0 / 3.0, 1.0 / 3.0, 1.0, 0.4];
    check_rates("nothing", vec![], [0.0; 4]);
    check_rates("the first at the start itself", vec![(0, true)], [0.0; 4]);
    check_rates("too early for current", every(1..3), [0.0, 0.0, 1.0, 0.5]);
    check_rates("three whole seconds", every(1..6), thirds);
    check_rates("ten seconds at most", every(1..31), [1.0, 0.5, 1.0, 0.5]);
    check_rates("a pause", paused, [0.1, 0.1, 0.15, 0.05]);
}

/// `requests`: how many seconds after the start each one finished, and whether it
/// failed.
fn check_rates(why: &str, requests: Vec<(u64, bool)>, expected: [f64; 4]) {
    let samples: Vec<_> = requests
        .into_iter()
        .map(|(second, failed)| Sample {
            failure: failed.then_some("500"),
            ..sample("/", second * SECOND_US)
        })
        .collect();
    let ledger = ledger_of(Limits::default(), &samples);
    let total = ledger.snapshot(START_US + 100 * SECOND_US, 0).total;
    assert_eq!(rates(&total), expected, "{why}");
}

#[test]
fn rates_of_an_entry_refer_to_the_whole_run() {
    let samples = [sample("/early", SECOND_US), sample("/late", 10 * SECOND_US)];
    let ledger = ledger_of(Limits::default(), &samples);
    let snapshot = ledger.snapshot(START_US + 10 * SECOND_US, 0);
    assert_eq!(snapshot.entries[0].total_rps(), 0.1);
    assert_eq!(snapshot.entries[0].current_rps(), 1.0 / 8.0);
}

#[test]
fn current_percentiles_look_at_the_last_ten_seconds() {
    let samples: Vec<_> = (0..30)
        .map(|second| Sample {
            response_time_us: Some(second * 1_000),
            ..sample("/", second * SECOND_US)
        })
        .collect();
    let ledger = ledger_of(Limits::default(), &samples);
    for (why, after, expected) in [
        ("seconds 20 to 29", 29, Ok(vec![20.0, 25.0, 29.0])),
        ("second 29 alone", 38, Ok(vec![29.0, 29.0, 29.0])),
        ("nothing lately", 39, Err(NoSamples)),
    ] {
        let total = ledger.snapshot(START_US + after * SECOND_US, 0).total;
        let found = total.current_percentiles_ms(&[0.0, 0.5, 1.0]);
        assert_eq!(found, expected, "{why}");
    }
}

#[test]
fn requests_without_a_time_are_counted_and_have_no_percentiles() {
    let untimed = Sample {
        response_time_us: None,
        ..sample("/", SECOND_US)
    };
    let total = ledger_of(Limits::default(), &[untimed])
        .snapshot(START_US, 0)
        .total;
    assert_eq!((total.num_requests, total.num_none_requests), (1, 1));
    assert_eq!(total.percentile_ms(0.5), Err(NoSamples));
    assert_eq!(total.avg_response_time_ms(), Err(NoSamples));
    assert_eq!(total.min_response_time_ms(), Err(NoSamples));
    assert!(!total.has_response_times());
}

#[test]
fn entries_are_sorted_by_name_and_then_method() {
    let samples: Vec<_> = [("POST", "/b"), ("GET", "/b"), ("PUT", "/a"), ("GET", "(z")]
        .iter()
        .map(|(method, name)| Sample {
            method,
            ..sample(name, 0)
        })
        .collect();
    let limits = Limits {
        max_names: 3,
        ..Limits::default()
    };
    let snapshot = ledger_of(limits, &samples).snapshot(START_US, 0);
    let names: Vec<_> = snapshot
        .entries
        .iter()
        .map(|entry| (&*entry.method, &*entry.name))
        .collect();
    let expected = [
        ("", OTHER_NAMES),
        ("PUT", "/a"),
        ("GET", "/b"),
        ("POST", "/b"),
    ];
    assert_eq!(names, expected);
}

#[test]
fn names_beyond_the_bound_share_an_entry_and_are_counted() {
    let names: Vec<String> = (0..20).map(|n| format!("/{}", n % 10)).collect();
    let samples: Vec<_> = names.iter().map(|name| sample(name, 0)).collect();
    for (max_names, max_overflowed_names, expected) in [
        (10, 5, (0, false, 10)),
        (7, 3, (3, false, 8)),
        (7, 2, (2, true, 8)),
        (0, 100, (10, false, 1)),
    ] {
        let limits = Limits {
            max_names,
            max_overflowed_names,
            ..Limits::default()
        };
        let snapshot = ledger_of(limits, &samples).snapshot(START_US, 0);
        let found = (
            snapshot.overflowed_names,
            snapshot.more_overflowed_names,
            snapshot.entries.len(),
        );
        assert_eq!(found, expected, "{max_names} {max_overflowed_names}");
    }
}

#[test]
fn a_name_that_overflows_here_and_there_counts_once() {
    let limits = Limits {
        max_names: 1,
        ..Limits::default()
    };
    let mut ledger = Ledger::new(limits, START_US);
    for names in [["/a", "/b"], ["/b", "/c"], ["/a", "/c"]] {
        let mut recorder = Recorder::new(limits);
        names
            .iter()
            .for_each(|name| recorder.record(&sample(name, 0)));
        ledger.absorb(recorder.take());
    }
    let snapshot = ledger.snapshot(START_US, 0);
    assert_eq!(snapshot.overflowed_names, 2, "/b and /c");
    let requests: Vec<_> = snapshot
        .entries
        .iter()
        .map(|entry| (&*entry.name, entry.num_requests))
        .collect();
    assert_eq!(requests, [(OTHER_NAMES, 4), ("/a", 2)]);
}

#[test]
fn long_texts_are_cut() {
    let limits = Limits {
        max_name_bytes: 4,
        max_error_bytes: 3,
        max_traceback_bytes: 2,
        ..Limits::default()
    };
    let failed = Sample {
        failure: Some("500 Server Error"),
        ..sample("/abcé", 0)
    };
    let mut ledger = ledger_of(limits, &[failed]);
    ledger.record_exception("message", "traceback", "a-node", START_US);
    let snapshot = ledger.snapshot(START_US, 0);
    assert_eq!(snapshot.entries[0].name, "/abc");
    assert_eq!(snapshot.failures[0].name, "/abc");
    assert_eq!(snapshot.failures[0].error, "500");
    let exception = &snapshot.exceptions[0];
    assert_eq!((&*exception.message, &*exception.traceback), ("mes", "tr"));
    assert_eq!(exception.nodes, ["a-no"]);
}

#[test]
fn failures_are_grouped_by_what_failed_and_how() {
    let failed = |name, after_us, error| Sample {
        failure: Some(error),
        ..sample(name, after_us)
    };
    let samples = [
        failed("/b", 3, "500"),
        failed("/a", 5, "500"),
        failed("/b", 9, "500"),
        failed("/b", 6, "<A object at 0x1f>"),
        failed("/b", 7, "<A object at 0x2e>"),
        failed("/c", 8, "one too many"),
        failed("/d", 4, "two too many"),
    ];
    let limits = Limits {
        max_failures: 3,
        ..Limits::default()
    };
    let snapshot = ledger_of(limits, &samples).snapshot(START_US, 0);
    let rows: Vec<_> = snapshot
        .failures
        .iter()
        .map(|row| {
            let seen = (row.first_seen_us - START_US, row.last_seen_us - START_US);
            (&*row.name, &*row.error, row.occurrences, seen)
        })
        .collect();
    let expected = [
        ("/b", "500", 2, (3, 9)),
        ("/a", "500", 1, (5, 5)),
        ("/b", "<A object at 0x....>", 2, (6, 7)),
        ("", OTHER_ERRORS, 2, (4, 8)),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn exceptions_are_grouped_by_their_traceback() {
    let limits = Limits {
        max_exceptions: 2,
        max_nodes: 2,
        ..Limits::default()
    };
    let mut ledger = Ledger::new(limits, START_US);
    for (message, traceback, node, after_us) in [
        ("first", "line 1", "b", 1),
        ("second", "line 1", "a", 2),
        ("third", "line 1", "c", 3),
        ("fourth", "line 2", "a", 4),
        ("fifth", "line 3", "a", 5),
        ("sixth", "line 4", "b", 6),
    ] {
        ledger.record_exception(message, traceback, node, START_US + after_us);
    }
    let snapshot = ledger.snapshot(START_US, 0);
    let rows: Vec<_> = snapshot
        .exceptions
        .iter()
        .map(|row| {
            (
                &*row.message,
                &*row.traceback,
                row.count,
                row.nodes.join(" "),
            )
        })
        .collect();
    let expected = [
        ("first", "line 1", 3, "a b".to_owned()),
        ("fourth", "line 2", 1, "a".to_owned()),
        (OTHER_EXCEPTIONS, "", 2, "a b".to_owned()),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn a_reset_keeps_names_and_forgets_the_rest() {
    let failed = Sample {
        failure: Some("500"),
        ..sample("/a", SECOND_US)
    };
    let mut ledger = ledger_of(Limits::default(), &[failed]);
    ledger.record_exception("boom", "line 1", "local", START_US);
    ledger.record_cut_off(3);
    ledger.reset(START_US + 2 * SECOND_US);
    let snapshot = ledger.snapshot(START_US + 3 * SECOND_US, 5);
    assert_eq!(snapshot.start_us, START_US + 2 * SECOND_US);
    assert_eq!((snapshot.last_request_us, snapshot.cut_off), (None, 0));
    assert!(snapshot.failures.is_empty() && snapshot.exceptions.is_empty());
    assert_eq!(snapshot.total.num_requests, 0);
    assert_eq!(snapshot.entries.len(), 1);
    let entry = &snapshot.entries[0];
    assert_eq!((&*entry.name, entry.num_requests), ("/a", 0));
    assert_eq!(rates(entry), [0.0; 4]);
}

#[test]
fn a_snapshot_does_not_change_with_its_ledger() {
    let mut ledger = ledger_of(Limits::default(), &[sample("/a", 0)]);
    let before = ledger.snapshot(START_US, 0);
    let mut recorder = Recorder::new(Limits::default());
    recorder.record(&Sample {
        response_time_us: Some(9_000),
        ..sample("/a", 0)
    });
    ledger.absorb(recorder.take());
    assert_eq!(before.total.max_response_time_ms(), Ok(1.5));
    let after = ledger.snapshot(START_US, 0);
    assert_eq!(after.total.max_response_time_ms(), Ok(9.0));
}

#[test]
fn a_failure_counted_by_itself_is_no_request() {
    let mut recorder = Recorder::new(Limits::default());
    recorder.record(&sample("/", SECOND_US));
    recorder.record_error("GET", "/", "E()", START_US + SECOND_US);
    recorder.record_error("GET", "/other", "E()", START_US + SECOND_US);
    let mut ledger = Ledger::new(Limits::default(), START_US);
    ledger.absorb(recorder.take());
    let row = |name| {
        let row = ledger.entry_snapshot("GET", name, START_US);
        (row.num_requests, row.num_failures, row.fail_ratio())
    };
    assert_eq!(row("/"), (1, 1, 1.0));
    assert_eq!(row("/other"), (0, 1, 1.0));
    assert_eq!(row("/absent"), (0, 0, 0.0));
    let total = ledger.total_snapshot(START_US);
    assert_eq!((total.num_requests, total.num_failures), (1, 2));
    assert_eq!(ledger.snapshot(START_US, 0).failures.len(), 2);
}

#[test]
fn one_row_tells_its_times_and_seconds() {
    let slow = Sample {
        response_time_us: Some(2_000),
        failure: Some("500"),
        ..sample("/", 3 * SECOND_US)
    };
    let samples = [sample("/", SECOND_US), slow, sample("/", SECOND_US)];
    let row = ledger_of(Limits::default(), &samples).entry_snapshot("GET", "/", START_US);
    assert_eq!(Vec::from_iter(row.times_us()), [(1_500, 2), (2_000, 1)]);
    let start = START_US / SECOND_US;
    let seconds = row.counts_by_second();
    let seconds =
        Vec::from_iter(seconds.map(|count| (count.second, count.requests, count.failures)));
    assert_eq!(seconds, [(start + 1, 2, 0), (start + 3, 1, 1)]);
    assert_eq!(row.start_us(), START_US);
}

#[test]
fn rows_of_another_ledger_can_be_added() {
    let failed = Sample {
        failure: Some("500"),
        ..sample("/other", 2 * SECOND_US)
    };
    let other = ledger_of(Limits::default(), &[sample("/other", SECOND_US), failed]);
    let mut ledger = ledger_of(Limits::default(), &[sample("/", SECOND_US)]);
    ledger.absorb_row("GET", "/", &other.entry_snapshot("GET", "/other", START_US));
    let row = ledger.entry_snapshot("GET", "/", START_US);
    assert_eq!((row.num_requests, row.num_failures), (3, 1));
    assert_eq!(Vec::from_iter(row.times_us()), [(1_500, 3)]);
    assert_eq!(
        row.counts_by_second()
            .map(|count| count.requests)
            .sum::<u64>(),
        3
    );
    assert_eq!(ledger.total_snapshot(START_US).num_requests, 3);
}

#[test]
fn a_cleared_ledger_knows_no_names() {
    let mut ledger = ledger_of(Limits::default(), &[sample("/", 0)]);
    ledger.clear(START_US + 1);
    let snapshot = ledger.snapshot(START_US + 1, 0);
    assert_eq!(snapshot.entries.len(), 0);
    assert_eq!(snapshot.total.num_requests, 0);
    assert_eq!(snapshot.start_us, START_US + 1);
}

#[test]
fn one_row_can_be_forgotten_and_so_can_the_total() {
    let failed = Sample {
        failure: Some("500"),
        ..sample("/", SECOND_US)
    };
    let mut ledger = ledger_of(Limits::default(), &[failed, sample("/other", SECOND_US)]);
    let count = |ledger: &Ledger, name| ledger.entry_snapshot("GET", name, START_US).num_requests;
    ledger.reset_entry("GET", "/");
    assert_eq!((count(&ledger, "/"), count(&ledger, "/other")), (0, 1));
    assert_eq!(ledger.total_snapshot(START_US).num_requests, 2);
    assert_eq!(ledger.snapshot(START_US, 0).entries.len(), 2, "names stay");
    ledger.reset_total(START_US + SECOND_US);
    let total = ledger.total_snapshot(START_US + SECOND_US);
    assert_eq!(
        (total.num_requests, total.start_us()),
        (0, START_US + SECOND_US)
    );
    assert_eq!(count(&ledger, "/other"), 1);
    let failure = ledger
        .failure_row("GET", "/", "500")
        .expect("failures stay");
    assert_eq!(failure.occurrences, 1);
    assert_eq!(ledger.failure_row("GET", "/", "404"), None);
}
