use acrida_report::series::POINTS_MAX;
use acrida_stats::{Ledger, Limits, Recorder, Sample};

use super::*;

const START_US: u64 = 1_700_000_000_000_000;

/// A ledger, and the seconds that have passed in it.
struct Test {
    ledger: Ledger,
    second: u64,
}

impl Test {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(Limits::default(), START_US),
            second: 0,
        }
    }

    /// `requests` of `name` in the next second, each of `ms`.
    fn second(&mut self, name: &str, requests: u64, ms: u64) -> Snapshot {
        let mut recorder = Recorder::new(Limits::default());
        for _ in 0..requests {
            recorder.record(&Sample {
                method: "GET",
                name,
                finished_us: START_US + self.second * 1_000_000 + 500_000,
                response_time_us: Some(ms * 1_000),
                content_length: 1,
                failure: None,
                ..Sample::default()
            });
        }
        self.ledger.absorb(recorder.take());
        self.second += 1;
        self.ledger.snapshot(START_US + self.second * 1_000_000, 3)
    }
}

#[test]
fn lately_is_the_last_ten_seconds() {
    let (mut test, mut history) = (Test::new(), History::default());
    for _ in 0..20 {
        history.observe(&test.second("/a", 2, 4));
    }
    for _ in 0..5 {
        history.observe(&test.second("/new", 30, 60));
    }
    let lately = history.total().lately();
    assert_eq!((lately.requests, lately.failures), (160, 0));
    assert_eq!(lately.rps, 16.0);
    assert_eq!(lately.percentiles[0], (0.5, 60.0));
    let new = history.course("GET", "/new").expect("it ran").lately();
    assert_eq!((new.requests, new.rps), (150, 30.0), "not since the start");
}

#[test]
fn a_beat_tells_what_happened_since_the_last_one() {
    let (mut test, mut history) = (Test::new(), History::default());
    history.observe(&test.second("/a", 10, 4));
    let beat = history.observe(&test.second("/a", 30, 60));
    assert_eq!(beat.point.rps, 30.0);
    assert_eq!(beat.point.users, 3);
    assert_eq!(beat.heat.0.iter().sum::<u64>(), 30);
    assert_eq!(beat.heat.0[10], 30, "60 ms is in the row up to 70 ms");
    assert_eq!(
        history
            .course("GET", "/a")
            .expect("it ran")
            .points()
            .count(),
        2
    );
}

#[test]
fn a_new_start_begins_anew_and_keeps_finished_runs() {
    let (mut test, mut history) = (Test::new(), History::default());
    let snapshot = test.second("/a", 10, 4);
    history.observe(&snapshot);
    history.finished(&snapshot);
    test.ledger.reset(START_US + 5_000_000);
    history.observe(&test.second("/b", 1, 1));
    assert_eq!(history.total().points().count(), 1);
    assert_eq!(history.runs().len(), 1);
    assert_eq!(history.runs()[0].requests, 10);
}

#[test]
fn a_day_with_many_endpoints_stays_bounded() {
    let (mut test, mut history) = (Test::new(), History::default());
    (0..20).for_each(|at| {
        test.second(&format!("/{at}"), 5, at);
    });
    let mut snapshot = test.second("/0", 1, 1);
    for _ in 0..86_400 / 20 {
        snapshot.taken_us += 20_000_000;
        history.observe(&snapshot);
    }
    for at in 0..20 {
        let course = history.course("GET", &format!("/{at}")).expect("it ran");
        assert!(course.points().count() <= POINTS_MAX + 1);
    }
    assert!(history.heat().count() <= POINTS_MAX + 1);
    (0..1_000).for_each(|at| history.note(0.0, at.to_string()));
    assert_eq!(history.events().len(), EVENTS_MAX);
}

#[test]
fn merged_points_keep_peaks_and_average_rates() {
    let point = |rps, p95| Point {
        t: 1.0,
        users: 1,
        rps,
        fps: 0.0,
        p50: None,
        p95,
        p99: None,
        avg: 0.0,
        beats: 1,
    };
    let mut merged = point(10.0, Some(5.0));
    merged.merge(&point(20.0, Some(50.0)));
    merged.merge(&point(30.0, None));
    assert_eq!(
        (merged.rps, merged.p95, merged.beats),
        (20.0, Some(50.0), 3)
    );
}
