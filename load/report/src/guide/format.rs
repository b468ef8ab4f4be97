//! Numbers as the guide's report has them.

use crate::locust_json;

/// `5,000`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `2,150ms`; two decimals below ten, because fast services answer within one.
pub(crate) fn ms(time: f64) -> String {
    if time < 9.995 {
        return format!("{time:.2}ms");
    }
    format!("{}ms", count(time.round() as u64))
}

/// `5 minutes`.
pub(super) fn duration(seconds: f64) -> String {
    if seconds < 1.0 {
        return format!("{seconds:.1} seconds");
    }
    locust_json::duration(seconds.round() as u64)
}

/// `98%`, with the decimals that tell it from 100.
pub(crate) fn percent(percent: f64) -> String {
    let rounded = (percent * 100.0).round() / 100.0;
    if rounded >= 100.0 && percent < 100.0 {
        return "99.99%".to_owned();
    }
    format!("{rounded}%")
}

/// `5`, `0.5`.
pub(super) fn plain(number: f64) -> String {
    format!("{}", (number * 100.0).round() / 100.0)
}

/// `2.3 MB/sec`.
pub(super) fn bandwidth(bytes_per_s: f64) -> String {
    let (unit, name) = match bytes_per_s {
        big if big >= 99_950.0 => (1e6, "MB"),
        middle if middle >= 1e3 => (1e3, "KB"),
        _ => return format!("{bytes_per_s:.0} bytes/sec"),
    };
    format!("{:.1} {name}/sec", bytes_per_s / unit)
}

/// A key metric in its unit.
pub(super) fn measured(value: f64, unit: &str) -> String {
    match unit {
        "ms" => ms(value),
        "%" => format!("{value:.2}%"),
        _ => format!("{value:.1} {unit}"),
    }
}

/// A bound of a key metric, in the guide's spelling.
pub(super) fn bound(value: f64, unit: &str) -> String {
    match unit {
        "RPS" => format!("{value} RPS"),
        unit => format!("{value}{unit}"),
    }
}
