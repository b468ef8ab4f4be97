use super::*;
use crate::course::Point;
use crate::resources::{Kind, Part, Usage};
use crate::summary::{EntrySummary, FailureSummary};

/// A run of one point a second, in which the users, p95 and failures are told.
fn run(points: &[(u64, f32, f32)]) -> RunSummary {
    let course = points
        .iter()
        .enumerate()
        .map(|(second, (users, p95, fps))| Point {
            t: 1_000.0 + second as f64,
            users: *users,
            rps: 100.0,
            fps: *fps,
            p50: Some(p95 / 2.0),
            p95: Some(*p95),
            p99: Some(p95 * 2.0),
            avg: *p95 / 2.0,
            beats: 1,
        });
    RunSummary {
        course: course.collect(),
        total: EntrySummary {
            requests: 1_000,
            failures: points.iter().map(|point| point.2 as u64).sum(),
            ..EntrySummary::default()
        },
        ..RunSummary::default()
    }
}

fn part(kind: Kind, usages: impl IntoIterator<Item = Usage>) -> Part {
    let at = |(second, usage)| Usage {
        t: 1_000.3 + f64::from(second),
        ..usage
    };
    Part {
        kind,
        name: "api".to_owned(),
        cpu_limit: Some(200.0),
        memory_limit_mb: None,
        points: (0_u32..).zip(usages).map(at).collect(),
    }
}

fn cpu(percent: f32) -> Usage {
    Usage {
        cpu: Some(percent),
        ..Usage::default()
    }
}

fn memory(mb: f32) -> Usage {
    Usage {
        memory_mb: Some(mb),
        ..Usage::default()
    }
}

/// Ten seconds with 10 users, twenty with 40, in which p95 is higher.
fn ramp(p95: f32) -> RunSummary {
    let calm = (0..10).map(|at| (10, 480.0 + at as f32, 0.0));
    let points: Vec<_> = calm.chain((0..20).map(|_| (40, p95, 0.0))).collect();
    run(&points)
}

fn evidence(run: &RunSummary) -> Vec<String> {
    diagnose(run)
        .into_iter()
        .map(|advice| advice.evidence)
        .collect()
}

#[test]
fn a_rise_is_told_with_the_cpu_that_was_used_up_then() {
    let usages = || (0..30).map(|at| cpu(if at < 10 { 60.0 } else { 196.0 }));
    let mut busy = ramp(1_900.0);
    busy.resources = vec![part(Kind::Target, usages())];
    assert_eq!(
        evidence(&busy),
        [
            "p95 rose from 485ms to 1,900ms when the CPU of the service (api) reached 100 % of 2 cores, at 40 users"
        ]
    );
    let mut fast = ramp(490.0);
    fast.resources = vec![part(Kind::Target, usages())];
    assert_eq!(evidence(&fast), [""; 0], "it did not get slower");
    assert_eq!(
        evidence(&ramp(1_900.0)),
        [""; 0],
        "nothing was seen of the service"
    );
    let mut elsewhere = ramp(1_900.0);
    elsewhere.resources = vec![part(Kind::Target, usages())];
    elsewhere.resources[0]
        .points
        .iter_mut()
        .for_each(|point| point.t += 500.0);
    assert_eq!(evidence(&elsewhere), [""; 0], "it was seen at another time");
}

#[test]
fn a_thread_or_the_machine_may_be_what_is_used_up() {
    let thread = |percent| Usage {
        busiest_thread: Some(percent),
        ..cpu(104.0)
    };
    let mut single = ramp(1_900.0);
    single.resources = vec![part(
        Kind::Target,
        (0..30).map(|at| thread(if at < 10 { 50.0 } else { 99.0 })),
    )];
    let found = diagnose(&single);
    assert!(
        found[0]
            .evidence
            .contains("when one thread of the service (api) reached 100 % of 1 core")
    );
    assert!(found[0].advice.contains("more cores alone do not"));

    let mut shared = ramp(1_900.0);
    shared.resources = vec![
        part(
            Kind::Machine,
            (0..30).map(|at| cpu(if at < 10 { 50.0 } else { 200.0 })),
        ),
        part(Kind::Target, (0..30).map(|_| cpu(120.0))),
        part(Kind::Generator, (0..30).map(|_| cpu(30.0))),
    ];
    let said = &evidence(&shared)[0];
    assert!(said.contains("CPU of this machine"), "{said}");
    assert!(
        said.ends_with("(of a core, the service (api) 120 %, the generator 30 %)"),
        "{said}"
    );
}

