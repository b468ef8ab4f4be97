//! `PREFIX_requests.csv` while it is written: one line a request, never held back
//! for longer than a second.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acrida_report::requests_csv::{self, RequestRow};
use log::error;

use super::csv_files;
use crate::exit::Exit;

/// Bytes gathered before they are written.
const GATHERED: usize = 64 * 1024;
/// Memory for them, with room for the line that goes beyond.
const BUFFER: usize = GATHERED + 8 * 1024;

/// The file; clones write to the same one.
#[derive(Debug, Clone)]
pub struct RequestLog(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    /// Whether a line was lost, which is said once.
    failed: bool,
}

impl RequestLog {
    /// Creates the file with its folder and its header.
    ///
    /// # Errors
    ///
    /// [`Exit::Failed`] if it cannot be written.
    pub fn create(prefix: &str) -> Result<Self, Exit> {
        let path = csv_files::path(prefix, "_requests");
        let file = csv_files::create(&path, requests_csv::HEADER)
            .map_err(|error| csv_files::unwritable(&path, &error))?;
        Ok(Self::new(path, file))
    }

    fn new(path: PathBuf, file: File) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            path,
            file,
            buffer: Vec::with_capacity(BUFFER),
            failed: false,
        })))
    }

    /// Adds a line. HOT: on the path of every request.
    pub fn write(&self, row: &RequestRow<'_>) {
        let mut lines = self.lines();
        requests_csv::write_row(&mut lines.buffer, row);
        if lines.buffer.len() >= GATHERED {
            lines.flush();
        }
    }

    /// Writes what was gathered; whether every line is in the file.
    pub fn flush(&self) -> bool {
        let mut lines = self.lines();
        lines.flush();
        !lines.failed
    }

    /// A panic while a line was added leaves the others as they were.
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lines {
    /// What cannot be written is dropped, so that a full disk takes no memory.
    fn flush(&mut self) {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        if let Err(problem) = written
            && !self.failed
        {
            self.failed = true;
            complain(&self.path, &problem);
        }
    }
}

fn complain(path: &Path, problem: &io::Error) {
    error!(target: "locust.main", "cannot write {}: {problem}; lines are missing in it", path.display());
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: RequestRow<'_> = RequestRow {
        finished_us: 1_700_000_000_000_000,
        method: "GET",
        name: "/health",
        response_time_us: Some(12_000),
        bytes_sent: 0,
        bytes_received: 100,
    };

    #[test]
    fn every_line_is_in_the_file_after_a_flush() {
        let folder = tempfile::tempdir().expect("a folder");
        let prefix = folder.path().join("logs/x").display().to_string();
        let log = RequestLog::create(&prefix).expect("a file");
        (0..5000).for_each(|_| log.write(&ROW));
        assert!(log.flush());
        let text = std::fs::read_to_string(format!("{prefix}_requests.csv")).expect("the file");
        assert_eq!(text.lines().count(), 5001);
        assert_eq!(text.lines().last(), Some("1700000000,GET,/health,12,0,100"));
    }

    #[test]
    fn a_full_disk_is_noticed_and_takes_no_memory() {
        let path = PathBuf::from("/dev/full");
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("the full device");
        let log = RequestLog::new(path, file);
        (0..5000).for_each(|_| log.write(&ROW));
        assert!(!log.flush());
        // The line that fills it may make it grow once, to twice its size.
        assert!(log.lines().buffer.capacity() < 2 * GATHERED);
    }
}
