//! What a run prints: tables laid out as Locust's, and lines that Locust lacks.
//! Source of the layout: what Locust 2.47.0 prints.
//!
//! Times below 10 ms have two decimals where Locust has whole milliseconds, in
//! the same columns, because fast services answer within one.

mod failures;
mod progress;
mod style;
mod tables;

pub use failures::error_report;
pub use progress::progress_line;
pub use style::Style;
pub use tables::{percentiles_table, stats_table};

use acrida_stats::NoSamples;

/// Milliseconds in a column: two decimals below 10, none otherwise; 0 if none.
fn ms(time: Result<f64, NoSamples>) -> String {
    match time {
        Err(NoSamples) => "0".to_owned(),
        // What would be rounded to "10.00" is a 10.
        Ok(time) if time < 9.995 => format!("{time:.2}"),
        Ok(time) => format!("{time:.0}"),
    }
}

/// `count` of something, in words.
fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
