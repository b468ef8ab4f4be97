//! Runs that were made, kept in one SQLite file, or in a PostgreSQL database.
//!
//! A run is its [`RunSummary`] and its windows (see [`acrida_report::windows`]), from which
//! [`acrida_report::compare`] tells how certain a difference is. Bound: the newest
//! [`RUNS_MAX`] runs; older ones are forgotten when one is added.
//!
//! What is no history of acrida's, or one that a newer version wrote, is left as it is. Runs
//! that end at the same time wait for each other; a run that is cut off while it is written
//! leaves no trace. While a database is away, runs wait for it in a file ([`keep`]).

mod error;
mod file;
mod place;
mod rows;
mod server;
mod times;
mod waiting;

use std::time::Duration;

use acrida_report::summary::RunSummary;
use acrida_report::windows::EntryWindows;

pub use error::HistoryError;
pub use place::{InvalidPlace, Place};
pub use waiting::{Kept, keep};

use file::File;
use server::Server;

/// The most runs that are kept, the newest ones.
pub const RUNS_MAX: usize = 1_000;
/// For everything that is read from a server.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// A run to keep. Its machine and its start tell it from every other.
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

impl NewRun<'_> {
    fn started_s(&self) -> f64 {
        self.summary.start_s.unwrap_or(0.0)
    }

    fn summary_as_json(&self) -> String {
        serde_json::to_string(self.summary).expect("a summary is JSON")
    }
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

/// A history, to read.
#[derive(Debug)]
pub struct History {
    place: String,
    store: Store,
    complaint: Option<HistoryError>,
}

#[derive(Debug)]
enum Store {
    File(File),
    Server(Server),
}

impl History {
    /// Opens a history that exists. A server's gets what waits for it in a file.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if it cannot be used.
    pub fn open(place: &Place) -> Result<Self, HistoryError> {
        let mut complaint = None;
        let store = match place {
            Place::File(path) => Store::File(File::open(path)?),
            Place::Server(address) => {
                let mut server = Server::connect(address, READ_WITHIN)?;
                complaint = waiting::take_over(address, &mut server).err();
                Store::Server(server)
            }
        };
        Ok(Self {
            place: place.to_string(),
            store,
            complaint,
        })
    }

    /// Why runs that wait in a file did not get here.
    pub fn complaint(&self) -> Option<&HistoryError> {
        self.complaint.as_ref()
    }

    /// The newest runs, newest first; those that are damaged are left out.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Database`] if the history cannot be read.
    pub fn newest(&self, count: usize) -> Result<Vec<KeptRun>, HistoryError> {
        let rows = match &self.store {
            Store::File(file) => file.newest(count)?,
            Store::Server(server) => server.newest(count)?,
        };
        let runs = rows.into_iter().filter_map(|row| rows::kept(row).ok());
        Ok(runs.collect())
    }

    /// The run with this number.
    ///
    /// # Errors
    ///
    /// [`HistoryError`] if the history cannot be read, or the run in it.
    pub fn run(&self, id: i64) -> Result<Option<KeptRun>, HistoryError> {
        let row = match &self.store {
            Store::File(file) => file.run(id)?,
            Store::Server(server) => server.run(id)?,
        };
        let run = row.map(rows::kept).transpose();
        run.map_err(|why| self.damaged(id, why))
    }

    /// The windows of a run, none if there is no such run.
    ///
    /// # Errors
    ///
    /// As for [`Self::run`].
    pub fn windows(&self, id: i64) -> Result<Vec<EntryWindows>, HistoryError> {
        let rows = match &self.store {
            Store::File(file) => file.windows(id)?,
            Store::Server(server) => server.windows(id)?,
        };
        let damaged = || self.damaged(id, "its response times".to_owned());
        rows::entries(rows).ok_or_else(damaged)
    }

    fn damaged(&self, run: i64, why: String) -> HistoryError {
        HistoryError::Damaged {
            place: self.place.clone(),
            run,
            why,
        }
    }
}

#[cfg(test)]
mod tests;
