//! Reading the flags of a command, and writing what it has to say.

use std::fs;
use std::io::{self, Write};

use acrida_history::History;
use acrida_report::expect::Expectation;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::exit::Exit;
use crate::history_place;

/// A command of `program` with its own help, and the flags in `args`.
pub(super) fn command(program: &str, about: &'static str, args: Vec<Arg>) -> Command {
    Command::new(program.to_owned())
        .no_binary_name(true)
        .about(about)
        .max_term_width(100)
        .args(args)
}

/// # Errors
///
/// [`Exit::Shown`] for `--help`, [`Exit::Usage`] with one line otherwise.
pub(super) fn parse(command: Command, args: &[String]) -> Result<ArgMatches, Exit> {
    command.try_get_matches_from(args).map_err(|error| {
        if error.kind() == ErrorKind::DisplayHelp {
            return Exit::Shown(error.to_string());
        }
        let text = error.to_string();
        // What clap adds after an empty line is a hint to read the help.
        let said = text.lines().take_while(|line| !line.trim().is_empty());
        let said = said.map(str::trim).collect::<Vec<_>>().join(" ");
        Exit::Usage(said.strip_prefix("error: ").unwrap_or(&said).to_owned())
    })
}

/// A flag that takes a text.
pub(super) fn text(long: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(long).long(long).value_name(value).help(help)
}

/// `--expect`, which may be repeated.
pub(super) fn expect() -> Arg {
    text(
        "expect",
        "expectation",
        "What the run has to be like, such as 'p95 < 500ms'; may be repeated",
    )
    .action(ArgAction::Append)
}

/// `--history`.
pub(super) fn history() -> Arg {
    text(
        "history",
        "place",
        "Where runs were kept, if not in the usual file: another file, or postgres://user@host/database",
    )
}

/// Opens the history that `--history` names, or the usual one.
pub(super) fn open_history(matches: &ArgMatches) -> Result<History, Exit> {
    let named = matches.get_one::<String>("history").map(String::as_str);
    let place = history_place::of_process(named)?;
    let history = History::open(&place).map_err(|error| Exit::Failed(error.to_string()))?;
    if let Some(why) = history.complaint() {
        eprintln!("runs that wait here are not in the history yet: {why}");
    }
    Ok(history)
}

/// `--output`.
pub(super) fn output() -> Arg {
    text("output", "filename", "Write to this file instead of stdout").short('o')
}

/// What `--expect` says.
pub(super) fn expectations(matches: &ArgMatches) -> Result<Vec<Expectation>, Exit> {
    let texts = matches.get_many::<String>("expect").unwrap_or_default();
    texts
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|error: acrida_report::expect::InvalidExpectation| Exit::Usage(error.to_string()))
}

/// Writes a command's result where `--output` says.
pub(super) fn write(matches: &ArgMatches, text: &str) -> Result<(), Exit> {
    let (name, written) = match matches.get_one::<String>("output") {
        Some(path) => (path.as_str(), fs::write(path, text)),
        None => ("stdout", io::stdout().write_all(text.as_bytes())),
    };
    match written {
        // Whoever reads only the beginning has seen what they wanted.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Exit::Failed(format!("cannot write {name}: {error}")))
        }
        _ => Ok(()),
    }
}
