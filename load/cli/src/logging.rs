//! Log lines that look like those of Python's side:
//! `[2026-01-31 09:50:12,345] host/INFO/locust.main: message`.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::ZonedDateTime;
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::exit::Exit;

/// Takes away what stands in a terminal's line, such as the progress of a run.
pub(crate) const CLEAR_LINE: &str = "\r\x1b[K";

/// The most log lines that the web page shows, as in Locust.
const RECENT_LINES: usize = 500;
/// The longest of them, in bytes.
const RECENT_LINE_MAX: usize = 4_000;

/// The newest log lines of both sides. Like the logger itself there is one for the
/// process.
static RECENT: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Remembers a log line, which may be one of Python's side.
pub fn remember(line: &str) {
    let line = line.trim_end();
    let line = line[..line.floor_char_boundary(RECENT_LINE_MAX)].to_owned();
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    if recent.len() == RECENT_LINES {
        recent.pop_front();
    }
    recent.push_back(line);
}

/// The newest log lines, oldest first.
pub fn recent_lines() -> Vec<String> {
    let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.iter().cloned().collect()
}

/// Sends the lines of `locust.…` and `acrida…` loggers from `loglevel` up to
/// stderr, or to the end of `logfile`, whose folder is created.
///
/// # Errors
///
/// [`Exit::Failed`] if the file cannot be written.
pub fn set_up(loglevel: &str, logfile: Option<&str>) -> Result<(), Exit> {
    let file = logfile.map(open).transpose()?;
    let lines = Lines {
        host: host_name(),
        file: file.map(Mutex::new),
        terminal: io::stderr().is_terminal(),
    };
    // Somebody who set up logging before (a second run in one process) keeps it.
    if log::set_boxed_logger(Box::new(lines)).is_ok() {
        log::set_max_level(filter(loglevel));
    }
    Ok(())
}

fn open(logfile: &str) -> Result<File, Exit> {
    let folder = Path::new(logfile)
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    folder
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| OpenOptions::new().create(true).append(true).open(logfile))
        .map_err(|error| Exit::Failed(format!("cannot write the log file {logfile}: {error}")))
}

/// The level of `--loglevel`. Nothing here is ever critical.
fn filter(loglevel: &str) -> LevelFilter {
    match loglevel {
        "DEBUG" => LevelFilter::Debug,
        "INFO" => LevelFilter::Info,
        "WARNING" => LevelFilter::Warn,
        "ERROR" => LevelFilter::Error,
        _ => LevelFilter::Off,
    }
}

/// The host's name up to its first dot.
fn host_name() -> String {
    let name = gethostname::gethostname().to_string_lossy().into_owned();
    name.split('.').next().unwrap_or_default().to_owned()
}

#[derive(Debug)]
struct Lines {
    host: String,
    /// `None`: stderr.
    file: Option<Mutex<File>>,
    /// Whether stderr is one.
    terminal: bool,
}

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        target.starts_with("locust") || target.starts_with("acrida")
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let line = line(&ZonedDateTime::now(), &self.host, record);
        remember(&line);
        // There is nobody to tell that a log line could not be written.
        let _ = match &self.file {
            Some(file) => match file.lock() {
                Ok(mut file) => file.write_all(line.as_bytes()),
                Err(_) => Ok(()),
            },
            None if self.terminal => io::stderr()
                .lock()
                .write_all(format!("{CLEAR_LINE}{line}").as_bytes()),
            None => io::stderr().lock().write_all(line.as_bytes()),
        };
    }

    fn flush(&self) {}
}

fn line(now: &ZonedDateTime, host: &str, record: &Record<'_>) -> String {
    let level = match record.level() {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "DEBUG",
    };
    let time = now.strftime("%Y-%m-%d %H:%M:%S");
    let (ms, target) = (now.millisecond(), record.target());
    format!(
        "[{time},{ms:03}] {host}/{level}/{target}: {}\n",
        record.args()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_look_like_pythons() {
        let now: ZonedDateTime = "2026-11-24T09:50:12.045[UTC]".parse().expect("a time");
        let line_of = |args| {
            let record = Record::builder()
                .level(Level::Warn)
                .target("locust.main")
                .args(args)
                .build();
            line(&now, "vm", &record)
        };
        assert_eq!(
            line_of(format_args!("it is late")),
            "[2026-11-24 09:50:12,045] vm/WARNING/locust.main: it is late\n"
        );
    }

    #[test]
    fn every_level_of_the_flag_is_known() {
        let filters: Vec<_> = crate::flags::LOG_LEVELS
            .iter()
            .map(|level| filter(level))
            .collect();
        use LevelFilter::{Debug, Error, Info, Off, Warn};
        assert_eq!(filters, [Debug, Info, Warn, Error, Off]);
    }

    #[test]
    fn a_log_file_that_cannot_be_written_is_named() {
        let exit = open("/dev/null/x/locust.log").expect_err("no folder");
        assert!(matches!(exit, Exit::Failed(text)
            if text.starts_with("cannot write the log file /dev/null/x/locust.log: ")));
    }
}
