use super::*;
use crate::summary::EntrySummary;

fn run(p95: f64, failures: u64) -> RunSummary {
    RunSummary {
        start_s: Some(1_700_000_000.0),
        total: EntrySummary {
            requests: 1_000,
            failures,
            rps: 50.0,
            percentiles: vec![(0.5, p95 / 3.0), (0.95, p95)],
            ..EntrySummary::default()
        },
        ..RunSummary::default()
    }
}

fn of(summaries: &[RunSummary]) -> Trend {
    let runs: Vec<_> = (1..)
        .zip(summaries)
        .map(|(id, summary)| RunOfTrend {
            id,
            made_by: ("0.1.0", "vm"),
            summary,
        })
        .collect();
    trend("basic http://x, 5 users", &runs)
}

fn verdicts(trend: &Trend) -> Vec<(&'static str, Verdict)> {
    trend
        .metrics
        .iter()
        .map(|metric| (metric.metric, metric.verdict))
        .collect()
}

#[test]
fn a_scenario_that_gets_slower_is_told_and_one_that_varies_is_not() {
    let slower: Vec<_> = (0..10)
        .map(|at| run(300.0 + 10.0 * f64::from(at) + f64::from(at % 3), 0))
        .collect();
    let found = of(&slower);
    assert_eq!(
        verdicts(&found),
        [
            ("p50", Verdict::Worse),
            ("p95", Verdict::Worse),
            ("p99", Verdict::TooFew),
            ("requests/s", Verdict::Constant),
            ("failed", Verdict::Constant),
        ]
    );
    let text = text::table(&found);
    assert!(
        text.contains("p95         gets WORSE: +10.00ms a run; the change lies in +"),
        "{text}"
    );
    assert!(
        text.contains("0 runs cannot show a trend: it takes 6"),
        "{text}"
    );
    let varies: Vec<_> = [300.0, 340.0, 310.0, 290.0, 330.0, 305.0, 315.0]
        .map(|p95| run(p95, 3))
        .to_vec();
    let found = of(&varies);
    assert_eq!(found.metrics[1].verdict, Verdict::NotShown);
    assert!(
        text::table(&found).contains("no trend that these 7 runs can show: the change lies in -")
    );
}

#[test]
fn too_few_runs_say_so() {
    for count in 0..RUNS_MIN {
        let runs: Vec<_> = (0..count)
            .map(|at| run(100.0 * (at + 1) as f64, at as u64))
            .collect();
        let found = of(&runs);
        assert!(
            found
                .metrics
                .iter()
                .all(|metric| metric.verdict == Verdict::TooFew),
            "{count}"
        );
        assert!(svg::picture(&found).ends_with("</svg>\n"));
    }
}

#[test]
fn histories_by_chance_raise_no_more_alarms_than_is_said() {
    let mut rng = fastrand::Rng::with_seed(7);
    let histories = 1_000;
    let alarms = (0..histories).filter(|_| {
        let runs: Vec<_> = (0..15)
            .map(|_| run(200.0 + 50.0 * rng.f64(), rng.u64(0..9)))
            .collect();
        let shown = |verdict| matches!(verdict, Verdict::Better | Verdict::Worse);
        of(&runs).metrics.iter().any(|metric| shown(metric.verdict))
    });
    let alarms = alarms.count();
    assert!(alarms <= 50, "{alarms} of {histories}");
}

#[test]
fn a_change_of_machine_version_or_clock_is_noted() {
    let (early, late) = (
        run(100.0, 0),
        RunSummary {
            start_s: Some(1_600_000_000.0),
            ..run(100.0, 0)
        },
    );
    let of = |id, made_by, summary| RunOfTrend {
        id,
        made_by,
        summary,
    };
    let found = trend(
        "x",
        &[of(3, ("0.1.0", "a"), &early), of(7, ("0.2.0", "b"), &late)],
    );
    assert_eq!(
        found.notes,
        [
            "From run 7 on, the load came from b (before: a).",
            "From run 7 on, it was made by acrida 0.2.0 (before: 0.1.0).",
            "Run 7 began before run 3 by the clock, which was set meanwhile.",
        ]
    );
}

#[test]
fn a_picture_has_every_run_and_escapes_names() {
    let runs: Vec<_> = (0..40)
        .map(|at| run(300.0 + 10.0 * f64::from(at), 0))
        .collect();
    let mut found = of(&runs);
    found.of = "<b> & co".to_owned();
    let picture = svg::picture(&found);
    // p99 is not measured: four metrics have a dot a run.
    assert_eq!(picture.matches("<circle").count(), 4 * 40);
    assert!(picture.contains("&lt;b&gt; &amp; co") && !picture.contains("<b>"));
    assert_eq!(picture.matches("class=\"worse\"").count(), 2);
    assert!(svg::page(&found).contains("<pre>"));
}