#[test]
fn a_run_that_is_busy_all_along_is_told_only_if_it_is_slow() {
    for (p95, found) in [(800.0, true), (300.0, false)] {
        let mut run = run(&vec![(20, p95, 0.0); 30]);
        run.resources = vec![part(Kind::Target, (0..30).map(|_| cpu(199.0)))];
        assert_eq!(!evidence(&run).is_empty(), found, "{p95}");
    }
}

#[test]
fn a_rise_without_cpu_rules_cpu_out() {
    for (percent, found) in [(60.0, true), (150.0, false)] {
        let mut run = ramp(1_900.0);
        run.resources = vec![part(Kind::Target, (0..30).map(|_| cpu(percent)))];
        let said = evidence(&run);
        let expected = "p95 rose from 485ms with up to 10 users to 1,900ms with 40, while the CPU of the service (api) \
                        stayed under 30 % of 2 cores";
        assert_eq!(said.iter().any(|said| said == expected), found, "{said:?}");
    }
}

#[test]
fn memory_that_grows_is_told_unless_it_levels_off() {
    let grown = |memory_at: &dyn Fn(f32) -> f32| {
        let mut run = run(&[(20, 100.0, 0.0); 120]);
        run.resources = vec![part(
            Kind::Target,
            (0..120).map(|at| memory(memory_at(at as f32))),
        )];
        evidence(&run)
    };
    let said = grown(&|at| 300.0 + at * 2.0 + (at % 3.0));
    assert!(
        said[0].contains("grew from 300 to 540 MB in 1 minute"),
        "{said:?}"
    );
    assert!(
        said[0].contains("with 20 users (121.0 MB a minute)"),
        "{said:?}"
    );
    assert_eq!(
        grown(&|at| 300.0 + (at * 4.0).min(200.0)),
        [""; 0],
        "it levels off"
    );
    assert_eq!(grown(&|at| 300.0 + at * 0.1), [""; 0], "it is little");
    assert_eq!(
        grown(&|at| 300.0 + (at % 7.0) * 20.0),
        [""; 0],
        "it goes up and down"
    );
}

#[test]
fn lack_of_memory_is_told_with_its_limit() {
    let mut run = run(&[(20, 100.0, 0.0); 30]);
    let mut full = part(
        Kind::Target,
        (0..30).map(|at| memory(if at < 20 { 100.0 } else { 500.0 })),
    );
    full.memory_limit_mb = Some(512.0);
    full.points[25].oom_kills = 1;
    let mut machine = part(Kind::Machine, [memory(7_900.0)]);
    machine.memory_limit_mb = Some(8_000.0);
    run.resources = vec![full, machine];
    assert_eq!(
        evidence(&run),
        [
            "the service (api) was killed for lack of memory 1 time(s), first at 1970-01-01T00:17:05Z, with 20 users",
            "the service (api) used 500 of the 512 MB that it may have, from 1970-01-01T00:17:00Z on",
            "this machine used 7900 of its 8000 MB",
        ]
    );
}

#[test]
fn a_generator_without_time_left_is_told() {
    let mut run = run(&[(20, 100.0, 0.0); 30]);
    let busy = |at| Usage {
        busiest_thread: Some(if at < 20 { 96.0 } else { 30.0 }),
        ..Usage::default()
    };
    run.resources = vec![part(Kind::Generator, (0..30).map(busy))];
    assert!(
        evidence(&run)[0]
            .starts_with("the thread that runs the users was busy, or waited for a core, 96 % of the time in 67 % of the run")
    );
    run.resources[0].points.truncate(3);
    assert_eq!(evidence(&run), [""; 0]);
}

