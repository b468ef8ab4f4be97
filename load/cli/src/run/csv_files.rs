//! The CSV files of a run.
//!
//! `_stats`, `_failures` and `_exceptions` are replaced as a whole, through a
//! file beside them, so that nobody ever reads half of one, and so is `_arrivals` in an
//! open run; `_stats_history`
//! grows by rows. What the files say is decided in `acrida-report`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use acrida_report::resources::Part;
use acrida_report::{locust_csv, resources_csv};
use acrida_stats::Snapshot;

use super::whole_file::replace;
use crate::exit::Exit;

/// The file that open runs alone have.
const ARRIVALS: &str = "_arrivals";

#[derive(Debug)]
pub(super) struct CsvFiles {
    prefix: String,
    percentiles: Vec<f64>,
    full_history: bool,
    history: File,
}

impl CsvFiles {
    /// Creates the folders of `prefix` and every file, with headers only.
    pub(super) fn create(
        prefix: &str,
        percentiles: &[f64],
        full_history: bool,
    ) -> Result<Self, Exit> {
        let history = path(prefix, "_stats_history");
        let written = create(&history, &locust_csv::stats_history_header(percentiles));
        let files = Self {
            prefix: prefix.to_owned(),
            percentiles: percentiles.to_vec(),
            full_history,
            history: written.map_err(|error| unwritable(&history, &error))?,
        };
        for name in ["_stats", "_failures", "_exceptions"] {
            let path = path(prefix, name);
            replace(&path, "").map_err(|error| unwritable(&path, &error))?;
        }
        // One that an earlier, open run has left would be taken for this run's.
        let arrivals = path(prefix, ARRIVALS);
        match fs::remove_file(&arrivals) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(unwritable(&arrivals, &error))
            }
            _ => Ok(files),
        }
    }

    /// Writes what was seen of the service and of this process.
    ///
    /// # Errors
    ///
    /// One line if the file cannot be written.
    pub(super) fn write_resources(&self, parts: &[Part]) -> Result<(), String> {
        let path = path(&self.prefix, "_resources");
        replace(&path, &resources_csv::table(parts)).map_err(|error| complaint(&path, &error))
    }

    /// Brings every file up to `snapshot`.
    ///
    /// # Errors
    ///
    /// One line about the first file that cannot be written; the others are
    /// written nevertheless.
    pub(super) fn write(&mut self, snapshot: &Snapshot) -> Result<(), String> {
        let rows = locust_csv::stats_history_rows(snapshot, &self.percentiles, self.full_history);
        let appended = self.history.write_all(rows.as_bytes());
        let history =
            appended.map_err(|error| complaint(&path(&self.prefix, "_stats_history"), &error));
        let arrivals = locust_csv::arrivals_csv(snapshot).map_or(Ok(()), |text| {
            let path = path(&self.prefix, ARRIVALS);
            replace(&path, &text).map_err(|error| complaint(&path, &error))
        });
        let replaced = [
            ("_stats", locust_csv::stats_csv(snapshot, &self.percentiles)),
            ("_failures", locust_csv::failures_csv(snapshot)),
            ("_exceptions", locust_csv::exceptions_csv(snapshot)),
        ]
        .map(|(name, text)| {
            let path = path(&self.prefix, name);
            replace(&path, &text).map_err(|error| complaint(&path, &error))
        });
        replaced
            .into_iter()
            .fold(history.and(arrivals), Result::and)
    }
}

/// Creates a file, and its folder, with its first line.
pub(super) fn create(path: &Path, header: &str) -> io::Result<File> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(path)?;
    file.write_all(header.as_bytes())?;
    Ok(file)
}

/// `PREFIX_NAME.csv`.
pub(super) fn path(prefix: &str, name: &str) -> PathBuf {
    PathBuf::from(format!("{prefix}{name}.csv"))
}

/// The end of a run that cannot write its files.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> Exit {
    Exit::Failed(format!("{}; choose another --csv", complaint(path, error)))
}

pub(super) fn complaint(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
