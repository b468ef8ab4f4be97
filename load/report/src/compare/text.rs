//! A comparison as a table.

use std::fmt::Write as _;

use super::{CONFIDENCE, Comparison, Difference, Verdict};

/// The table; what is shown to differ is marked, and if nothing is, that is said.
pub fn table(comparison: &Comparison, name_a: &str, name_b: &str) -> String {
    let differences = &comparison.differences;
    let label = |difference: &Difference| match &*difference.label {
        "" => "all requests".to_owned(),
        label => label.to_owned(),
    };
    let widths = differences
        .iter()
        .map(|difference| label(difference).chars().count());
    let width = widths.max().unwrap_or(0).max(12);
    let mut text = format!("A: {name_a}\nB: {name_b}\n\n");
    let _ = writeln!(
        text,
        "{:<width$}  {:<10}  {:>10}  {:>10}  {:>8}  {:>20}  Verdict on B",
        "Of", "Metric", "A", "B", "Change", "Change lies in"
    );
    for difference in differences {
        let interval = match difference.interval {
            Some((low, high)) => format!(
                "{} to {}",
                change(difference, low),
                change(difference, high)
            ),
            None => "unknown".to_owned(),
        };
        let _ = writeln!(
            text,
            "{:<width$}  {:<10}  {:>10}  {:>10}  {:>8}  {interval:>20}  {}",
            label(difference),
            difference.metric,
            value(difference, difference.a),
            value(difference, difference.b),
            change(difference, difference.change),
            said(difference.verdict),
        );
    }
    for (names, run) in [(&comparison.only_a, "A"), (&comparison.only_b, "B")] {
        if !names.is_empty() {
            let _ = writeln!(text, "Only in {run}: {}", names.join(", "));
        }
    }
    text + &conclusion(differences)
}

fn conclusion(differences: &[Difference]) -> String {
    let shown = |verdict| {
        differences
            .iter()
            .filter(move |difference| difference.verdict == verdict)
    };
    let (worse, better) = (
        shown(Verdict::Worse).count(),
        shown(Verdict::Better).count(),
    );
    let percent = CONFIDENCE * 100.0;
    let unsure = "What varies only between repetitions is not in this; repeat both runs to see it.";
    if differences.is_empty() {
        return "\nThe runs have no request in common.\n".to_owned();
    }
    if shown(Verdict::TooLittle).count() == differences.len() {
        return "\nToo little was measured to compare: each run needs eight windows of a second or more.\n".to_owned();
    }
    if worse + better == 0 {
        return format!(
            "\nNo difference that this data can show, at {percent} % confidence over all rows.\n{unsure}\n"
        );
    }
    format!(
        "\n{worse} worse and {better} better, at {percent} % confidence over all rows.\n{unsure}\n"
    )
}

fn value(difference: &Difference, value: f64) -> String {
    match difference.metric {
        "fail ratio" => format!("{:.2}%", value * 100.0),
        "requests/s" => format!("{value:.1}"),
        _ if value < 9.995 => format!("{value:.2}ms"),
        _ => format!("{value:.0}ms"),
    }
}

/// In percent, or in percentage points for what is a percentage already.
fn change(difference: &Difference, change: f64) -> String {
    let unit = if difference.metric == "fail ratio" {
        "pp"
    } else {
        "%"
    };
    let percent = change * 100.0;
    // More digits would look like knowledge.
    if percent > 999.5 {
        return format!(">+999{unit}");
    }
    if percent.abs() < 9.95 {
        format!("{percent:+.1}{unit}")
    } else {
        format!("{percent:+.0}{unit}")
    }
}

fn said(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "WORSE",
        Verdict::NotShown => "no difference shown",
        Verdict::TooLittle => "too little measured",
    }
}
