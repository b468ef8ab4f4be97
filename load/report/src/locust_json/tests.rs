use acrida_stats::{Ledger, Limits, Recorder, Sample};

use super::*;

fn snapshot() -> Snapshot {
    let mut ledger = Ledger::new(Limits::default(), 1_000_000);
    let mut recorder = Recorder::new(Limits::default());
    for (name, failure) in [("/b", None), ("/a", Some("boom <b>"))] {
        recorder.record(&Sample {
            method: "GET",
            name,
            finished_us: 3_000_000,
            response_time_us: Some(1_500),
            content_length: 10,
            failure,
            ..Sample::default()
        });
    }
    ledger.absorb(recorder.take());
    ledger.snapshot(4_000_000, 2)
}

#[test]
fn the_statistics_have_locusts_keys_and_the_total_last() {
    let stats = stats_requests(&snapshot(), "running", &Percentiles::default());
    let names: Vec<_> = stats["stats"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| &row["name"])
        .collect();
    assert_eq!(names, ["/a", "/b", "Aggregated"]);
    assert_eq!(stats["fail_ratio"], 0.5);
    assert_eq!(stats["errors"][0]["error"], "boom <b>");
    // Seconds since the Unix epoch, as Locust 2.47.0 answers.
    assert_eq!(stats["errors"][0]["first_seen"], 3.0);
    assert_eq!(stats["stats"][0]["max_response_time"], 2);
    assert_eq!(stats["stats"][0]["response_time_percentile_0.95"], 1.5);
    assert_eq!(
        stats["current_response_time_percentiles"]["response_time_percentile_0.5"],
        1.5
    );
    assert_eq!(stats["total_rps"], 1.0);
}

#[test]
fn a_locustfile_chooses_the_percentiles() {
    let chosen = Percentiles {
        to_chart: vec![0.9],
        to_statistics: vec![0.999, 0.2],
    };
    let stats = stats_requests(&snapshot(), "running", &chosen);
    let keys = |value: &Value| -> Vec<String> {
        let keys = value.as_object().expect("an object").keys();
        let of_percentiles = keys.filter(|key| key.starts_with("response_time_percentile"));
        of_percentiles.cloned().collect()
    };
    assert_eq!(
        keys(&stats["current_response_time_percentiles"]),
        ["response_time_percentile_0.9"]
    );
    let row = &stats["stats"][0];
    assert_eq!(
        keys(row),
        [
            "response_time_percentile_0.2",
            "response_time_percentile_0.999"
        ]
    );
    assert_eq!(row["response_time_percentile_0.2"], 1.5);
}

#[test]
fn before_a_test_percentiles_are_null() {
    let stats = stats_requests(
        &Ledger::new(Limits::default(), 0).snapshot(1, 0),
        "ready",
        &Percentiles::default(),
    );
    let current = &stats["current_response_time_percentiles"];
    assert!(current["response_time_percentile_0.95"].is_null());
    assert_eq!(stats["stats"].as_array().map(Vec::len), Some(1));
}

#[test]
fn durations_are_said_as_locust_says_them() {
    for (seconds, expected) in [
        (0, "0 seconds"),
        (1, "1 second"),
        (65, "1 minute and 5 seconds"),
        (90_061, "1 day, 1 hour, 1 minute and 1 second"),
    ] {
        assert_eq!(duration(seconds), expected);
    }
}
