//! A history in one SQLite file.

mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acrida_report::windows::{EntryWindows, Window};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::rows::{RunRow, WindowRow, number};
use crate::{HistoryError, NewRun, RUNS_MAX, times};

/// How long to wait for another program that writes to the file.
const BUSY: Duration = Duration::from_secs(5);

/// The file, open.
#[derive(Debug)]
pub(crate) struct File {
    path: PathBuf,
    database: Connection,
}

impl File {
    /// Opens the file, or creates it with its folder.
    pub(crate) fn open_or_create(path: &Path) -> Result<Self, HistoryError> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            fs::create_dir_all(folder).map_err(|source| HistoryError::Folder {
                path: path.to_owned(),
                source,
            })?;
        }
        let failed = |source| schema::explain(path, &source);
        let mut database = Connection::open(path).map_err(failed)?;
        database.busy_timeout(BUSY).map_err(failed)?;
        schema::bring_up_to_date(path, &mut database)?;
        Ok(Self {
            path: path.to_owned(),
            database,
        })
    }

    /// Opens a file that exists.
    pub(crate) fn open(path: &Path) -> Result<Self, HistoryError> {
        if !path.exists() {
            let place = path.display().to_string();
            return Err(HistoryError::Missing { place });
        }
        Self::open_or_create(path)
    }

    fn explain(&self) -> impl Fn(rusqlite::Error) -> HistoryError + '_ {
        |source| schema::explain(&self.path, &source)
    }

    pub(crate) fn add(&mut self, run: &NewRun<'_>) -> Result<i64, HistoryError> {
        let path = self.path.clone();
        let added = self.add_in_transaction(run);
        added.map_err(|source| schema::explain(&path, &source))
    }

    fn add_in_transaction(&mut self, run: &NewRun<'_>) -> rusqlite::Result<i64> {
        let transaction = self.database.transaction()?;
        transaction.execute(
            "INSERT INTO run (started_s, version, machine, settings, exit_code, summary) VALUES (?, ?, ?, ?, ?, ?)",
            params![
                run.started_s(),
                run.version,
                run.machine,
                run.settings,
                run.exit_code,
                run.summary_as_json()
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

    pub(crate) fn newest(&self, count: usize) -> Result<Vec<RunRow>, HistoryError> {
        let newest = || {
            let mut statement = self.database.prepare(&format!(
                "SELECT {COLUMNS} FROM run ORDER BY id DESC LIMIT ?"
            ))?;
            let rows = statement.query_map([count as i64], run_row)?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        newest().map_err(self.explain())
    }

    pub(crate) fn run(&self, id: i64) -> Result<Option<RunRow>, HistoryError> {
        let sql = format!("SELECT {COLUMNS} FROM run WHERE id = ?");
        let found = self.database.query_row(&sql, [id], run_row);
        found.optional().map_err(self.explain())
    }

    /// Name by name.
    pub(crate) fn windows(&self, id: i64) -> Result<Vec<WindowRow>, HistoryError> {
        let read = || {
            let mut statement = self.database.prepare(
                "SELECT method, name, seconds, users, requests, failures, times FROM window WHERE run = ? \
                 ORDER BY name, method, position",
            )?;
            statement
                .query_map([id], window_row)?
                .collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(self.explain())
    }

    /// Removes a run.
    pub(crate) fn forget(&self, id: i64) -> Result<(), HistoryError> {
        let removed = self.database.execute("DELETE FROM run WHERE id = ?", [id]);
        removed.map(|_| ()).map_err(self.explain())
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

fn run_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<RunRow> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
        row.get(5)?,
    ))
}

fn window_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<WindowRow> {
    let window = Window {
        seconds: row.get(2)?,
        users: row.get::<_, i64>(3)?.unsigned_abs(),
        requests: row.get::<_, i64>(4)?.unsigned_abs(),
        failures: row.get::<_, i64>(5)?.unsigned_abs(),
        times: Vec::new(),
    };
    Ok((row.get(0)?, row.get(1)?, window, row.get(6)?))
}
