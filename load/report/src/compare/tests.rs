use fastrand::Rng;

use super::*;

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
    assert_eq!(verdicts(&flat(5), &flat(5))[0], Verdict::NotShown);
    assert_eq!(verdicts(&flat(5), &flat(6))[0], Verdict::Worse);
}
