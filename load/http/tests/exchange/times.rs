//! When a response time begins, and where it went by the server's account.

use std::time::{Duration, Instant};

use acrida_stats::ServerTime;

use crate::support::{Browser, answer, get, serve_answers};

/// Answers with these header lines and this body.
fn telling(headers: &'static str, body: &'static str) -> String {
    let port = serve_answers(move |_, _| answer("200 OK", headers, body.as_bytes()));
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn a_response_time_counts_from_when_the_request_was_due() {
    let (browser, url) = (Browser::new(), telling("", "{}"));
    let mut late = get(&url);
    late.due = Instant::now().checked_sub(Duration::from_secs(3));
    let finished = browser.exchange(late);
    assert!(finished.response_time_us >= 3_000_000);
    let response = finished.result.expect("an answer");
    assert!(response.elapsed_us < 3_000_000, "the exchange alone");
    assert!(browser.get(&url).response_time_us < 3_000_000);
}

#[test]
fn the_servers_own_account_splits_the_exchange_alone() {
    let url = telling("Server-Timing: queue;dur=0.001, infer;dur=0.002\r\n", "{}");
    let mut late = get(&url);
    late.due = Instant::now().checked_sub(Duration::from_secs(3));
    let finished = Browser::new().exchange(late);
    let elapsed_us = finished.result.expect("an answer").elapsed_us;
    let expected = ServerTime {
        queue_us: Some(1),
        compute_us: 2,
        rest_us: elapsed_us - 3,
    };
    assert_eq!(finished.server, Some(expected));
}

#[test]
fn a_field_of_json_answers_is_looked_at_only_if_it_is_asked_for() {
    let json = "Content-Type: application/json; charset=utf-8\r\n";
    let body = "{\"inference_time_ms\": 0.002}";
    let browser = Browser::with_time_field("inference_time_ms");
    let told = |browser: &Browser, url: &str| {
        let server = browser.get(url).server;
        server.map(|server| (server.queue_us, server.compute_us))
    };
    let url = telling(json, body);
    assert_eq!(told(&browser, &url), Some((None, 2)));
    assert_eq!(told(&Browser::new(), &url), None, "not asked for");
    assert_eq!(told(&browser, &telling("", body)), None, "no JSON");
    assert_eq!(told(&browser, &telling(json, "{}")), None, "no field");
}
