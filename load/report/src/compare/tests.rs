use fastrand::Rng;

use super::*;
use crate::series::Merge as _;

/// A run of `seconds` one-second windows with about `rps` requests each, whose response
/// times are spread around `ms` and drift slowly, as those of a real service do.
fn run(rng: &mut Rng, seconds: usize, rps: u64, ms: f64, fail_ratio: f64) -> Vec<EntryWindows> {
    let mut drift = 0.0;
    let windows = (0..seconds).map(|_| {
        drift = 0.6 * drift + 0.03 * normal(rng);
        let requests = (rps as f64 + (rps as f64).sqrt() * normal(rng)).max(1.0) as u64;
        let mut times: Vec<_> = (0..requests)
            .map(|_| {
                (
                    (ms * 1e3 * (drift + 0.3 * normal(rng)).exp()) as u64 / 10 * 10,
                    1,
                )
            })
            .collect();
        times.sort_unstable();
        Window {
            seconds: 1,
            users: 10,
            requests,
            failures: (0..requests).filter(|_| rng.f64() < fail_ratio).count() as u64,
            times,
        }
    });
    vec![EntryWindows {
        method: "GET".to_owned(),
        name: "/".to_owned(),
        windows: windows.collect(),
    }]
}

fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

#[test]
fn equal_runs_seldom_seem_to_differ() {
    const TRIALS: usize = 200;
    let mut rng = Rng::with_seed(1);
    let alarms = (0..TRIALS).filter(|_| {
        let (a, b) = (
            run(&mut rng, 30, 40, 100.0, 0.01),
            run(&mut rng, 30, 40, 100.0, 0.01),
        );
        let comparison = compare(&a, &b);
        let shown = |difference: &Difference| {
            matches!(difference.verdict, Verdict::Better | Verdict::Worse)
        };
        comparison.differences.iter().any(shown)
    });
    let alarms = alarms.count();
    // 5 % are ten of 200; seventeen or more would come in one of fifty such tests.
    assert!(alarms < 17, "{alarms} false alarms in {TRIALS} comparisons");
}

#[test]
fn a_slow_down_of_a_tenth_is_found_in_half_a_minute() {
    let mut rng = Rng::with_seed(2);
    let found = (0..50).filter(|_| {
        let (a, b) = (
            run(&mut rng, 30, 40, 100.0, 0.0),
            run(&mut rng, 30, 40, 110.0, 0.0),
        );
        compare(&a, &b)
            .regressions(0.0)
            .any(|worse| worse.metric == "median")
    });
    let found = found.count();
    // The drift of these runs is a third of the difference; nine in ten is what one may ask.
    assert!(found >= 40, "{found} of 50");
}

#[test]
fn the_interval_holds_the_true_change() {
    let mut rng = Rng::with_seed(3);
    let (a, b) = (
        run(&mut rng, 60, 50, 100.0, 0.0),
        run(&mut rng, 60, 50, 130.0, 0.2),
    );
    let comparison = compare(&a, &b);
    let named = |metric: &str| {
        let found = comparison
            .differences
            .iter()
            .find(|difference| difference.metric == metric);
        found.expect(metric)
    };
    let (low, high) = named("average").interval.expect("an interval");
    assert!(low < 0.3 && 0.3 < high && low > 0.15, "{low} {high}");
    assert_eq!(named("fail ratio").verdict, Verdict::Worse);
    assert_eq!(named("requests/s").verdict, Verdict::NotShown);
    let text = table(&comparison, "first", "second");
    assert!(text.contains("A: first\nB: second\n"), "{text}");
    assert!(text.contains("WORSE"), "{text}");
}

#[test]
fn what_cannot_be_said_is_not_said() {
    let mut rng = Rng::with_seed(4);
    let long = run(&mut rng, 30, 20, 100.0, 0.0);
    let short = run(&mut rng, WINDOWS_MIN - 1, 20, 500.0, 0.0);
    let verdicts = |a: &[EntryWindows], b: &[EntryWindows]| -> Vec<Verdict> {
        compare(a, b)
            .differences
            .iter()
            .map(|difference| difference.verdict)
            .collect()
    };
    assert_eq!(verdicts(&long, &short), [Verdict::TooLittle; 5]);
    assert_eq!(
        verdicts(&long, &long),
        [Verdict::NotShown; 5],
        "a run and itself"
    );
    assert_eq!(verdicts(&long, &[]), []);
    let other = [EntryWindows {
        name: "/other".to_owned(),
        ..long[0].clone()
    }];
    let comparison = compare(&long, &other);
    assert_eq!(
        (comparison.only_a, comparison.only_b),
        (vec!["GET /".to_owned()], vec!["GET /other".to_owned()])
    );
    // Every time the same: no variance at all.
    let flat = |ms: u64| {
        let mut run = long.clone();
        run[0]
            .windows
            .iter_mut()
            .for_each(|window| window.times = vec![(ms * 1_000, window.requests)]);
        run
    };
    let few = long[0].windows[..WINDOWS_MIN].iter().map(|window| Window {
        requests: 1,
        failures: 0,
        times: vec![(5_000, 1)],
        ..window.clone()
    });
    let few = [EntryWindows {
        windows: few.collect(),
        ..long[0].clone()
    }];
    let of_few = compare(&few, &few).differences;
    let fails = of_few.iter().find(|row| row.metric == "fail ratio");
    let (low, high) = fails.and_then(|row| row.interval).expect("an interval");
    assert!(-1.0 <= low && high <= 1.0, "{low} {high}");
    assert_eq!(verdicts(&flat(5), &flat(5))[0], Verdict::NotShown);
    assert_eq!(verdicts(&flat(5), &flat(6))[0], Verdict::Worse);
}

