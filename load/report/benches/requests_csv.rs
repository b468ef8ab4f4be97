//! One line of the request log.
//! Run: `cargo bench -p acrida-report --bench requests_csv`.

use acrida_report::requests_csv::{RequestRow, write_row};

fn main() {
    divan::main();
}

#[divan::bench]
fn thousand_rows(bencher: divan::Bencher) {
    let mut out = Vec::with_capacity(64 << 10);
    bencher
        .counter(divan::counter::ItemsCount::new(1_000_usize))
        .bench_local(|| {
            out.clear();
            for request in 0..1_000 {
                write_row(
                    &mut out,
                    &RequestRow {
                        finished_us: 1_700_000_000_000_000 + request,
                        method: "POST",
                        name: "/predict",
                        response_time_us: Some(900 + request * 7 % 4_000),
                        bytes_sent: 20_480,
                        bytes_received: 512,
                    },
                );
            }
            divan::black_box(&out);
        });
}
