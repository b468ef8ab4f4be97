//! What a command tells on stdout.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};

/// Prints a line. That its reader has gone away (`… | head -1`) is no failure: what is
/// computed meanwhile still counts.
///
/// # Errors
///
/// Everything else that keeps it from being written, such as a full disk.
pub(crate) fn say(line: impl Display) -> Result<()> {
    match writeln!(io::stdout().lock(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("cannot write to stdout"),
    }
}
