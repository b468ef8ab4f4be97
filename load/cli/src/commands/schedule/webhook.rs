//! Tells a URL of a run that was not as it should be.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::exit::NOT_AS_EXPECTED;
use crate::preflight::parse_base;
use crate::web_call;

/// How long the other side may take, each time.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before each further attempt.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Where to tell it.
#[derive(Debug)]
pub(super) struct Webhook {
    url: String,
}

impl Webhook {
    /// # Errors
    ///
    /// A line about what is no URL.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        match parse_base(url) {
            Some(_) => Ok(Self {
                url: url.to_owned(),
            }),
            None => Err(format!("'{url}' is no URL like https://example.com/hook")),
        }
    }

    /// Posts what happened; after the last attempt that fails, gives a line about why.
    pub(super) fn tell(&self, run: Option<&str>, code: i32, folder: &Path) -> Result<(), String> {
        let body = body(run, code, folder).to_string();
        let mut waits = WAITS.into_iter();
        loop {
            let why = match web_call::post_json(&self.url, PATIENCE, &body) {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            match waits.next() {
                Some(wait) => std::thread::sleep(wait),
                None => {
                    let url = web_call::without_password(&self.url);
                    return Err(format!("The webhook {url} did not take it: {why}"));
                }
            }
        }
    }
}

/// `text` is what chat programs show; the rest is for programs.
fn body(run: Option<&str>, code: i32, folder: &Path) -> Json {
    let what = match code {
        NOT_AS_EXPECTED => "was not as expected, or worse than its baseline",
        _ => "has failed",
    };
    json!({
        "text": format!("The load test in {} {what} (exit code {code})", folder.display()),
        "run": run,
        "exit_code": code,
        "not_as_expected": code == NOT_AS_EXPECTED,
        "results": folder,
        "machine": gethostname::gethostname().to_string_lossy(),
        "total": total(folder),
    })
}

/// The row over all requests as the run's CSV has it; null if there is none.
fn total(folder: &Path) -> Json {
    let files = acrida_report::recorded::CsvFiles {
        stats: (
            String::new(),
            fs::read_to_string(folder.join("test_stats.csv")).unwrap_or_default(),
        ),
        ..Default::default()
    };
    match acrida_report::recorded::read_csv("", &files) {
        Ok(run) => json!({
            "requests": run.total.requests,
            "failures": run.total.failures,
            "requests_per_second": run.total.rps,
            "p50_ms": run.total.percentile(0.5),
            "p95_ms": run.total.percentile(0.95),
            "p99_ms": run.total.percentile(0.99),
        }),
        Err(_) => Json::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_tells_what_happened_and_survives_missing_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let told = body(Some("light"), NOT_AS_EXPECTED, folder.path());
        assert_eq!(
            (&told["run"], &told["exit_code"], &told["not_as_expected"]),
            (&json!("light"), &json!(3), &json!(true))
        );
        assert!(
            told["text"]
                .as_str()
                .is_some_and(|text| text.contains("was not as expected"))
        );
        assert_eq!(told["total"], Json::Null);
        let csv = "Type,Name,Request Count,Failure Count,Requests/s,50%,95%,99%\r\n,Aggregated,9,1,3.0,5,7,9\r\n";
        fs::write(folder.path().join("test_stats.csv"), csv).expect("a file");
        let told = body(None, 1, folder.path());
        assert_eq!(
            (&told["total"]["requests"], &told["total"]["p95_ms"]),
            (&json!(9), &json!(7.0))
        );
        assert!(
            told["text"]
                .as_str()
                .is_some_and(|text| text.contains("has failed"))
        );
    }

    #[test]
    fn what_is_no_url_is_a_mistake() {
        assert!(matches!(Webhook::new("moon"), Err(text) if text.starts_with("'moon' is no URL")));
        assert!(Webhook::new("https://127.0.0.1/x?y=z").is_ok());
    }
}
