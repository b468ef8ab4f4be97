//! Runs that were made, kept in one SQLite file.
//!
//! A run is its [`RunSummary`] and its windows (see [`acrida_report::windows`]), from which
//! [`acrida_report::compare`] tells how certain a difference is. Bound: the newest
//! [`RUNS_MAX`] runs; older ones are forgotten when one is added.
//!
//! A file that is no history of acrida's, or one that a newer version wrote, is left as it
//! is. Runs that end at the same time wait for each other; a run that is cut off while it
//! is written leaves no trace.

mod schema;
mod times;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acrida_report::summary::RunSummary;
use acrida_report::windows::{EntryWindows, Window};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// The most runs that are kept, the newest ones.
pub const RUNS_MAX: usize = 1_000;
/// How long to wait for another program that writes to the file.
const BUSY: Duration = Duration::from_secs(5);

/// Why a history cannot be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum HistoryError {
    #[error("there is no history at {path}: it begins with the first run")]
    Missing { path: PathBuf },
    #[error("cannot create the folder of {path}: {source}")]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is no history of acrida: name another file with --history")]
    Foreign { path: PathBuf },
    #[error(
        "{path} was written by a newer acrida (format {found}, this one knows {known}): \
         update acrida, or name another file with --history"
    )]
    Newer {
        path: PathBuf,
        found: i64,
        known: i64,
    },
    #[error("cannot use {path}: {source}")]
    Database {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error("{path}: run {run} is damaged: {why}")]
    Damaged {
        path: PathBuf,
        run: i64,
        why: String,
    },
}

/// A run to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRun<'a> {
    /// Its figures.
    pub summary: &'a RunSummary,
    /// Its windows.
    pub windows: &'a [EntryWindows],
    /// The version of the program.
    pub version: &'a str,
    /// The machine that made the load.
    pub machine: &'a str,
    /// The settings, as JSON.
    pub settings: &'a str,
    /// The exit code.
    pub exit_code: i32,
}

/// A run that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRun {
    /// Its number, which no other run ever has.
    pub id: i64,
    /// Its figures.
    pub summary: RunSummary,
    /// The version of the program.
    pub version: String,
    /// The machine that made the load.
    pub machine: String,
    /// The settings, as JSON.
    pub settings: String,
    /// The exit code.
    pub exit_code: i32,
}

/// The file, open.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
    database: Connection,
}

