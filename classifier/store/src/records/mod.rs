//! Rows in SQLite or PostgreSQL, by one set of statements.
//!
//! Statements are written in what both understand, with parameters `?1`, `?2` and so on. Their
//! columns hold text, 64-bit integers (also for what is true or false, as 1 or 0) and 64-bit
//! floating point numbers.
//!
//! In either database one transaction writes at a time, in all processes together: what a
//! transaction has read is still so when it commits.

mod postgres;
mod schema;
mod sqlite;
mod value;

use std::path::Path;

pub(crate) use value::{Row, Value, values};

use crate::error::StoreError;
use postgres::Postgres;
use sqlite::Sqlite;

/// What statements are given to.
pub(crate) trait Sql {
    /// Changes rows; returns how many.
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError>;

    /// Every row that is found.
    fn rows(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// The database's clock, in milliseconds since 1970: the same for every process.
    fn now_ms(&mut self) -> Result<i64, StoreError>;
}

impl dyn Sql + '_ {
    /// The first row that is found.
    pub(crate) fn row(
        &mut self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, parameters)?.into_iter().next())
    }
}

/// The database.
#[derive(Debug)]
pub(crate) enum Records {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Records {
    /// Opens the database in the file `path`, and brings its tables up to date.
    pub(crate) fn in_file(path: &Path) -> Result<Records, StoreError> {
        Ok(Records::Sqlite(Sqlite::open(path)?))
    }

    /// Connects to the PostgreSQL database at `url`, and brings its tables up to date.
    pub(crate) fn at(url: &str, ca: Option<&Path>) -> Result<Records, StoreError> {
        Ok(Records::Postgres(Postgres::connect(url, ca)?))
    }

    /// Commits what `work` does, or nothing of it if it fails. When this returns, a crash of
    /// the database's machine does not undo it.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Records::Sqlite(database) => database.write(work),
            Records::Postgres(database) => database.write(work),
        }
    }

    /// For queries alone.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&mut dyn Sql) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match self {
            Records::Sqlite(database) => database.read(work),
            Records::Postgres(database) => database.read(work),
        }
    }
}
