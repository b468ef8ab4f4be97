//! What the program does besides running a test: `acrida report`, …
//!
//! A command's word is one only as the very first word of the line, where Locust expects
//! flags; a user class of that name is asked for behind a flag or behind `--`.

mod arguments;
mod compare;
mod history;
mod report;
mod saved;
mod schedule;
mod trend;

use crate::exit::Exit;

/// A command's word, what it does in a line, and the command.
struct Entry {
    word: &'static str,
    about: &'static str,
    run: fn(&str, &[String]) -> Result<i32, Exit>,
}

const COMMANDS: &[Entry] = &[
    Entry {
        word: "report",
        about: "Print the report of a run, from its files or the history",
        run: report::run,
    },
    Entry {
        word: "history",
        about: "List the runs that were kept",
        run: history::run,
    },
    Entry {
        word: "compare",
        about: "Say whether two runs differ, and how certainly",
        run: compare::run,
    },
    Entry {
        word: "trend",
        about: "Say whether a scenario gets better or worse from run to run",
        run: trend::run,
    },
    Entry {
        word: "schedule",
        about: "Make a run a day, and keep the newest results",
        run: schedule::run,
    },
];

/// Commands that are runs, and take their flags.
const RUNS: [(&str, &str); 3] = [
    (
        "check",
        "Look whether everything is there for a test, and try it for a moment",
    ),
    (
        "scale",
        "Run with more and more users, and say how the service scales",
    ),
    (
        "stress",
        "Search for the most users that the service can sustain",
    ),
];

/// What stands above the help of `acrida check`.
pub(crate) fn about_check(program: &str) -> String {
    format!(
        "Usage: {program} check [flags of a run]\n\n\
         Looks whether the locustfile loads, the service is reached and well, results can be written and the system's\n\
         limits suffice, then lets a few users try their tasks for five seconds. Nothing is written. The exit code is 1\n\
         if something fails.\n\nThe flags of a run:"
    )
}

/// The command that the line begins with, to be run; `None` if it begins with none.
pub fn find<'a>(
    program: &'a str,
    args: &'a [String],
) -> Option<impl FnOnce() -> Result<i32, Exit> + Send + 'a> {
    let (word, args) = args.split_first()?;
    let entry = COMMANDS.iter().find(|entry| entry.word == word)?;
    Some(move || (entry.run)(&format!("{program} {word}"), args))
}

/// The commands, for the help text.
pub(crate) fn overview(program: &str) -> String {
    let others = COMMANDS.iter().map(|entry| (entry.word, entry.about));
    let lines = RUNS
        .into_iter()
        .chain(others)
        .map(|(word, about)| format!("    {program} {word:<10} {about}\n"));
    format!(
        "Commands (as the first word; each has its own --help):\n{}",
        lines.collect::<String>()
    )
}