impl History {
    /// Opens the file, or creates it with its folder.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if it cannot be used; it is not changed then.
    pub fn open_or_create(path: &Path) -> Result<Self, HistoryError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(|source| HistoryError::Folder {
                path: path.to_owned(),
                source,
            })?;
        }
        Self::open_file(path)
    }

    /// Opens a file that exists.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if it cannot be used.
    pub fn open(path: &Path) -> Result<Self, HistoryError> {
        if !path.exists() {
            return Err(HistoryError::Missing {
                path: path.to_owned(),
            });
        }
        Self::open_file(path)
    }

    fn open_file(path: &Path) -> Result<Self, HistoryError> {
        let failed = |source| schema::explain(path, source);
        let mut database = Connection::open(path).map_err(failed)?;
        database.busy_timeout(BUSY).map_err(failed)?;
        schema::bring_up_to_date(path, &mut database)?;
        Ok(Self {
            path: path.to_owned(),
            database,
        })
    }

    /// Keeps a run, whole or not at all, and gives its number.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Database`], a full disk for one.
    pub fn add(&mut self, run: &NewRun<'_>) -> Result<i64, HistoryError> {
        let path = self.path.clone();
        let added = self.add_in_transaction(run);
        added.map_err(|source| schema::explain(&path, source))
    }

    fn add_in_transaction(&mut self, run: &NewRun<'_>) -> rusqlite::Result<i64> {
        let summary = serde_json::to_string(run.summary).expect("a summary is JSON");
        let transaction = self.database.transaction()?;
        transaction.execute(
            "INSERT INTO run (started_s, version, machine, settings, exit_code, summary) VALUES (?, ?, ?, ?, ?, ?)",
            params![
                run.summary.start_s.unwrap_or(0.0),
                run.version,
                run.machine,
                run.settings,
                run.exit_code,
                summary
            ],
        )?;
        let id = transaction.last_insert_rowid();
        for entry in run.windows {
            add_windows(&transaction, id, entry)?;
        }
        transaction.execute(
            "DELETE FROM run WHERE id NOT IN (SELECT id FROM run ORDER BY id DESC LIMIT ?)",
            [RUNS_MAX as i64],
        )?;
        transaction.commit()?;
        Ok(id)
    }

    /// The newest runs, newest first; those that are damaged are left out.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Database`] if the file cannot be read.
    pub fn newest(&self, count: usize) -> Result<Vec<KeptRun>, HistoryError> {
        let newest = || {
            let mut statement = self.database.prepare(&format!(
                "SELECT {COLUMNS} FROM run ORDER BY id DESC LIMIT ?"
            ))?;
            let rows = statement.query_map([count as i64], columns)?;
            rows.collect::<rusqlite::Result<Vec<Columns>>>()
        };
        let rows = newest().map_err(|source| schema::explain(&self.path, source))?;
        Ok(rows.into_iter().filter_map(|row| kept(row).ok()).collect())
    }

    /// The run with this number.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if the file cannot be read, or the run in it.
    pub fn run(&self, id: i64) -> Result<Option<KeptRun>, HistoryError> {
        let found = self
            .database
            .query_row(
                &format!("SELECT {COLUMNS} FROM run WHERE id = ?"),
                [id],
                columns,
            )
            .optional();
        let found = found.map_err(|source| schema::explain(&self.path, source))?;
        found
            .map(kept)
            .transpose()
            .map_err(|why| self.damaged(id, why))
    }

    /// The windows of a run, none if there is no such run.
    ///
    /// # Errors
    ///
    /// As for [`Self::run`].
    pub fn windows(&self, id: i64) -> Result<Vec<EntryWindows>, HistoryError> {
        let read = || {
            let mut statement = self.database.prepare(
                "SELECT method, name, seconds, users, requests, failures, times FROM window WHERE run = ? \
                 ORDER BY name, method, position",
            )?;
            let row = |row: &rusqlite::Row<'_>| {
                let window = Window {
                    seconds: row.get(2)?,
                    users: row.get::<_, i64>(3)?.unsigned_abs(),
                    requests: row.get::<_, i64>(4)?.unsigned_abs(),
                    failures: row.get::<_, i64>(5)?.unsigned_abs(),
                    times: Vec::new(),
                };
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    window,
                    row.get::<_, Vec<u8>>(6)?,
                ))
            };
            statement
                .query_map([id], row)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        let rows = read().map_err(|source| schema::explain(&self.path, source))?;
        let mut entries: Vec<EntryWindows> = Vec::new();
        for (method, name, mut window, times) in rows {
            let times = times::read(&times);
            window.times =
                times.ok_or_else(|| self.damaged(id, "its response times".to_owned()))?;
            match entries.last_mut() {
                Some(entry) if entry.name == name && entry.method == method => {
                    entry.windows.push(window)
                }
                _ => entries.push(EntryWindows {
                    method,
                    name,
                    windows: vec![window],
                }),
            }
        }
        Ok(entries)
    }

    fn damaged(&self, run: i64, why: String) -> HistoryError {
        HistoryError::Damaged {
            path: self.path.clone(),
            run,
            why,
        }
    }
}

fn add_windows(
    transaction: &Transaction<'_>,
    run: i64,
    entry: &EntryWindows,
) -> rusqlite::Result<()> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO window (run, method, name, position, seconds, users, requests, failures, times) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    for (position, window) in entry.windows.iter().enumerate() {
        statement.execute(params![
            run,
            entry.method,
            entry.name,
            position as i64,
            window.seconds,
            number(window.users),
            number(window.requests),
            number(window.failures),
            times::write(&window.times)
        ])?;
    }
    Ok(())
}

const COLUMNS: &str = "id, version, machine, settings, exit_code, summary";
type Columns = (i64, String, String, String, i32, String);

fn columns(row: &rusqlite::Row<'_>) -> rusqlite::Result<Columns> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ))
}

fn kept((id, version, machine, settings, exit_code, summary): Columns) -> Result<KeptRun, String> {
    Ok(KeptRun {
        id,
        summary: serde_json::from_str(&summary).map_err(|error| error.to_string())?,
        version,
        machine,
        settings,
        exit_code,
    })
}

#[cfg(test)]
mod tests;
