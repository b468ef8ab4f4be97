//! What is answered, and the count of it.
//!
//! | request | answer |
//! |---|---|
//! | `/` | a few bytes |
//! | `/upload` | how many bytes the body had, once it has arrived |
//! | `/sleep20` | the same as `/`, [`SLEEP`] after the request has arrived |
//! | `/stalling` | the same, but nothing moves for the last [`STALL`] of every [`PERIOD`] |
//! | `/hang` | none, ever |
//! | `/status/503` | that status |
//! | anything else | 404 |
//! | `/__count` | what was answered, by method and path, and when; itself not counted |
//! | `/__times` | how long `/sleep20` and `/stalling` took, measured here |
//! | `/__reset` | forgets both |

use std::collections::BTreeMap;

use serde_json::json;

use crate::request::Head;

/// How long `/sleep20` takes, in nanoseconds.
pub(crate) const SLEEP: u64 = 20_000_000;
/// `/stalling` works on nothing this long, in nanoseconds.
pub(crate) const STALL: u64 = 500_000_000;
/// It does so at the end of every period of this length, the first of which begins
/// [`AHEAD`] before its first request: no request comes just when a stall begins or ends.
const PERIOD: u64 = 5_000_000_000;
const AHEAD: u64 = 2_500_000;
/// More different paths than this are counted together.
const NAMES_MAX: usize = 1_000;
const OTHER_NAMES: &str = "others";
/// Later times of `/sleep20` are not kept.
const TIMES_MAX: usize = 1_000_000;

/// When and with what a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Now {
        status: u16,
        body: String,
    },
    /// At this time.
    At(u64),
    Never,
}

/// The books. Times are nanoseconds of the system's monotonic clock, which other
/// processes read too.
#[derive(Debug, Default)]
pub(crate) struct Site {
    /// Method, path.
    counts: BTreeMap<String, u64>,
    first_request_ns: Option<u64>,
    last_answer_ns: Option<u64>,
    sleep_times_ns: Vec<u64>,
    /// When the first period of `/stalling` began.
    stalls_since_ns: Option<u64>,
}

/// What `/` answers.
pub(crate) const SMALL: &str = "{\"status\":\"ok\"}";

impl Site {
    /// Decides about a request of which everything has arrived.
    pub(crate) fn answer(&mut self, head: &Head<'_>, now_ns: u64) -> Answer {
        if head.path.starts_with("/__") {
            return self.answer_about_itself(head.path);
        }
        self.first_request_ns.get_or_insert(now_ns);
        let answer = match head.path {
            "/" => Answer::Now {
                status: 200,
                body: SMALL.to_owned(),
            },
            "/upload" => Answer::Now {
                status: 200,
                body: format!("{{\"received\":{}}}", head.body_bytes),
            },
            "/sleep20" => Answer::At(now_ns + SLEEP),
            "/stalling" => {
                let begin = *self.stalls_since_ns.get_or_insert(now_ns - AHEAD);
                Answer::At(begin + worked_until(now_ns - begin))
            }
            "/hang" => return Answer::Never,
            path => Answer::Now {
                status: status_asked_for(path).unwrap_or(404),
                body: "{}".to_owned(),
            },
        };
        self.count(head);
        answer
    }

    fn answer_about_itself(&mut self, path: &str) -> Answer {
        let body = match path {
            "/__count" => json!({
                "answered": self.counts,
                "total": self.counts.values().sum::<u64>(),
                "first_request_ns": self.first_request_ns,
                "last_answer_ns": self.last_answer_ns,
            }),
            "/__times" => self.times(),
            "/__reset" => {
                *self = Self::default();
                json!({})
            }
            _ => json!({"detail": "there is only /__count, /__times and /__reset"}),
        };
        Answer::Now {
            status: 200,
            body: body.to_string(),
        }
    }

    /// An answer has been handed to the system.
    pub(crate) fn answered(&mut self, now_ns: u64) {
        self.last_answer_ns = Some(now_ns);
    }

    /// `/sleep20` or `/stalling` has been answered, this long after the request arrived.
    pub(crate) fn slept(&mut self, ns: u64) {
        if self.sleep_times_ns.len() < TIMES_MAX {
            self.sleep_times_ns.push(ns);
        }
    }

    fn count(&mut self, head: &Head<'_>) {
        let mut name = [0; 128];
        // Looked up without allocating: this is on the way of every request.
        let length = head.method.len() + 1 + head.path.len();
        let key = if length <= name.len() {
            name[..head.method.len()].copy_from_slice(head.method.as_bytes());
            name[head.method.len()] = b' ';
            name[head.method.len() + 1..length].copy_from_slice(head.path.as_bytes());
            str::from_utf8(&name[..length]).unwrap_or(OTHER_NAMES)
        } else {
            OTHER_NAMES
        };
        if let Some(count) = self.counts.get_mut(key) {
            *count += 1;
            return;
        }
        let full = self.counts.len() >= NAMES_MAX;
        let key = if full { OTHER_NAMES } else { key };
        *self.counts.entry(key.to_owned()).or_default() += 1;
    }