/// How runs of a simulated service vary, and how that was measured.
#[derive(Clone, Copy)]
struct Noise {
    /// What one second has of the one before.
    memory: f64,
    /// Standard deviation of the logarithm of response times from second to second, which all
    /// names share.
    seconds: f64,
    /// The share of seconds with a stall, in which all times are half as long again.
    stalls: f64,
}

/// Two names and their total, 30 s of about 30 requests a second each.
fn two_names(rng: &mut Rng, noise: Noise, slower: f64) -> Vec<EntryWindows> {
    let mut drift = 0.0;
    let steps = noise.seconds * (1.0 - noise.memory * noise.memory).sqrt();
    let mut names = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..30 {
        drift = noise.memory * drift + steps * normal(rng);
        let stall: f64 = if rng.f64() < noise.stalls { 1.5 } else { 1.0 };
        let level = 30e3 * drift.exp() * stall;
        for (at, factor) in [1.0, slower].into_iter().enumerate() {
            let requests = (30.0 / factor / drift.exp() + 3.0 * normal(rng)).max(1.0) as u64;
            // Whole hundreds of µs: three digits, as windows have them.
            let time =
                |rng: &mut Rng| (level * factor * (0.2 * normal(rng)).exp()) as u64 / 100 * 100;
            let mut times: Vec<_> = (0..requests).map(|_| (time(rng), 1)).collect();
            times.sort_unstable();
            let window = Window {
                seconds: 1,
                users: 8,
                requests,
                failures: 0,
                times,
            };
            names[at].push(window.clone());
            match at {
                0 => names[2].push(window),
                _ => names[2]
                    .last_mut()
                    .expect("the first name's")
                    .merge(&Window {
                        seconds: 0,
                        ..window
                    }),
            }
        }
    }
    let labels = [("GET", "/a"), ("GET", "/b"), ("", "Aggregated")];
    let entries = labels
        .iter()
        .zip(names)
        .map(|((method, name), windows)| EntryWindows {
            method: (*method).to_owned(),
            name: (*name).to_owned(),
            windows,
        });
    entries.collect()
}

fn is_called_different(comparison: &Comparison) -> bool {
    let shown =
        |difference: &Difference| matches!(difference.verdict, Verdict::Better | Verdict::Worse);
    comparison.differences.iter().any(shown)
}

/// Seconds that are like the ones before them, as on a machine that is shared.
const SHARED: Noise = Noise {
    memory: 0.5,
    seconds: 0.05,
    stalls: 0.0,
};

#[test]
fn a_thousand_pairs_of_equal_runs_raise_as_few_alarms_as_stated() {
    let mut rng = Rng::with_seed(11);
    let mut pair = || {
        (
            two_names(&mut rng, SHARED, 1.0),
            two_names(&mut rng, SHARED, 1.0),
        )
    };
    let alarms = (0..1_000)
        .filter(|_| {
            let (a, b) = pair();
            is_called_different(&compare(&a, &b))
        })
        .count();
    // 5 % are 50; more than 66 would come in one of a hundred such tests.
    assert!(alarms <= 66, "{alarms} false alarms in 1000 comparisons");
}

#[test]
fn one_endpoint_that_is_a_tenth_slower_is_found_in_half_a_minute() {
    let mut rng = Rng::with_seed(12);
    let found = (0..100).filter(|_| {
        let a = two_names(&mut rng, SHARED, 1.0);
        let b = two_names(&mut rng, SHARED, 1.1);
        let comparison = compare(&a, &b);
        let mut worse = comparison.regressions(0.0);
        worse.any(|worse| worse.label == "GET /b" && worse.metric == "median")
    });
    let found = found.count();
    assert!(found >= 75, "{found} of 100");
}

#[test]
fn what_blocks_lose_of_a_memory_is_given_back() {
    let mut rng = Rng::with_seed(13);
    let mut series = |memory: f64| -> Vec<f64> {
        let mut last = 0.0;
        let step = |_| {
            last = memory * last + normal(&mut rng);
            last
        };
        (0..2_000).map(step).collect()
    };
    let lost = |values: &[f64]| figures::lost_between_blocks(values, 4);
    // By the formula: 1 and 3 times the variance of independent values, of which blocks of
    // four show 1 and 2.0625.
    assert!((lost(&series(0.0)) - 1.0).abs() < 0.05);
    assert!((lost(&series(0.5)) - 3.0 / 2.0625).abs() < 0.08);
    assert_eq!(lost(&[5.0; 30]), 1.0, "no variance");
    assert_eq!(lost(&[]), 1.0);
}