#[test]
fn an_event_loop_that_is_late_is_told_unless_its_thread_is_busy() {
    let mut run = run(&[(20, 100.0, 0.0); 60]);
    let late = |lag_ms| Usage {
        lag_ms: Some(lag_ms),
        busiest_thread: Some(20.0),
        ..Usage::default()
    };
    let every_eighth = |at| late(if at % 8 == 0 { 450.0 + at as f32 } else { 20.0 });
    run.resources = vec![part(Kind::Generator, (0..60).map(every_eighth))];
    assert_eq!(
        evidence(&run),
        [
            "users waited for the event loop, which was 200 ms late or more in 13 % of the run, 506 ms at most"
        ]
    );
    let once_in_a_while = (0..60).map(|at| late(if at % 30 == 0 { 450.0 } else { 150.0 }));
    run.resources = vec![part(Kind::Generator, once_in_a_while)];
    assert_eq!(evidence(&run), [""; 0]);
    let busy = (0..60).map(|at| Usage {
        busiest_thread: Some(99.0),
        ..every_eighth(at)
    });
    run.resources = vec![part(Kind::Generator, busy)];
    assert!(evidence(&run)[0].contains("was busy") && evidence(&run).len() == 1);
}

fn failure(error: &str, occurrences: u64) -> FailureSummary {
    FailureSummary {
        method: "POST".to_owned(),
        name: "/predict".to_owned(),
        error: error.to_owned(),
        occurrences,
        first_seen_s: Some(1_012.0),
        last_seen_s: Some(1_014.0),
        counts: Vec::new(),
    }
}

#[test]
fn failures_that_begin_with_users_are_told_so() {
    let points: Vec<_> = (0..30)
        .map(|at| {
            if at < 10 {
                (10, 50.0, 0.0)
            } else {
                (50, 50.0, 12.0)
            }
        })
        .collect();
    assert_eq!(
        evidence(&run(&points)),
        ["none failed with up to 10 users; with 50 to 50 users 12.0 % did"]
    );
    let leaving: Vec<_> = points.iter().copied().chain([(0, 50.0, 3.0)]).collect();
    assert_eq!(
        evidence(&run(&leaving)).len(),
        1,
        "the end is not looked at"
    );
    let scattered: Vec<_> = (0..30)
        .map(|at| {
            (
                if at < 10 { 10 } else { 50 },
                50.0,
                if at % 7 == 3 { 5.0 } else { 0.0 },
            )
        })
        .collect();
    assert_eq!(evidence(&run(&scattered)), [""; 0]);
}

#[test]
fn failures_are_told_by_what_most_of_them_say() {
    for (error, part) in [
        (
            "ConnectionRefusedError(111, 'Connection refused')",
            "nobody listened",
        ),
        (
            "HTTPError('503 Server Error: Service Unavailable')",
            "refused for load",
        ),
        (
            "BadStatusCode('http://x:5030/a', code=500)",
            "failed inside",
        ),
        ("ReadTimeout: timed out", "no answer came in time"),
        (
            "ConnectionResetError(104, 'Connection reset by peer')",
            "closed without an answer",
        ),
    ] {
        let mut run = run(&[(20, 100.0, 1.0); 9]);
        run.failures = vec![failure(error, 7), failure("something else", 2)];
        let said = evidence(&run);
        assert!(
            said[0].contains("7 of 9 failures") && said[0].contains(part),
            "{said:?}"
        );
        run.failures[0].occurrences = 2;
        assert_eq!(evidence(&run), [""; 0], "too few");
    }
}

#[test]
fn a_restart_is_told_with_what_failed_around_it() {
    let mut run = run(&[(20, 100.0, 0.0); 30]);
    let restarts = |at| Usage {
        restarts: u32::from(at > 12),
        ..cpu(10.0)
    };
    run.resources = vec![part(Kind::Target, (0..30).map(restarts))];
    run.failures = vec![failure("refused", 4)];
    assert_eq!(
        evidence(&run),
        [
            "the service (api) started again 1 time(s), first at 1970-01-01T00:16:53Z; 4 requests failed in ways first or last \
          seen around then"
        ]
    );
}

#[test]
fn an_empty_run_shows_nothing() {
    assert_eq!(diagnose(&RunSummary::default()), []);
    let only_parts = RunSummary {
        resources: vec![
            part(Kind::Target, [Usage::default()]),
            part(Kind::Machine, []),
        ],
        ..RunSummary::default()
    };
    assert_eq!(diagnose(&only_parts), []);
}
