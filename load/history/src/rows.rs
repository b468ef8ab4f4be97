//! What both databases keep in their rows.

use acrida_report::windows::{EntryWindows, Window};

use crate::{KeptRun, times};

/// The columns of a run: number, version, machine, settings, exit code, summary.
pub(crate) type RunRow = (i64, String, String, String, i64, String);

/// A window's row: method, name, then the window, and its times as [`times::write`] gave them.
pub(crate) type WindowRow = (String, String, Window, Vec<u8>);

/// The run in a row, or what is wrong with it.
pub(crate) fn kept(row: RunRow) -> Result<KeptRun, String> {
    let (id, version, machine, settings, exit_code, summary) = row;
    Ok(KeptRun {
        id,
        summary: serde_json::from_str(&summary).map_err(|error| error.to_string())?,
        version,
        machine,
        settings,
        exit_code: i32::try_from(exit_code).map_err(|error| error.to_string())?,
    })
}

/// The windows in `rows`, which come name by name; `None` if times are damaged.
pub(crate) fn entries(rows: Vec<WindowRow>) -> Option<Vec<EntryWindows>> {
    let mut entries: Vec<EntryWindows> = Vec::new();
    for (method, name, mut window, times) in rows {
        window.times = times::read(&times)?;
        match entries.last_mut() {
            Some(entry) if entry.name == name && entry.method == method => {
                entry.windows.push(window);
            }
            _ => entries.push(EntryWindows {
                method,
                name,
                windows: vec![window],
            }),
        }
    }
    Some(entries)
}

/// A count as databases have it.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
