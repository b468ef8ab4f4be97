use acrida_stats::{Ledger, Limits, Recorder, Sample, Snapshot};

use super::*;

/// A service with a capacity, as a test sees it second by second: each of its users makes
/// one request a second, beyond the capacity they wait in line.
struct Service {
    ledger: Ledger,
    second: u64,
    capacity: u64,
}

impl Service {
    fn new(capacity: u64) -> Self {
        Self {
            ledger: Ledger::new(Limits::default(), 0),
            second: 0,
            capacity,
        }
    }

    fn second(&mut self, users: u64) -> Snapshot {
        self.second += 1;
        let overload = users as f64 / self.capacity as f64;
        let mut recorder = Recorder::new(Limits::default());
        for at in 0..users.min(self.capacity) {
            let time = 50.0 * overload.max(1.0).powi(8) + (at % 7) as f64;
            recorder.record(&Sample {
                method: "GET",
                name: "/",
                finished_us: self.second * 1_000_000 - 1,
                response_time_us: Some((time * 1e3) as u64),
                content_length: 0,
                failure: None,
                ..Sample::default()
            });
        }
        self.ledger.absorb(recorder.take());
        self.ledger.snapshot(self.second * 1_000_000, users)
    }

    /// Runs to the end; seconds that it took.
    fn drive(&mut self, run: &mut StepRun, is_bound: impl Fn(u64) -> bool) -> u64 {
        let mut users = run.first_users();
        loop {
            let snapshot = self.second(users);
            match run.beat(&snapshot, true, is_bound(users)) {
                Order::Hold => {}
                Order::Users(next) => users = next,
                Order::End => return self.second,
            }
            assert!(self.second < 3_600, "it ends");
        }
    }
}

fn expectations() -> Vec<crate::expect::Expectation> {
    ["p95 < 100ms", "fail_ratio < 1%"]
        .map(|text| text.parse().expect(text))
        .to_vec()
}

#[test]
fn steps_are_held_until_they_are_steady() {
    let mut run = StepRun::new(Plan::Steps(vec![10, 25, 50, 100]), Vec::new(), 60);
    let seconds = Service::new(40).drive(&mut run, |_| false);
    assert!(seconds < 100, "{seconds} s");
    assert!(run.is_complete());
    let rows: Vec<_> = run
        .steps()
        .iter()
        .map(|step| (step.users, step.rps, step.steady))
        .collect();
    assert_eq!(
        rows,
        [
            (10, 10.0, Some(true)),
            (25, 25.0, Some(true)),
            (50, 40.0, Some(true)),
            (100, 40.0, Some(true))
        ]
    );
    assert_eq!(knee(run.steps()).map(|step| step.users), Some(50));
    let text = text::told(&run);
    assert!(
        text.starts_with("Scaling Analysis:\n- 10 users: 100% success, avg 52ms\n"),
        "{text}"
    );
    assert!(text.contains("Universal Scalability Law: "), "{text}");
}

#[test]
fn what_is_refused_is_no_throughput() {
    let step = |users, failures| Step {
        users,
        requests: 100,
        failures,
        rps: users as f64,
        ..Step::default()
    };
    let steps = [step(100, 0), step(200, 0), step(400, 60), step(800, 80)];
    assert_eq!(knee(&steps).map(|step| step.users), Some(200));
    assert_eq!(steps[2].good_rps(), 160.0);
    let usl = Usl::fit(&steps).expect("four steps");
    assert!(usl.peak_users().is_some_and(|peak| peak < 800.0), "{usl:?}");
}

#[test]
fn a_step_that_never_settles_is_said() {
    let mut service = Service::new(1_000);
    let mut run = StepRun::new(Plan::Steps(vec![10]), Vec::new(), 30);
    let mut growing = 10;
    let end = (0..60).find(|_| {
        growing += growing / 5;
        run.beat(&service.second(growing), true, false) == Order::End
    });
    assert!(end.is_some_and(|second| second >= 30), "{end:?}");
    assert_eq!(run.steps()[0].steady, Some(false));
}

