//! The tables, and how files of earlier versions get them.

use std::path::Path;

use rusqlite::ffi::SQLITE_IOERR_SHORT_READ;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use crate::HistoryError;

/// Marks a file as ours: "acrd".
const APPLICATION_ID: i64 = 0x6163_7264;

/// What leads from each version of the format to the next, the first from an empty file.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        started_s REAL NOT NULL,
        version TEXT NOT NULL,
        machine TEXT NOT NULL,
        settings TEXT NOT NULL,
        exit_code INTEGER NOT NULL,
        summary TEXT NOT NULL
    );
    CREATE TABLE window (
        run INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
        method TEXT NOT NULL,
        name TEXT NOT NULL,
        position INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        users INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        failures INTEGER NOT NULL,
        times BLOB NOT NULL,
        PRIMARY KEY (run, name, method, position)
    ) WITHOUT ROWID;
"];

/// Checks that the file is ours, and brings it to the format of this version.
pub(super) fn bring_up_to_date(path: &Path, database: &mut Connection) -> Result<(), HistoryError> {
    let known = MIGRATIONS.len() as i64;
    let failed = |source| explain(path, &source);
    let place = || path.display().to_string();
    let pragma = |database: &Connection, name: &str| -> rusqlite::Result<i64> {
        database.pragma_query_value(None, name, |row| row.get(0))
    };
    // The lock is taken first, so that two programs do not both create the tables.
    let transaction = database
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let application = pragma(&transaction, "application_id").map_err(failed)?;
    let found = pragma(&transaction, "user_version").map_err(failed)?;
    let tables: i64 = transaction
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    let is_new = tables == 0 && found == 0 && application == 0;
    if !is_new && application != APPLICATION_ID {
        return Err(HistoryError::Foreign { place: place() });
    }
    if found > known {
        return Err(HistoryError::Newer {
            place: place(),
            found,
            known,
        });
    }
    for migration in &MIGRATIONS[usize::try_from(found).unwrap_or(0)..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    if found < known {
        transaction
            .execute_batch(&format!(
                "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {known};"
            ))
            .map_err(failed)?;
    }
    transaction.commit().map_err(failed)?;
    // Without it, the windows of a run that is forgotten would stay.
    database
        .pragma_update(None, "foreign_keys", true)
        .map_err(failed)
}

/// What an error of SQLite's means.
pub(super) fn explain(path: &Path, source: &rusqlite::Error) -> HistoryError {
    let place = path.display().to_string();
    let ends_too_soon = source
        .sqlite_error()
        .is_some_and(|error| error.extended_code == SQLITE_IOERR_SHORT_READ);
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => HistoryError::Foreign { place },
        Some(ErrorCode::DatabaseCorrupt) => HistoryError::Malformed { place },
        _ if ends_too_soon => HistoryError::Malformed { place },
        _ => {
            let why = source.to_string();
            HistoryError::Database { place, why }
        }
    }
}
