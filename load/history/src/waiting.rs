//! Runs wait in a file of this machine while a server is away.

use std::path::PathBuf;
use std::time::Duration;

use crate::file::File;
use crate::place::{Place, Server as Address};
use crate::server::Server;
use crate::{HistoryError, NewRun, RUNS_MAX, rows};

/// What a run waits for a server at its end, all in all.
const KEEP_WITHIN: Duration = Duration::from_secs(10);

/// Where a run went.
#[derive(Debug)]
pub enum Kept {
    /// Into the history, under a number.
    Numbered {
        /// The number, which no other run of this history ever has.
        id: i64,
        /// Why runs that wait here could not go there too.
        complaint: Option<HistoryError>,
    },
    /// Into a file, until a command or a run reaches the server.
    Waits {
        /// The file.
        file: PathBuf,
        /// Why the server did not take it.
        why: HistoryError,
    },
}

/// Keeps a run, whole or not at all. What a server does not take within ten seconds waits in
/// a file, and goes there as soon as the server is reached again; at most [`RUNS_MAX`] runs
/// do, the newest ones.
///
/// # Errors
///
/// [`HistoryError`] if the run is kept nowhere.
pub fn keep(place: &Place, run: &NewRun<'_>) -> Result<Kept, HistoryError> {
    let address = match place {
        Place::File(path) => {
            let id = File::open_or_create(path)?.add(run)?;
            return Ok(Kept::Numbered {
                id,
                complaint: None,
            });
        }
        Place::Server(address) => address,
    };
    let sent = Server::connect(address, KEEP_WITHIN).and_then(|mut server| {
        let complaint = take_over(address, &mut server).err();
        server.add(run).map(|id| Kept::Numbered { id, complaint })
    });
    let (why, file) = match (sent, &address.waiting) {
        (Ok(kept), _) => return Ok(kept),
        (Err(why), None) => return Err(why),
        (Err(why), Some(file)) => (why, file),
    };
    match File::open_or_create(file).and_then(|mut waiting| waiting.add(run)) {
        Ok(_) => Ok(Kept::Waits {
            file: file.clone(),
            why,
        }),
        Err(waits) => Err(HistoryError::Lost {
            sent: Box::new(why),
            waits: Box::new(waits),
        }),
    }
}

/// Gives the server what waits for it, oldest first. Cut off at any point, it is gone on with
/// the next time, and no run is there twice.
pub(crate) fn take_over(address: &Address, server: &mut Server) -> Result<(), HistoryError> {
    let waiting = address.waiting.as_deref().filter(|file| file.exists());
    let Some(waiting) = waiting.map(File::open).transpose()? else {
        return Ok(());
    };
    let runs = waiting.newest(RUNS_MAX)?;
    for run in runs
        .into_iter()
        .rev()
        .filter_map(|row| rows::kept(row).ok())
    {
        let Some(windows) = rows::entries(waiting.windows(run.id)?) else {
            continue;
        };
        server.add(&NewRun {
            summary: &run.summary,
            windows: &windows,
            version: &run.version,
            machine: &run.machine,
            settings: &run.settings,
            exit_code: run.exit_code,
        })?;
        waiting.forget(run.id)?;
    }
    Ok(())
}
