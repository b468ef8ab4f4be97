//! `/stats/report`: the report of `acrida-report` on the test that goes on, or ran last.

use acrida_report::html::{Page, Theme};
use acrida_report::summary::RunSummary;
use serde_json::Value;

use crate::index::Document;
use crate::login::random_text;
use crate::shared::Shared;

/// The report on everything that was measured up to now; `theme` is `light`, `dark` or
/// empty.
pub(crate) fn page(shared: &Shared, theme: &str, download_link: bool) -> Document {
    let nonce = random_text();
    let snapshot = shared.snapshot();
    let host = shared.shown_host();
    let tasks = shared.site.task_ratios();
    let book = shared.book();
    let points: Vec<_> = book.history.total().points().copied().collect();
    let run = RunSummary {
        title: shared.settings.locustfile.clone(),
        host,
        peak_users: points.iter().map(|point| point.users).max(),
        course: points,
        ..RunSummary::of(&snapshot, &[]).with_occurrences(&snapshot, book.history.occurrences())
    };
    let page = Page {
        run,
        tasks,
        theme: match theme {
            "dark" => Theme::Dark,
            "light" => Theme::Light,
            _ => Theme::Auto,
        },
        nonce: &nonce,
        download_link,
        profile: book.options.get("profile").cloned().unwrap_or(Value::Null),
        ..Page::default()
    };
    Document {
        html: page.html(),
        nonce,
    }
}
