//! However requests are spread over recorders, deltas and time, nothing is lost
//! and nothing changes.

use acrida_stats::{EntrySnapshot, Ledger, Limits, NoSamples, Recorder, Sample, Snapshot};
use proptest::prelude::*;
use proptest::sample::Index;

const START_US: u64 = 1_700_000_000_000_000;
const FRACTIONS: [f64; 5] = [0.0, 0.5, 0.9, 0.99, 1.0];

#[derive(Debug, Clone)]
struct Request {
    method: &'static str,
    name: &'static str,
    after_us: u64,
    response_time_us: Option<u64>,
    content_length: u64,
    failure: Option<&'static str>,
    /// Which recorder gets it.
    recorder: usize,
    /// Whether what that recorder gathered is taken afterwards.
    taken: bool,
}

impl Request {
    fn sample(&self) -> Sample<'_> {
        Sample {
            method: self.method,
            name: self.name,
            finished_us: START_US + self.after_us,
            response_time_us: self.response_time_us,
            content_length: self.content_length,
            failure: self.failure,
            ..Sample::default()
        }
    }
}

const RECORDERS: usize = 3;

prop_compose! {
    fn request()(
        method in prop::sample::select(vec!["GET", "POST"]),
        name in prop::sample::select(vec!["/a", "/b", "/c", "/é"]),
        after_us in 0..40_000_000_u64,
        response_time_us in prop::option::weighted(0.9, 0..20_000_000_u64),
        content_length in 0..5_000_u64,
        failure in prop::option::weighted(0.2, prop::sample::select(vec!["500", "404", "reset"])),
        recorder in 0..RECORDERS,
        taken in prop::bool::weighted(0.05),
    ) -> Request {
        Request { method, name, after_us, response_time_us, content_length, failure, recorder, taken }
    }
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    prop_oneof![
        3 => prop::collection::vec(request(), 0..100),
        1 => prop::collection::vec(request(), 3_000..6_000),
    ]
}

fn by_one(requests: &[Request], limits: Limits) -> Snapshot {
    let mut recorder = Recorder::new(limits);
    requests
        .iter()
        .for_each(|request| recorder.record(&request.sample()));
    let mut ledger = Ledger::new(limits, START_US);
    ledger.absorb(recorder.take());
    ledger.snapshot(START_US + 40_000_000, 1)
}

/// Several recorders, taken from at any time; deltas absorbed in any order.
fn by_many(requests: &[Request], limits: Limits, order: &[Index]) -> Snapshot {
    let mut recorders: Vec<_> = (0..RECORDERS).map(|_| Recorder::new(limits)).collect();
    let mut deltas = Vec::new();
    for request in requests {
        recorders[request.recorder].record(&request.sample());
        if request.taken {
            deltas.push(recorders[request.recorder].take());
        }
    }
    deltas.extend(recorders.iter_mut().map(Recorder::take));
    let mut ledger = Ledger::new(limits, START_US);
    for index in order {
        if !deltas.is_empty() {
            ledger.absorb(deltas.swap_remove(index.index(deltas.len())));
        }
    }
    deltas.into_iter().for_each(|delta| ledger.absorb(delta));
    ledger.snapshot(START_US + 40_000_000, 1)
}

/// Everything that a report can see of an entry.
fn seen(entry: &EntrySnapshot) -> impl PartialEq + std::fmt::Debug {
    let counts = [
        entry.num_requests,
        entry.num_none_requests,
        entry.num_failures,
        entry.total_content_length,
        entry.total_response_time_us,
    ];
    let rates = [
        entry.total_rps(),
        entry.total_fail_per_sec(),
        entry.current_rps(),
        entry.current_fail_per_sec(),
        entry.fail_ratio(),
        entry.avg_content_length(),
    ];
    let times: Vec<Result<f64, NoSamples>> = vec![
        entry.median_response_time_ms(),
        entry.avg_response_time_ms(),
        entry.min_response_time_ms(),
        entry.max_response_time_ms(),
    ];
    let percentiles = [
        entry.percentiles_ms(&FRACTIONS),
        entry.current_percentiles_ms(&FRACTIONS),
    ];
    let names = (entry.method.clone(), entry.name.clone());
    (
        names,
        counts,
        rates,
        times,
        percentiles,
        entry.last_request_us,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_partition_in_any_order_is_as_one_recorder(
        requests in requests(),
        order in prop::collection::vec(any::<Index>(), 0..20),
    ) {
        let one = by_one(&requests, Limits::default());
        let many = by_many(&requests, Limits::default(), &order);
        prop_assert_eq!(seen(&one.total), seen(&many.total));
        prop_assert_eq!(
            one.entries.iter().map(seen).collect::<Vec<_>>(),
            many.entries.iter().map(seen).collect::<Vec<_>>()
        );
        prop_assert_eq!(one.failures, many.failures);
    }

    #[test]
    fn nothing_is_lost_beyond_the_bounds(
        requests in requests(),
        order in prop::collection::vec(any::<Index>(), 0..20),
        max_names in 0..6_usize,
        max_failures in 0..6_usize,
    ) {
        let limits = Limits { max_names, max_failures, ..Limits::default() };
        let snapshot = by_many(&requests, limits, &order);
        let failures = requests.iter().filter(|request| request.failure.is_some()).count() as u64;
        let of_entries = |of: fn(&EntrySnapshot) -> u64| snapshot.entries.iter().map(of).sum::<u64>();
        prop_assert_eq!(snapshot.total.num_requests, requests.len() as u64);
        prop_assert_eq!(of_entries(|entry| entry.num_requests), requests.len() as u64);
        prop_assert_eq!(of_entries(|entry| entry.num_failures), failures);
        prop_assert_eq!(
            of_entries(|entry| entry.total_response_time_us),
            snapshot.total.total_response_time_us
        );
        prop_assert_eq!(
            snapshot.failures.iter().map(|row| row.occurrences).sum::<u64>(),
            failures
        );
        prop_assert!(snapshot.entries.len() <= max_names + 1);
        prop_assert!(snapshot.failures.len() <= max_failures + 1);
    }

    #[test]
    fn percentiles_are_never_outside_of_the_extremes(
        requests in requests(),
        fraction in 0.0..=1.0_f64,
    ) {
        let total = by_one(&requests, Limits::default()).total;
        if let (Ok(min), Ok(max)) = (total.min_response_time_ms(), total.max_response_time_ms()) {
            let percentile = total.percentile_ms(fraction).expect("there are times");
            prop_assert!((min..=max).contains(&percentile), "{min} {percentile} {max}");
            prop_assert_eq!(total.percentile_ms(1.0), Ok(max));
        }
    }
}
