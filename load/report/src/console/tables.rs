//! The tables of requests and of percentiles.

use acrida_stats::{EntrySnapshot, Snapshot};

use super::ms;
use super::style::Style;
use crate::number::percentile_label;

const TYPE_WIDTH: usize = 8;

/// The table of requests: with rates of the last seconds if `current`, otherwise
/// with those of the whole run.
pub fn stats_table(snapshot: &Snapshot, current: bool, style: Style) -> String {
    // Locust gives the name four columns that its others do not need.
    let name_width = style.name_width() - TYPE_WIDTH + 4;
    let separator = separator(&[TYPE_WIDTH, name_width, 7, 13, 7, 7, 7, 7, 8, 11]);
    let header = format!(
        "{:<TYPE_WIDTH$} {:<name_width$} {:>7} {:>12} |{:>7} {:>7} {:>7}{:>7} | {:>7} {:>11}\n",
        "Type", "Name", "# reqs", "# fails", "Avg", "Min", "Max", "Med", "req/s", "failures/s"
    );
    let row = |entry| stats_row(entry, current, name_width, style);
    let rows: String = snapshot.entries.iter().map(row).collect();
    let total = row(&snapshot.total);
    format!("{header}{separator}{rows}{separator}{total}\n")
}

fn stats_row(entry: &EntrySnapshot, current: bool, name_width: usize, style: Style) -> String {
    let (rps, fail_per_sec) = if current {
        (entry.current_rps(), entry.current_fail_per_sec())
    } else {
        (entry.total_rps(), entry.total_fail_per_sec())
    };
    let failures = format!("{}({:.2}%)", entry.num_failures, entry.fail_ratio() * 100.0);
    let mut failures = format!("{failures:>12}");
    if entry.num_failures > 0 {
        failures = style.bad(&failures);
    }
    let method = match entry.method.as_str() {
        "" => String::new(),
        method => format!("{method} "),
    };
    format!(
        "{method:<TYPE_WIDTH$} {:<name_width$} {:>7} {failures} |{:>7} {:>7} {:>7}{:>7} | {rps:>7.2} {fail_per_sec:>11.2}\n",
        one_line(&entry.name),
        entry.num_requests,
        ms(entry.avg_response_time_ms()),
        ms(entry.min_response_time_ms()),
        ms(entry.max_response_time_ms()),
        ms(entry.median_response_time_ms()),
    )
}

/// The table of percentiles (fractions) since the start, of what has times.
pub fn percentiles_table(snapshot: &Snapshot, percentiles: &[f64], style: Style) -> String {
    let name_width = style.name_width();
    let mut widths = vec![TYPE_WIDTH, name_width, 8];
    widths.extend(percentiles.iter().map(|_| 6));
    let separator = separator(&widths);
    let labels = percentiles
        .iter()
        .map(|fraction| percentile_label(*fraction));
    let header = percentiles_row("Type", "Name", name_width, labels, "# reqs");
    let row = |entry: &EntrySnapshot| {
        // Without times there is no row, as in Locust.
        let times = entry.percentiles_ms(percentiles).ok()?;
        let times = times.into_iter().map(|time| ms(Ok(time)));
        let requests = entry.num_requests.to_string();
        Some(percentiles_row(
            &entry.method,
            &one_line(&entry.name),
            name_width,
            times,
            &requests,
        ))
    };
    let rows: String = snapshot.entries.iter().filter_map(row).collect();
    let total = row(&snapshot.total).unwrap_or_default();
    format!(
        "Response time percentiles (approximated)\n{header}{separator}{rows}{separator}{total}\n"
    )
}

/// The first number is eight columns wide, the others are six, as in Locust.
fn percentiles_row(
    method: &str,
    name: &str,
    name_width: usize,
    numbers: impl Iterator<Item = String>,
    requests: &str,
) -> String {
    let mut line = format!("{method:<TYPE_WIDTH$} {name:<name_width$}");
    for (at, number) in numbers.chain([requests.to_owned()]).enumerate() {
        let width = if at == 0 { 8 } else { 6 };
        line.push_str(&format!(" {number:>width$}"));
    }
    line.push('\n');
    line
}

fn separator(widths: &[usize]) -> String {
    let columns: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    columns.join("|") + "\n"
}

/// Names may come from anywhere; in a table, they do not begin a new line, nor
/// command the terminal.
pub(super) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
