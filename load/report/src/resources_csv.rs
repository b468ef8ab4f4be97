//! `PREFIX_resources.csv`: what the service, the generator and the machine used, a row for
//! each part and time. [`crate::recorded`] reads it back.

use crate::csv_field;
use crate::resources::{Kind, Part, Usage};

/// How late the generator's event loop was, at most, in ms; files of earlier versions lack it.
pub(crate) const LAG: &str = "Event loop late (ms)";

/// The columns. CPU is in percent of one core, memory in MB; a field is empty where
/// nothing could be seen.
pub const COLUMNS: [&str; 11] = [
    "Timestamp",
    "Kind",
    "Part",
    "CPU (%)",
    "Busiest thread (%)",
    "Memory (MB)",
    "Restarts",
    "OOM kills",
    "CPU limit (%)",
    "Memory limit (MB)",
    LAG,
];

/// The whole file.
pub fn table(parts: &[Part]) -> String {
    let rows = parts
        .iter()
        .flat_map(|part| part.points.iter().map(|usage| row(part, usage)));
    csv_field::rows([COLUMNS.map(str::to_owned)].into_iter().chain(rows))
}

fn row(part: &Part, usage: &Usage) -> [String; 11] {
    let number = |value: Option<f32>| value.map_or_else(String::new, |value| format!("{value:.1}"));
    [
        format!("{:.3}", usage.t),
        word(part.kind).to_owned(),
        part.name.clone(),
        number(usage.cpu),
        number(usage.busiest_thread),
        number(usage.memory_mb),
        usage.restarts.to_string(),
        usage.oom_kills.to_string(),
        number(part.cpu_limit),
        number(part.memory_limit_mb),
        number(usage.lag_ms),
    ]
}

/// How a kind is called in the file.
pub(crate) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Target => "service",
        Kind::Generator => "generator",
        Kind::Machine => "machine",
    }
}
