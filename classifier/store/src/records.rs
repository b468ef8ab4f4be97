//! The connections to SQLite.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::schema::MIGRATIONS;

/// How long another process may hold the database before a call fails.
const BUSY_MAX: Duration = Duration::from_secs(5);

/// One connection to write, and one to read: readers do not wait for a commit's sync.
#[derive(Debug)]
pub(crate) struct Records {
    writer: Mutex<Connection>,
    reader: Mutex<Connection>,
}

impl Records {
    /// Opens the database, and brings its tables up to date.
    pub(crate) fn open(path: &Path) -> Result<Records, StoreError> {
        let mut writer = Connection::open(path)?;
        writer.busy_timeout(BUSY_MAX)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        // In this mode a commit that returned survives a power cut.
        writer.pragma_update(None, "synchronous", "FULL")?;
        let migrated = MIGRATIONS.to_latest(&mut writer);
        migrated.map_err(|error| StoreError::Database(error.into()))?;
        let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        reader.busy_timeout(BUSY_MAX)?;
        Ok(Records {
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
        })
    }

    /// Commits what `work` does, or nothing of it if it fails.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = lock(&self.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.commit()?;
        Ok(result)
    }

    /// For queries alone.
    pub(crate) fn reader(&self) -> MutexGuard<'_, Connection> {
        lock(&self.reader)
    }
}

/// A panic in between leaves no half transaction: it is rolled back when dropped.
fn lock(connection: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    connection
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}
