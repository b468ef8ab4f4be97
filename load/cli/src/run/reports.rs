//! `--html`, `--json` and `--json-file`: written once, at the end of a run.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use acrida_report::html::Page;
use acrida_report::{json_text, locust_json};
use acrida_stats::Snapshot;
use log::debug;

use super::csv_files::{complaint, create};
use super::whole_file::{beside, replace};
use crate::exit::Exit;
use crate::options::ReportOptions;

/// Where the reports of a run go. Files are begun beside their places before the run, so
/// that what cannot be written is known then, and moved there complete.
#[derive(Debug)]
pub(super) struct Reports {
    html: Option<PathBuf>,
    json_file: Option<PathBuf>,
    json: bool,
}

impl Reports {
    /// # Errors
    ///
    /// One line about the file that cannot be written, and the flag that names it.
    pub(super) fn prepare(options: &ReportOptions) -> Result<Self, Exit> {
        let json_file = options.json_file.as_ref();
        let reports = Self {
            html: options.html.as_ref().map(PathBuf::from),
            json_file: json_file.map(|name| PathBuf::from(format!("{name}.json"))),
            json: options.json,
        };
        for (path, flag) in [
            (&reports.html, "--html"),
            (&reports.json_file, "--json-file"),
        ] {
            if let Some(path) = path {
                create(&beside(path), "").map_err(|error| {
                    Exit::Failed(format!(
                        "{}; choose another {flag}",
                        complaint(path, &error)
                    ))
                })?;
            }
        }
        Ok(reports)
    }

    /// Whether a page is wanted.
    pub(super) fn has_page(&self) -> bool {
        self.html.is_some()
    }

    /// Writes what was asked for, and gives a line about each file that could not be.
    pub(super) fn write(&self, snapshot: &Snapshot, page: Option<&Page<'_>>) -> Vec<String> {
        let json = || json_text::indented(&locust_json::stats_json(snapshot));
        let mut complaints = Vec::new();
        let mut check = |path: &Path, written: io::Result<()>| {
            complaints.extend(written.err().map(|error| complaint(path, &error)));
        };
        if let Some((path, page)) = self.html.as_ref().zip(page) {
            debug!(target: "locust.main", "Writing html report to file: {}", path.display());
            check(path, replace(path, &page.html()));
        }
        if let Some(path) = &self.json_file {
            check(path, replace(path, &json()));
        }
        if self.json {
            check(
                Path::new("the statistics to stdout"),
                writeln!(io::stdout(), "{}", json()),
            );
        }
        complaints
    }
}