#[test]
fn the_highest_good_load_is_found_with_what_failed_first() {
    for capacity in [7, 60, 333] {
        let mut run = StepRun::new(Plan::Search { users_max: 1_000 }, expectations(), 60);
        let seconds = Service::new(capacity).drive(&mut run, |_| false);
        assert!(seconds < 600, "{seconds} s");
        let stress = run.stress().expect("a search");
        // 50 ms grow to 100 at about 1.09 of the capacity.
        let limit = capacity as f64 * (94.0_f64 / 50.0).powf(1.0 / 8.0);
        assert!(
            (stress.good as f64) <= limit + 1.0,
            "{capacity}: {stress:?}"
        );
        assert!(
            stress.good as f64 >= limit * 0.94 - 1.0,
            "{capacity}: {stress:?}"
        );
        assert!(stress.failed_first[0].starts_with("p95 "), "{stress:?}");
        assert!(!stress.generator_bound);
        assert!(
            stress
                .recovery
                .as_ref()
                .is_some_and(|(_, _, recovered)| *recovered),
            "{stress:?}"
        );
        // It answers so evenly that every step is beyond doubt but the smallest, which have
        // too few requests to say that less than 1 % fail.
        let (least, below) = stress.sure;
        assert!(capacity < 60 || least == stress.good, "{stress:?}");
        assert_eq!(below, stress.bad);
        let text = text::told(&run);
        assert!(text.contains("Maximum sustainable load: "), "{text}");
        assert!(text.contains("With 95 % confidence it is "), "{text}");
    }
}

#[test]
fn a_service_that_stays_broken_is_looked_at_more_than_once() {
    let mut run = StepRun::new(Plan::Search { users_max: 1_000 }, expectations(), 30);
    let mut service = Service::new(60);
    let mut users = run.first_users();
    let (mut first_look, mut end) = (None, 0);
    while end < 3_600 {
        end += 1;
        // It answers slowly from when it was overloaded and let go.
        let over = run
            .stress()
            .is_some_and(|stress| stress.bad.is_some() && users == 10);
        service.capacity = if over { 2 } else { 60 };
        match run.beat(&service.second(users), true, false) {
            Order::Hold => {}
            Order::Users(next) => users = next,
            Order::End => break,
        }
        let has_looked = run.stress().is_some_and(|stress| stress.recovery.is_some());
        first_look = first_look.or(has_looked.then_some(end));
    }
    let (_, _, recovered) = run
        .stress()
        .and_then(|stress| stress.recovery)
        .expect("a look");
    assert!(!recovered && run.is_complete());
    assert!(
        first_look.is_some_and(|first| first + 20 < end),
        "{first_look:?} {end}"
    );
    assert!(text::told(&run).contains("has NOT recovered"));
}

#[test]
fn a_generator_at_its_limit_is_not_taken_for_the_service() {
    let mut run = StepRun::new(Plan::Search { users_max: 1_000 }, expectations(), 60);
    Service::new(10_000).drive(&mut run, |users| users >= 80);
    let stress = run.stress().expect("a search");
    assert!(stress.generator_bound);
    assert_eq!(stress.good, 80);
    let text = text::told(&run);
    assert!(text.contains("What failed first: the generator"), "{text}");
}

#[test]
fn a_load_that_is_never_too_much_is_said() {
    let mut run = StepRun::new(Plan::Search { users_max: 50 }, expectations(), 60);
    Service::new(10_000).drive(&mut run, |_| false);
    let stress = run.stress().expect("a search");
    assert_eq!((stress.good, stress.bad, stress.complete), (50, None, true));
    assert!(text::told(&run).contains("50 users or more; it was never exceeded"));
}

#[test]
fn a_service_that_answers_nothing_ends_the_search_too() {
    let mut run = StepRun::new(Plan::Search { users_max: 50 }, expectations(), 20);
    Service::new(0).drive(&mut run, |_| false);
    let stress = run.stress().expect("a search");
    assert_eq!((stress.good, stress.bad), (0, Some(1)));
}
