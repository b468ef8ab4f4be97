//! `acrida schedule`: daily runs, with their results in folders of their own.
//!
//! The runs are other processes of the same program, one after the other, so that one that
//! fails takes nothing with it.

mod plan;
mod webhook;

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use jiff::ZonedDateTime;
use jiff::civil::Time;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::arguments;
use crate::exit::{Exit, SUCCESS};
use webhook::Webhook;

const ABOUT: &str = "Makes a run a day, with its CSV files and its HTML report in a folder that is called after its begin, and \
    keeps the newest ones. One that was missed while the machine was off is made at the start. What follows '--' are the \
    flags of the run; --baseline last-if-any among them makes each its own gate.";

/// How often it is looked at what time it is.
const SLICE: Duration = Duration::from_secs(1);

/// Runs the command.
pub(super) fn run(program: &str, args: &[String]) -> Result<i32, Exit> {
    let flags = vec![
        arguments::text("at", "HH:MM", "When, by the clock of this machine").default_value("02:00"),
        arguments::text("results", "folder", "Where the folders of the runs are")
            .default_value("logs/locust_results"),
        arguments::text("keep", "number", "How many folders stay, the newest ones")
            .value_parser(value_parser!(u32).range(1..))
            .default_value("30"),
        arguments::text(
            "runs",
            "number",
            "End after so many runs; without it, never",
        )
        .value_parser(value_parser!(u32).range(1..)),
        Arg::new("now")
            .long("now")
            .action(ArgAction::SetTrue)
            .help("Make the first run at once"),
        arguments::text(
            "hook",
            "command",
            "Run this by sh after a run whose exit code, in ACRIDA_EXIT_CODE, is not 0; ACRIDA_RESULTS is its folder",
        ),
        arguments::text(
            "webhook",
            "URL",
            "Post a JSON text about such a run to this URL; tried three times, ten seconds each",
        ),
        Arg::new("run")
            .value_name("FLAGS")
            .num_args(0..)
            .last(true)
            .help("The flags of the run, behind '--'"),
    ];
    let matches = arguments::parse(arguments::command(program, ABOUT, flags), args)?;
    let schedule = Schedule::of(&matches, args.len())?;
    let _lock = schedule.lock()?;
    schedule.follow(&matches)
}

struct Schedule {
    at: Time,
    results: PathBuf,
    keep: usize,
    hook: Option<String>,
    webhook: Option<Webhook>,
    /// The program, with the flags of a run.
    command: Vec<OsString>,
    ended: Arc<AtomicBool>,
}

impl Schedule {
    /// `args` is how many words follow the command's.
    fn of(matches: &ArgMatches, args: usize) -> Result<Self, Exit> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let at = text("at").unwrap_or_default();
        let at = at.parse().map_err(|_| {
            Exit::Usage(format!(
                "argument --at: '{at}' is no time of day like 02:00"
            ))
        })?;
        let all: Vec<OsString> = std::env::args_os().collect();
        // What stands before our words is the program, an interpreter's as well.
        let mut command = all[..all.len().saturating_sub(args + 1)].to_vec();
        let flags = matches.get_many::<String>("run").unwrap_or_default();
        command.extend(flags.map(OsString::from));
        Ok(Self {
            at,
            results: text("results").unwrap_or_default().into(),
            keep: matches
                .get_one::<u32>("keep")
                .map_or(1, |keep| *keep as usize),
            hook: text("hook"),
            webhook: text("webhook").map(|url| Webhook::new(&url)).transpose()?,
            command,
            ended: Arc::default(),
        })
    }

    /// Keeps two schedules from using the same folder.
    fn lock(&self) -> Result<File, Exit> {
        let failed = |error: &dyn std::fmt::Display| {
            Exit::Failed(format!("cannot use {}: {error}", self.results.display()))
        };
        fs::create_dir_all(&self.results).map_err(|error| failed(&error))?;
        let file =
            File::create(self.results.join(".acrida-schedule")).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(failed(&"another schedule does")),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    fn follow(&self, matches: &ArgMatches) -> Result<i32, Exit> {
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&self.ended))
                .map_err(|error| Exit::Failed(format!("cannot listen to signals: {error}")))?;
        }
        let runs = matches.get_one::<u32>("runs").copied();
        let missed = plan::is_missed(&self.names()?, &ZonedDateTime::now(), self.at);
        let mut at_once = matches.get_flag("now") || missed;
        let mut last = SUCCESS;
        for _ in 0..runs.unwrap_or(u32::MAX) {
            if !at_once && !self.wait()? {
                return Ok(last);
            }
            at_once = false;
            last = self.make_run()?;
            self.forget_old()?;
            if self.ended.load(Ordering::Relaxed) {
                return Ok(last);
            }
        }
        Ok(last)
    }

    /// Until a run is due; false if the schedule is to end. The clock is looked at again
    /// and again, because it may be set, or the machine may sleep.
    fn wait(&self) -> Result<bool, Exit> {
        let due = plan::next_due(&ZonedDateTime::now(), self.at);
        let due = due.ok_or_else(|| Exit::Failed("the calendar ends".to_owned()))?;
        eprintln!(
            "The next run is at {}",
            due.strftime("%Y-%m-%d %H:%M:%S %Z")
        );
        while ZonedDateTime::now() < due {
            if self.ended.load(Ordering::Relaxed) {
                return Ok(false);
            }
            std::thread::sleep(SLICE);
        }
        Ok(true)
    }

    fn make_run(&self) -> Result<i32, Exit> {
        let folder = self.results.join(plan::stamp(&ZonedDateTime::now()));
        let [program, flags @ ..] = &self.command[..] else {
            return Err(Exit::Failed(
                "this system does not tell how the program was called".to_owned(),
            ));
        };
        let status = Command::new(program)
            .args(flags)
            .arg("--headless")
            .arg("--csv")
            .arg(folder.join("test"))
            .arg("--html")
            .arg(folder.join("report.html"))
            .status();
        let status =
            status.map_err(|error| Exit::Failed(format!("cannot start a run: {error}")))?;
        // Ended by a signal: as a shell tells it, roughly.
        let code = status.code().unwrap_or(128);
        eprintln!("Test completed with exit code {code}: {}", folder.display());
        if code != SUCCESS {
            self.call_hook(code, &folder);
            let told = self
                .webhook
                .as_ref()
                .map(|webhook| webhook.tell(code, &folder));
            if let Some(Err(why)) = told {
                eprintln!("{why}");
            }
        }
        Ok(code)
    }

    /// A hook that fails does not end the schedule.
    fn call_hook(&self, code: i32, folder: &Path) {
        let Some(hook) = &self.hook else { return };
        let called = Command::new("sh")
            .arg("-c")
            .arg(hook)
            .env("ACRIDA_EXIT_CODE", code.to_string())
            .env("ACRIDA_RESULTS", folder)
            .status();
        match called {
            Ok(status) if status.success() => {}
            Ok(status) => eprintln!("The hook has failed: {status}"),
            Err(error) => eprintln!("The hook cannot be run: {error}"),
        }
    }

    fn forget_old(&self) -> Result<(), Exit> {
        for name in plan::surplus(&self.names()?, self.keep) {
            let folder = self.results.join(name);
            if let Err(error) = fs::remove_dir_all(&folder) {
                eprintln!("Cannot remove {}: {error}", folder.display());
            }
        }
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>, Exit> {
        let unreadable =
            |error| Exit::Failed(format!("cannot read {}: {error}", self.results.display()));
        let entries = fs::read_dir(&self.results).map_err(unreadable)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.collect())
    }
}
