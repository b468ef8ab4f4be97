//! Runs that were saved, in files or in the history.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use acrida_report::recorded::{CsvFiles, Traffic, Unreadable, read_csv, read_json};
use acrida_report::summary::RunSummary;
use clap::ArgMatches;

use super::arguments;
use crate::exit::Exit;
use crate::run::keeper::{find, no_such_run};

/// The longest file of statistics that is read; logs of requests may be longer.
const BYTES_MAX: u64 = 256 << 20;

/// Reads the run whose files begin with `name`; `name` may also be the file of statistics
/// itself, or one in JSON, or, if there is no such file, mean a run of the history.
///
/// # Errors
///
/// One line about the first file that is missing or says nothing.
pub(super) fn load(name: &str, matches: &ArgMatches) -> Result<RunSummary, Exit> {
    let is_kept = name == "last" || name.trim_start_matches('#').parse::<u32>().is_ok();
    if is_kept && !Path::new(&format!("{name}_stats.csv")).exists() {
        let history = arguments::open_history(matches)?;
        let found = find(&history, name).map_err(|error| Exit::Failed(error.to_string()))?;
        let found = found.ok_or_else(|| Exit::Failed(no_such_run(name)))?;
        return Ok(found.0.summary);
    }
    let title = title_of(name);
    let says_nothing = |error: Unreadable| Exit::Failed(error.to_string());
    if name.ends_with(".json") {
        let (file, text) = required(name.to_owned(), "a file of --json-file")?;
        return read_json(&file, &title, &text).map_err(says_nothing);
    }
    let prefix = name.strip_suffix("_stats.csv").unwrap_or(name);
    let optional = |kind: &str| read(&format!("{prefix}_{kind}.csv"));
    let files = CsvFiles {
        stats: required(format!("{prefix}_stats.csv"), "the PREFIX that --csv had")?,
        history: optional("stats_history")?,
        failures: optional("failures")?,
        exceptions: optional("exceptions")?,
        arrivals: optional("arrivals")?,
        traffic: traffic(&format!("{prefix}_requests.csv"))?,
    };
    read_csv(&title, &files).map_err(says_nothing)
}

fn title_of(name: &str) -> String {
    let name = name.strip_suffix(".json").unwrap_or(name);
    let name = name.strip_suffix("_stats.csv").unwrap_or(name);
    let last = Path::new(name).file_name();
    last.map_or_else(
        || name.to_owned(),
        |last| last.to_string_lossy().into_owned(),
    )
}

fn required(path: String, what: &str) -> Result<(String, String), Exit> {
    read(&path)?.ok_or_else(|| Exit::Failed(format!("there is no {path}: name {what}")))
}

/// A file and its text; none if there is no such file.
fn read(path: &str) -> Result<Option<(String, String)>, Exit> {
    let Some(file) = open(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Exit::Failed(format!(
            "{path}: longer than {BYTES_MAX} bytes"
        )));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(_) => Err(Exit::Failed(format!("{path}: no text in UTF-8"))),
    }
}

fn traffic(path: &str) -> Result<Option<Traffic>, Exit> {
    let file = open(path)?;
    file.map(|file| Traffic::read(path, io::BufReader::new(file)))
        .transpose()
        .map_err(|error| Exit::Failed(error.to_string()))
}

fn open(path: &str) -> Result<Option<File>, Exit> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn unreadable(path: &str, error: &io::Error) -> Exit {
    Exit::Failed(format!("cannot read {path}: {error}"))
}
