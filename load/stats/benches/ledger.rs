//! What the collector does every second of a busy run.
//! Run: `cargo bench -p acrida-stats --bench ledger`.

use acrida_stats::{Delta, Ledger, Limits, Recorder, Sample, Snapshot};

fn main() {
    divan::main();
}

const REQUESTS: u64 = 50_000;
const SECONDS: u64 = 30;
const FRACTIONS: [f64; 11] = [
    0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0,
];

/// One second of [`REQUESTS`] requests, of 1 ms to 500 ms each.
fn delta(names: usize, second: u64) -> Delta {
    let names: Vec<String> = (0..names).map(|n| format!("/items/{n}")).collect();
    let mut recorder = Recorder::new(Limits::default());
    for (request, name) in (0..REQUESTS).zip(names.iter().cycle()) {
        recorder.record(&Sample {
            method: "GET",
            name,
            finished_us: second * 1_000_000,
            response_time_us: Some(1_000 + request * 7_919 % 499_000),
            content_length: 64,
            failure: None,
            ..Sample::default()
        });
    }
    recorder.take()
}

fn ledger(names: usize) -> Ledger {
    let mut ledger = Ledger::new(Limits::default(), 0);
    (1..=SECONDS).for_each(|second| ledger.absorb(delta(names, second)));
    ledger
}

#[divan::bench(args = [10, 500], sample_count = 20)]
fn absorb_a_second(bencher: divan::Bencher, names: usize) {
    let mut ledger = ledger(names);
    let mut second = SECONDS;
    bencher
        .with_inputs(|| {
            second += 1;
            delta(names, second)
        })
        .bench_local_values(|delta| ledger.absorb(delta));
}

#[divan::bench(args = [10, 500], sample_count = 20)]
fn take_a_snapshot(bencher: divan::Bencher, names: usize) {
    let ledger = ledger(names);
    bencher.bench_local(|| ledger.snapshot(SECONDS * 1_000_000, 50));
}

#[divan::bench(args = [10, 500], sample_count = 20)]
fn percentiles_of_all_entries(bencher: divan::Bencher, names: usize) {
    let snapshot: Snapshot = ledger(names).snapshot(SECONDS * 1_000_000, 50);
    bencher.bench_local(|| {
        for entry in &snapshot.entries {
            divan::black_box(entry.percentiles_ms(&FRACTIONS)).ok();
        }
    });
}
