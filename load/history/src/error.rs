//! Why a history cannot be used.

use std::path::PathBuf;

/// Why a history cannot be used. `place` is its file, or its address without the password.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum HistoryError {
    #[error("there is no history at {place}: it begins with the first run")]
    Missing { place: String },
    #[error("cannot create the folder of {path}: {source}")]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{place} is no history of acrida: name another with --history")]
    Foreign { place: String },
    #[error(
        "{place} was written by a newer acrida (format {found}, this one knows {known}): \
         update acrida, or name another with --history"
    )]
    Newer {
        place: String,
        found: i64,
        known: i64,
    },
    #[error(
        "{place} is damaged, or a part of it is missing: put it aside, or name another with --history"
    )]
    Malformed { place: String },
    #[error("cannot use {place}: {why}")]
    Database { place: String, why: String },
    #[error("{place}: run {run} is damaged: {why}")]
    Damaged {
        place: String,
        run: i64,
        why: String,
    },
    /// A server did not take a run, and neither did the file where it would have waited.
    #[error("{sent}; nor can it wait here: {waits}")]
    Lost {
        sent: Box<HistoryError>,
        waits: Box<HistoryError>,
    },
}
