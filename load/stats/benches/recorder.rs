//! One request, recorded among as many names as a locustfile has.
//! Run: `cargo bench -p acrida-stats --bench recorder`.

use acrida_stats::{Lane, Limits, Sample};

fn main() {
    divan::main();
}

const SECOND_US: u64 = 1_000_000;

/// A thousand requests, of which the collector takes 50,000 at once, as it does
/// every second at that rate.
#[divan::bench(args = [1, 10, 500], sample_count = 200)]
fn thousand_samples(bencher: divan::Bencher, names: usize) {
    let names: Vec<String> = (0..names).map(|n| format!("/items/{n}")).collect();
    let lane = Lane::new(Limits::default());
    let mut turn = 0_u64;
    bencher
        .counter(divan::counter::ItemsCount::new(1_000_usize))
        .bench_local(|| {
            for (request, name) in (0..1_000_u64).zip(names.iter().cycle()) {
                lane.record(&Sample {
                    method: "GET",
                    name,
                    finished_us: turn / 50 * SECOND_US,
                    response_time_us: Some(900 + request * 7 % 4_000),
                    content_length: 64,
                    failure: None,
                    ..Sample::default()
                });
            }
            turn += 1;
            if turn.is_multiple_of(50) {
                drop(lane.take());
            }
        });
}