    fn times(&self) -> serde_json::Value {
        let mut times = self.sleep_times_ns.clone();
        times.sort_unstable();
        let at = |fraction: f64| {
            // Precision: at most a million times.
            let rank = (fraction * times.len().saturating_sub(1) as f64).round() as usize;
            times.get(rank).map(|ns| *ns as f64 / 1e6)
        };
        json!({
            "count": times.len(),
            "min_ms": at(0.0),
            "median_ms": at(0.5),
            "p99_ms": at(0.99),
            "max_ms": at(1.0),
        })
    }
}

/// When [`SLEEP`] of work is done that begins at `ns`, both since the first period began;
/// during a stall nothing is done.
fn worked_until(ns: u64) -> u64 {
    let stall = ns / PERIOD * PERIOD + (PERIOD - STALL);
    if ns + SLEEP <= stall {
        ns + SLEEP
    } else {
        // What is left to do when it begins is done after it.
        ns.min(stall) + STALL + SLEEP
    }
}

fn status_asked_for(path: &str) -> Option<u16> {
    let status = path.strip_prefix("/status/")?.parse().ok()?;
    (200..600).contains(&status).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'b>(method: &'b str, path: &'b str) -> Head<'b> {
        Head {
            method,
            path,
            body_bytes: 5,
            keep_alive: true,
            bytes: 0,
        }
    }

    fn body(answer: &Answer) -> serde_json::Value {
        let Answer::Now { body, .. } = answer else {
            panic!("answered at once: {answer:?}");
        };
        serde_json::from_str(body).expect("JSON")
    }

    #[test]
    fn every_answer_is_counted_by_method_and_path() {
        let mut site = Site::default();
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/"),
            ("POST", "/"),
            ("GET", "/hang"),
            ("GET", "/sleep20"),
        ] {
            site.answer(&head(method, path), 7);
        }
        let counted = body(&site.answer(&head("GET", "/__count"), 8));
        assert_eq!(
            counted["answered"],
            json!({"GET /": 2, "POST /": 1, "GET /sleep20": 1}),
            "neither what hangs nor the question itself"
        );
        assert_eq!(counted["total"], 4);
        assert_eq!(counted["first_request_ns"], 7);
        site.answer(&head("POST", "/__reset"), 9);
        let counted = body(&site.answer(&head("GET", "/__count"), 9));
        assert_eq!(counted["total"], 0);
    }

    #[test]
    fn the_number_of_names_is_bounded() {
        let mut site = Site::default();
        for number in 0..2 * NAMES_MAX {
            site.answer(&head("GET", &format!("/{number}")), 1);
        }
        site.answer(&head("GET", &"x".repeat(500)), 1);
        let counted = body(&site.answer(&head("GET", "/__count"), 8));
        assert_eq!(counted["answered"][OTHER_NAMES], NAMES_MAX + 1);
        assert_eq!(counted["total"], 2 * NAMES_MAX + 1);
    }

    #[test]
    fn a_path_decides_about_the_answer() {
        let mut site = Site::default();
        for (path, status) in [
            ("/", 200),
            ("/upload", 200),
            ("/status/503", 503),
            ("/status/999", 404),
            ("/missing", 404),
        ] {
            let answer = site.answer(&head("GET", path), 1);
            assert!(
                matches!(answer, Answer::Now { status: given, .. } if given == status),
                "{path}"
            );
        }
        assert_eq!(
            body(&site.answer(&head("POST", "/upload"), 1))["received"],
            5
        );
        assert_eq!(
            site.answer(&head("GET", "/sleep20"), 1),
            Answer::At(1 + SLEEP)
        );
        assert_eq!(site.answer(&head("GET", "/hang"), 1), Answer::Never);
    }

    #[test]
    fn nothing_is_done_during_a_stall() {
        let ms = 1_000_000;
        for (why, at_ms, expected_ms) in [
            ("before", 0, 20),
            ("just done", 4_480, 4_500),
            ("half done", 4_490, 5_010),
            ("not begun", 4_500, 5_020),
            ("in the middle", 4_750, 5_020),
            ("its last moment", 4_999, 5_020),
            ("after it", 5_000, 5_020),
            ("the next period", 9_490, 10_010),
        ] {
            assert_eq!(worked_until(at_ms * ms), expected_ms * ms, "{why}");
        }
        let mut site = Site::default();
        let first = site.answer(&head("GET", "/stalling"), 7_000_000_000);
        assert_eq!(first, Answer::At(7_020_000_000));
        let later = site.answer(&head("GET", "/stalling"), 11_600_000_000);
        assert_eq!(later, Answer::At(12_020_000_000 - AHEAD));
    }

    #[test]
    fn times_are_told_in_milliseconds() {
        let mut site = Site::default();
        assert_eq!(site.times()["median_ms"], json!(null));
        for ms in [21, 20, 22] {
            site.slept(ms * 1_000_000);
        }
        assert_eq!(
            site.times(),
            json!({"count": 3, "min_ms": 20.0, "median_ms": 21.0, "p99_ms": 22.0, "max_ms": 22.0})
        );
    }
}
