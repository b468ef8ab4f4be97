//! `acrida schedule`: daily runs, with their results in folders of their own.
//!
//! The runs are other processes of the same program, one after the other, so that one that
//! fails takes nothing with it, and none disturbs what another measures.

mod calendar;
mod plan;
mod results;
mod webhook;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use jiff::ZonedDateTime;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::arguments;
use crate::config;
use crate::exit::{Exit, SUCCESS};
use calendar::Times;
use plan::{AT, KEEP, Plan, RESULTS, Run};
use results::{Results, stamp};
use webhook::Webhook;

const ABOUT: &str = "Makes a run a day, with its CSV files and its HTML report in a folder that is called after its begin, and \
    keeps the newest ones. One that was missed while the machine was off is made at the start. What follows '--' are the \
    flags of the run; --baseline last-if-any among them makes each its own gate. With --plan, a file tells of several runs, \
    each with its own times and flags.";

/// How often it is looked at what time it is.
const SLICE: Duration = Duration::from_secs(1);
/// How often it is looked whether a run has ended.
const MOMENT: Duration = Duration::from_millis(100);

/// Runs the command.
pub(super) fn run(program: &str, args: &[String]) -> Result<i32, Exit> {
    let matches = arguments::parse(arguments::command(program, ABOUT, flags()), args)?;
    let mut schedule = Schedule::of(&matches, args.len())?;
    if matches.get_flag("now") {
        schedule.make_due();
    }
    schedule.follow(matches.get_one::<u32>("runs").copied())
}

