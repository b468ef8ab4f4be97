//! What the service tells of itself.

use serde_json::json;

use crate::support::{Service, sample};

#[test]
fn requests_and_predictions_are_counted_in_json_and_for_prometheus() {
    let service = Service::start(&[]);
    for _ in 0..3 {
        assert_eq!(service.post("file", &sample("glioma/glioma_1.jpg")).0, 200);
    }
    assert_eq!(service.post("file", b"data").0, 400);
    assert_eq!(service.get("/no/such/path").0, 404);
    let (status, metrics) = service.get("/metrics");
    assert_eq!((status, &metrics["request_count"]), (200, &json!(5)));
    let lines = metrics["requests"].as_array().expect("a list");
    let line = |path: &str, status: &str, count: u64| {
        let method = if path == "/predict" { "POST" } else { "GET" };
        let line = json!({"path": path, "method": method, "status": status, "count": count});
        assert!(lines.contains(&line), "{line} in {lines:?}");
    };
    line("/predict", "200", 3);
    line("/predict", "400", 1);
    line("(other)", "404", 1);
    let latest = metrics["latest_latencies_ms"].as_array().expect("a list");
    assert_eq!(latest.len(), 3);
    assert!(
        latest.iter().all(|ms| ms.as_f64() > Some(0.0)),
        "{latest:?}"
    );
    assert!(metrics["mean_inference_time_ms"].as_f64() > Some(0.0));
    let predictions = metrics["predictions"].as_object().expect("an object");
    let sum: u64 = predictions
        .values()
        .filter_map(|count| count.as_u64())
        .sum();
    assert_eq!((predictions.len(), sum), (4, 3));

    let request = b"GET /metrics HTTP/1.1\r\nHost: test\r\nAccept: text/plain\r\n\r\n";
    let reply = service.raw(request);
    assert!(
        reply
            .head
            .contains("content-type: text/plain; version=0.0.4"),
        "{}",
        reply.head
    );
    let line = "classifier_requests_total{method=\"POST\",path=\"/predict\",status=\"200\"} 3\n";
    assert!(reply.body.contains(line), "{}", reply.body);
}
