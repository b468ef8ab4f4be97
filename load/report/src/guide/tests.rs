use super::*;
use crate::summary::Bandwidth;

/// The run of the guide's example.
fn example() -> RunSummary {
    let entry = |label: &str, median: f64, avg: f64| {
        let (method, name) = label.split_once(' ').expect("a label");
        EntrySummary {
            method: method.to_owned(),
            name: name.to_owned(),
            requests: 1_000,
            avg: Some(avg),
            percentiles: vec![(0.5, median)],
            ..EntrySummary::default()
        }
    };
    RunSummary {
        duration_s: Some(299.8),
        peak_users: Some(50),
        spawn_rate: Some(5.0),
        bandwidth: Some(Bandwidth {
            bytes_per_s: 2.3e6,
            both_ways: true,
        }),
        entries: vec![
            entry("GET /health", 12.0, 15.0),
            entry("POST /predict", 450.0, 520.0),
            entry("GET /retrain_jobs", 25.0, 30.0),
            entry("POST /retrain", 40.0, 45.0),
        ],
        total: EntrySummary {
            name: "Aggregated".to_owned(),
            requests: 5_000,
            failures: 12,
            rps: 16.7,
            min: Some(45.0),
            avg: Some(245.0),
            max: Some(2_150.0),
            percentiles: vec![(0.5, 180.0), (0.95, 520.0), (0.99, 890.0)],
            ..EntrySummary::default()
        },
        ..RunSummary::default()
    }
}

fn step(users: u64, success: u64, avg: f64) -> Step {
    Step {
        users,
        requests: 100,
        failures: 100 - success,
        avg: Some(avg),
        ..Step::default()
    }
}

/// The guide's report, word for word.
const OF_THE_GUIDE: &str = "\
Load Test Results - Brain Tumor MRI Classifier
================================================

Test Configuration:
- Duration: 5 minutes
- Peak Users: 50
- Spawn Rate: 5 users/sec

Results:
- Total Requests: 5,000
- Failed: 12 (0.24%)
- Passed: 4,988 (99.76%)

Response Times:
- Min: 45ms
- Median: 180ms
- Average: 245ms
- 95th percentile: 520ms
- 99th percentile: 890ms
- Max: 2,150ms

Throughput:
- Requests/sec: 16.7
- Bandwidth: 2.3 MB/sec

API Endpoints Performance:
- GET /health: Median 12ms (avg 15ms)
- POST /predict: Median 450ms (avg 520ms)
- GET /retrain_jobs: Median 25ms (avg 30ms)
- POST /retrain: Median 40ms (avg 45ms)

Scaling Analysis:
- 10 users: 98% success, avg 150ms
- 25 users: 97% success, avg 220ms
- 50 users: 97% success, avg 320ms
- 100 users: 95% success, avg 680ms
";

const GRADES: &str = "
Key Metrics:
- Response time (p50): 180ms - Good (good < 200ms, poor > 500ms)
- Response time (p95): 520ms - Acceptable (good < 500ms, poor > 1000ms)
- Response time (p99): 890ms - Good (good < 1000ms, poor > 2000ms)
- Error rate: 0.24% - Acceptable (good < 0.1%, poor > 1%)
- Throughput: 16.7 RPS - Poor (good > 100 RPS, poor < 50 RPS)
";

#[test]
fn the_text_is_the_guides_report_and_its_grades() {
    let run = example();
    let steps = [
        step(10, 98, 150.0),
        step(25, 97, 220.0),
        step(50, 97, 320.0),
        step(100, 95, 680.0),
    ];
    let report = Report {
        title: "Brain Tumor MRI Classifier",
        run: &run,
        steps: &steps,
        verdicts: &[],
    };
    assert_eq!(report.text(), format!("{OF_THE_GUIDE}{GRADES}"));
}

#[test]
fn markdown_shows_names_as_they_are() {
    let mut run = example();
    run.entries[2].name = "/retrain_jobs <b>\n# x".to_owned();
    let verdicts = crate::expect::judge(&run, &["p95 < 500ms".parse().expect("it is one")]);
    let report = Report {
        title: "x",
        run: &run,
        steps: &[],
        verdicts: &verdicts,
    };
    let text = report.markdown();
    assert!(text.starts_with(
        "# Load Test Results - x\n\n## Test Configuration\n\n- Duration: 5 minutes\n"
    ));
    assert!(
        text.contains("- GET /retrain\\_jobs \\<b\\> \\# x: Median 25ms"),
        "{text}"
    );
    assert!(
        text.ends_with("## Expectations\n\n- p95 520ms, expected \\< 500ms: FAIL\n"),
        "{text}"
    );
    assert!(!text.contains("Scaling"), "there is one run only");
}

#[test]
fn numbers_have_the_digits_that_matter() {
    use super::format::{bandwidth, count, duration, ms, percent};
    assert_eq!(
        [0, 999, 1_000, 1_234_567].map(count),
        ["0", "999", "1,000", "1,234,567"]
    );
    assert_eq!(
        [0.25, 9.999, 12.4, 2_150.0].map(ms),
        ["0.25ms", "10ms", "12ms", "2,150ms"]
    );
    assert_eq!(
        [98.0, 99.9999, 100.0].map(percent),
        ["98%", "99.99%", "100%"]
    );
    assert_eq!(
        [0.3, 59.8, 300.2].map(duration),
        ["0.3 seconds", "1 minute", "5 minutes"]
    );
    assert_eq!(
        [12.0, 1_500.0, 230_000.0].map(bandwidth),
        ["12 bytes/sec", "1.5 KB/sec", "0.2 MB/sec"]
    );
}