fn flags() -> Vec<Arg> {
    let of_one = [
        arguments::text("at", "HH:MM", "When, by the clock of this machine").default_value(AT),
        arguments::text("results", "folder", "Where the folders of the runs are")
            .default_value(RESULTS),
        arguments::text("keep", "number", "How many folders stay, the newest ones")
            .value_parser(value_parser!(u32).range(1..))
            .default_value(KEEP.to_string()),
        arguments::text(
            "hook",
            "command",
            "Run this by sh after a run whose exit code, in ACRIDA_EXIT_CODE, is not 0; ACRIDA_RESULTS is its folder, ACRIDA_RUN its name in the plan",
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
    let names: Vec<_> = of_one.iter().map(|flag| flag.get_id().clone()).collect();
    let mut flags = vec![
        arguments::text(
            "plan",
            "file",
            "A TOML file with several runs, in place of the flags below that describe one",
        )
        .conflicts_with_all(names),
        arguments::text(
            "runs",
            "number",
            "End after so many runs; without it, never",
        )
        .value_parser(value_parser!(u32).range(1..)),
        Arg::new("now")
            .long("now")
            .action(ArgAction::SetTrue)
            .help("Make the first run at once; with a plan, the first of each"),
    ];
    flags.extend(of_one);
    flags
}

/// What is to be run, by `--plan` or else by the flags that describe one run.
fn plan_of(matches: &ArgMatches) -> Result<Plan, Exit> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    if let Some(file) = text("plan") {
        let text = config::read(Path::new(&file))
            .map_err(|error| Exit::Usage(format!("cannot read the plan {file}: {error}")))?;
        return Plan::parse(&text).map_err(|why| Exit::Usage(format!("{file}: {why}")));
    }
    let at = plan::time_of_day(&text("at").unwrap_or_default());
    let at = at.map_err(|why| Exit::Usage(format!("argument --at: {why}")))?;
    let flags = matches.get_many::<String>("run").unwrap_or_default();
    let run = Run {
        name: None,
        times: Times {
            at: vec![at],
            days: Vec::new(),
        },
        results: text("results").unwrap_or_default().into(),
        keep: matches
            .get_one::<u32>("keep")
            .map_or(1, |keep| *keep as usize),
        flags: flags.cloned().collect(),
    };
    Ok(Plan {
        hook: text("hook"),
        webhook: text("webhook"),
        runs: vec![run],
    })
}

struct Schedule {
    series: Vec<Series>,
    hook: Option<String>,
    webhook: Option<Webhook>,
    /// How this program was called.
    program: Vec<OsString>,
    signals: Signals,
    /// Whether a signal has come.
    ended: bool,
}

/// One run of the plan, and what became of it.
struct Series {
    run: Run,
    results: Results,
    /// The stamp of the last time, or of the schedule's begin if there was none; none to make
    /// it at once.
    begun: Option<String>,
    /// The exit code of the last time.
    code: i32,
}

impl Series {
    fn of(run: Run) -> Result<Self, Exit> {
        let results = Results::open(&run.results)?;
        let begun = results.newest()?;
        Ok(Self {
            run,
            results,
            begun: begun.or_else(|| Some(stamp(&ZonedDateTime::now()))),
            code: SUCCESS,
        })
    }
}

impl Schedule {
    /// `args` is how many words follow the command's.
    fn of(matches: &ArgMatches, args: usize) -> Result<Self, Exit> {
        let plan = plan_of(matches)?;
        let place = matches.get_one::<String>("plan");
        let place = place.map_or("argument --webhook".to_owned(), |file| {
            format!("{file}: webhook")
        });
        let webhook = plan.webhook.map(|url| Webhook::new(&url)).transpose();
        let all: Vec<OsString> = std::env::args_os().collect();
        // What stands before our words is the program, an interpreter's as well.
        let program = all[..all.len().saturating_sub(args + 1)].to_vec();
        Ok(Self {
            webhook: webhook.map_err(|why| Exit::Usage(format!("{place}: {why}")))?,
            hook: plan.hook,
            series: plan
                .runs
                .into_iter()
                .map(Series::of)
                .collect::<Result<_, _>>()?,
            program,
            signals: Signals::new([SIGINT, SIGTERM])
                .map_err(|error| Exit::Failed(format!("cannot listen to signals: {error}")))?,
            ended: false,
        })
    }

    /// Has each run be made at once.
    fn make_due(&mut self) {
        for series in &mut self.series {
            series.begun = None;
        }
    }

    /// Gives the exit code, which is that of the first run whose last time was not as it
    /// should be.
    fn follow(&mut self, runs: Option<u32>) -> Result<i32, Exit> {
        for _ in 0..runs.unwrap_or(u32::MAX) {
            let Some(index) = self.wait()? else { break };
            self.make_run(index)?;
            if self.ended {
                break;
            }
        }
        let mut codes = self.series.iter().map(|series| series.code);
        Ok(codes.find(|code| *code != SUCCESS).unwrap_or(SUCCESS))
    }

    /// Until a run is due, and which; none if the schedule is to end. The clock is looked at
    /// again and again, because it may be set, or the machine may sleep.
    fn wait(&mut self) -> Result<Option<usize>, Exit> {
        if let Some(index) = self.longest_due() {
            return Ok(Some(index));
        }
        eprintln!("{}", self.outlook()?);
        while self.new_signals().is_empty() {
            if let Some(index) = self.longest_due() {
                return Ok(Some(index));
            }
            std::thread::sleep(SLICE);
        }
        Ok(None)
    }

    fn new_signals(&mut self) -> Vec<i32> {
        let signals: Vec<_> = self.signals.pending().collect();
        self.ended |= !signals.is_empty();
        signals
    }

    fn longest_due(&self) -> Option<usize> {
        let now = ZonedDateTime::now();
        let due = |series: &Series| series.run.times.due(series.begun.as_deref(), &now);
        let waiting = self.series.iter().enumerate();
        let waiting = waiting.filter_map(|(index, series)| Some((due(series)?, index)));
        waiting.min().map(|(_, index)| index)
    }

    fn outlook(&self) -> Result<String, Exit> {
        let now = ZonedDateTime::now();
        let next = self
            .series
            .iter()
            .filter_map(|series| Some((series.run.times.next(&now)?, &series.run.name)));
        let (next, name) = next
            .min_by(|(a, _), (b, _)| a.cmp(b))
            .ok_or_else(|| Exit::Failed("the calendar ends".to_owned()))?;
        let next = next.strftime("%Y-%m-%d %H:%M:%S %Z");
        Ok(match name {
            Some(name) => format!("The next run is {name} at {next}"),
            None => format!("The next run is at {next}"),
        })
    }

    fn make_run(&mut self, index: usize) -> Result<(), Exit> {
        let series = &mut self.series[index];
        let begun = stamp(&ZonedDateTime::now());
        let folder = series.results.of(&begun);
        series.begun = Some(begun);
        let [program, before @ ..] = &self.program[..] else {
            return Err(Exit::Failed(
                "this system does not tell how the program was called".to_owned(),
            ));
        };
        // In a process group of its own, so that Ctrl-C does not reach it twice.
        let run = Command::new(program)
            .args(before)
            .args(&series.run.flags)
            .arg("--headless")
            .arg("--csv")
            .arg(folder.join("test"))
            .arg("--html")
            .arg(folder.join("report.html"))
            .stdin(Stdio::null())
            .process_group(0)
            .spawn();
        let status = run.and_then(|mut run| self.attend(&mut run));
        let status =
            status.map_err(|error| Exit::Failed(format!("cannot start a run: {error}")))?;
        let series = &mut self.series[index];
        // Ended by a signal: as a shell tells it, roughly.
        series.code = status.code().unwrap_or(128);
        series.results.forget_old(series.run.keep)?;
        let series = &self.series[index];
        let code = series.code;
        eprintln!("Test completed with exit code {code}: {}", folder.display());
        if code != SUCCESS {
            self.tell(series, &folder);
        }
        Ok(())
    }

    /// Until the run has ended. Signals are handed on: a run ends in order at the first, and
    /// at once at the second.
    fn attend(&mut self, run: &mut Child) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = run.try_wait()? {
                return Ok(status);
            }
            for signal in self.new_signals() {
                if let Some(signal) = Signal::from_named_raw(signal) {
                    // One that has just ended needs no signal.
                    let _ = kill_process(Pid::from_child(run), signal);
                }
            }
            std::thread::sleep(MOMENT);
        }
    }

    /// Of a run that was not as it should be; that this fails does not end the schedule.
    fn tell(&self, series: &Series, folder: &Path) {
        let name = series.run.name.as_deref();
        if let Some(hook) = &self.hook {
            let called = Command::new("sh")
                .arg("-c")
                .arg(hook)
                .env("ACRIDA_EXIT_CODE", series.code.to_string())
                .env("ACRIDA_RESULTS", folder)
                .env("ACRIDA_RUN", name.unwrap_or_default())
                .status();
            match called {
                Ok(status) if status.success() => {}
                Ok(status) => eprintln!("The hook has failed: {status}"),
                Err(error) => eprintln!("The hook cannot be run: {error}"),
            }
        }
        let told = self
            .webhook
            .as_ref()
            .map(|webhook| webhook.tell(name, series.code, folder));
        if let Some(Err(why)) = told {
            eprintln!("{why}");
        }
    }
}
