//! What a server says about where its time went: `Server-Timing`, or a field of a JSON answer.
//!
//! Source: W3C Server Timing. Of its metrics, those whose name has `queue` or `wait` in
//! it are waiting, `total` is everything, and the others are work.

use acrida_stats::ServerTime;

use crate::response::Response;

/// Longer answers are not searched for a field.
const SEARCHED_MAX: usize = 64 * 1024;
/// Metrics that are read of one answer.
const METRICS_MAX: usize = 32;

/// Where the time of an answer went; `None` if it does not tell. `field` is the name of a
/// JSON field with the milliseconds of work, for answers without the header.
pub(crate) fn of(response: &Response, field: Option<&str>) -> Option<ServerTime> {
    let (queue_ms, compute_ms) = if response.tells_time() {
        of_header(response.line("server-timing:")?)?
    } else {
        let body = response.body();
        let field = field.filter(|_| body.len() <= SEARCHED_MAX && is_json(response))?;
        (None, of_field(body, field)?)
    };
    let queue_us = queue_ms.map(micros);
    let compute_us = micros(compute_ms);
    Some(ServerTime {
        queue_us,
        compute_us,
        rest_us: response
            .elapsed_us
            .saturating_sub(queue_us.unwrap_or(0).saturating_add(compute_us)),
    })
}

/// Milliseconds of waiting, if told, and of work.
fn of_header(value: &str) -> Option<(Option<f64>, f64)> {
    let (mut queue, mut compute, mut total) = (None, None, None);
    for metric in value.split(',').take(METRICS_MAX) {
        let mut parts = metric.split(';');
        let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let duration = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            let number = value.trim().trim_matches('"').parse::<f64>().ok()?;
            (key.trim().eq_ignore_ascii_case("dur") && number >= 0.0).then_some(number)
        });
        let Some(duration) = duration else {
            continue;
        };
        let sum = if name == "total" {
            &mut total
        } else if name.contains("queue") || name.contains("wait") {
            &mut queue
        } else {
            &mut compute
        };
        *sum = Some(sum.unwrap_or(0.0) + duration);
    }
    let waited = queue.unwrap_or(0.0);
    let worked = compute.or_else(|| total.map(|total: f64| (total - waited).max(0.0)));
    (queue.is_some() || worked.is_some()).then(|| (queue, worked.unwrap_or(0.0)))
}

/// The number behind the first `"field":`.
fn of_field(body: &[u8], field: &str) -> Option<f64> {
    let text = std::str::from_utf8(body).ok()?;
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once(field)?;
        rest = after;
        let value = after.strip_prefix('"').map(str::trim_start);
        if let Some(value) = value.and_then(|value| value.strip_prefix(':')) {
            let value = value.trim_start();
            let end = value.find(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
            let number = value[..end.unwrap_or(value.len())].parse::<f64>().ok();
            return number.filter(|number| *number >= 0.0);
        }
    }
}

fn is_json(response: &Response) -> bool {
    let kind = response.line("content-type:").unwrap_or_default();
    kind.trim()
        .to_ascii_lowercase()
        .starts_with("application/json")
}

/// Rounded down; what no clock can say is as long as can be.
fn micros(ms: f64) -> u64 {
    (ms * 1e3) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_waiting_or_work() {
        for (why, value, expected) in [
            (
                "our classifier's",
                " queue;dur=1.5, decode;dur=2, preprocess;dur=0.5, infer;dur=10",
                Some((Some(1.5), 12.5)),
            ),
            ("only a total", "total;dur=7", Some((None, 7.0))),
            (
                "a total and a queue",
                "queue-wait;dur=3,total;dur=7",
                Some((Some(3.0), 4.0)),
            ),
            (
                "a total of parts",
                "db;dur=2, app;dur=4, total;dur=7",
                Some((None, 6.0)),
            ),
            (
                "described",
                "db;desc=\"a b\";dur=\"2.5\"",
                Some((None, 2.5)),
            ),
            ("no duration", "cache;desc=hit", None),
            ("one without", "miss, db;dur=53", Some((None, 53.0))),
            ("nonsense", "db;dur=x, app;dur=-4, a;dur=NaN", None),
            ("nothing", "", None),
        ] {
            assert_eq!(of_header(value), expected, "{why}");
        }
    }

    #[test]
    fn a_field_is_found_without_reading_the_rest() {
        for (body, expected) in [
            (r#"{"a": 1, "inference_time_ms": 12.5}"#, Some(12.5)),
            (
                r#"{"why": "inference_time_ms", "inference_time_ms" : 3e1, "b": 2}"#,
                Some(30.0),
            ),
            (r#"{"inference_time_ms": null}"#, None),
            (r#"{"inference_time_ms": -1}"#, None),
            (r#"{"other": 1}"#, None),
            ("", None),
        ] {
            assert_eq!(
                of_field(body.as_bytes(), "inference_time_ms"),
                expected,
                "{body}"
            );
        }
        assert_eq!(of_field(b"\xff", "a"), None);
    }
}
