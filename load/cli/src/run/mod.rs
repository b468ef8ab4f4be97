//! One run: the engine decides, a [`Host`] executes users, and threads of their
//! own keep the books, print and write files.
//!
//! The console table, every CSV file and the exit code at the end come from one
//! final snapshot, so they agree to the last request.

mod abort;
mod autoquit;
mod chronicle;
mod collector;
mod console;
mod counter;
mod csv_files;
mod finish;
mod host;
pub(crate) mod keeper;
mod keys;
mod limits;
mod open;
mod own_page;
mod reports;
mod request_log;
mod signals;
mod stepper;
mod ticker;
mod web;
mod whole_file;

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use acrida_engine::{Command, Control, Runner, RunnerThread, Settings, Swarm, UserClass};
use acrida_web::{Page, Setup};
use log::{debug, info, warn};

pub use acrida_web::{Change, Extension, ExtraOption, Shape, UserChange};
pub use collector::Collector;
pub use counter::Counter;
pub use finish::RunEnd;
pub use host::{Host, LagReader};
pub use own_page::{Behind, OwnPage, PagePort};
pub use request_log::RequestLog;
pub use web::{ClassState, PageSetup};

use crate::exit::Exit;
use crate::flags::Value;
use crate::options::Options;
use crate::users::warn_about_fixed_counts;
use crate::watching::Watcher;
use abort::AbortWatch;
use chronicle::{Chronicle, Resources};
use console::Console;
pub(crate) use console::print_result;
use csv_files::CsvFiles;
use finish::{Finisher, Parts};
use keeper::Keeper;
use keys::Keys;
use reports::Reports;
use signals::SignalThread;
use stepper::{Stepper, Steps};
use ticker::Ticker;
use web::RunBehind;

/// How often a run says and writes how it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intervals {
    /// Between two tables on the console.
    pub console: Duration,
    /// Between two states of the CSV files.
    pub files: Duration,
}

impl Default for Intervals {
    /// Locust's.
    fn default() -> Self {
        Self {
            console: Duration::from_secs(2),
            files: Duration::from_secs(1),
        }
    }
}

/// How often the line of progress moves on, on a terminal.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// How often the web page moves on.
const PAGE_INTERVAL: Duration = Duration::from_secs(1);

/// How often the service and this process are looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// How often it is looked at whether a step is steady.
const STEP_INTERVAL: Duration = Duration::from_secs(1);

/// What a run starts from.
#[derive(Debug)]
pub struct RunSetup {
    /// The settings.
    pub options: Options,
    /// The user classes to start users of; [`acrida_engine::ClassId`] counts them.
    pub classes: Vec<UserClass>,
    /// Where samples gather.
    pub collector: Arc<Collector>,
    /// `--csv-requests`; whoever records writes to it, the run keeps it up to date.
    pub request_log: Option<RequestLog>,
    /// Whether the test begins at once; if not, the host sends the first swarm.
    pub starts_by_itself: bool,
    /// The percentiles of tables and files, as fractions, Locust's
    /// `PERCENTILES_TO_REPORT`.
    pub percentiles: Vec<f64>,
    /// When tables are printed and files written.
    pub intervals: Intervals,
    /// How long a request in flight is awaited at the end.
    pub request_grace: Duration,
    /// The web page, which a run has that is not headless.
    pub page: PageSetup,
}

/// A run under way.
///
/// Whoever holds it executes the host's actions until [`acrida_engine::Action::Quit`], and then
/// calls [`Run::finish`].
#[derive(Debug)]
pub struct Run {
    control: Control,
    collector: Arc<Collector>,
    engine: RunnerThread,
    tickers: Vec<Ticker>,
    signals: SignalThread,
    keys: Option<Keys>,
    finisher: Arc<Finisher>,
    page: Option<Arc<Page>>,
}

impl Run {
    /// Checks what can be checked, opens the files, and starts the test.
    ///
    /// SIGINT and SIGTERM are taken over: the first one ends the run in order,
    /// the second one at once, both with every file complete. A handler that was
    /// installed before is called too, so Python's for SIGINT has to be removed
    /// before.
    ///
    /// # Errors
    ///
    /// [`Exit::Failed`] if a file cannot be written or the system refuses a
    /// thread; nothing has been started then that goes on.
    pub fn start(setup: RunSetup, host: &Arc<dyn Host>) -> Result<Self, Exit> {
        limits::raise_file_limit();
        let headless = setup.options.headless;
        if setup.options.stepped.is_some() && !setup.starts_by_itself {
            let text = "the locustfile has a load shape, which decides about users: leave it out for steps";
            return Err(Exit::Usage(text.to_owned()));
        }
        open::check(&setup.options, !setup.starts_by_itself)?;
        let port = (!headless).then(|| web::bind(&setup.options)).transpose()?;
        let files = open_files(&setup)?;
        let reports = Reports::prepare(&setup.options.reports)?;
        let keeper = Keeper::new(&setup.options)?;
        let watcher = watcher(&setup.options, host)?;
        Self::launch(setup, (files, reports, keeper, watcher), port, host)
            .map_err(|error| Exit::Failed(format!("the system refuses to start the run: {error}")))
    }

    fn launch(
        setup: RunSetup,
        (csv, reports, keeper, watcher): (Option<CsvFiles>, Reports, Keeper, Watcher),
        port: Option<Setup>,
        host: &Arc<dyn Host>,
    ) -> io::Result<Self> {
        if setup.starts_by_itself {
            warn_about_fixed_counts(&setup.classes, &setup.options);
        }
        warn_about_processes(&setup.options);
        let settings = Settings {
            stop_timeout: setup.options.stop_timeout,
            request_grace: setup.request_grace,
            reset_stats: setup.options.reset_stats,
            outlives_tests: port.is_some(),
        };
        let options = setup.options;
        let collector = setup.collector;
        let runner = Runner::new(setup.classes, settings).with_arrivals(open::plan(&options));
        let engine = start_engine(runner, &collector, Arc::clone(host))?;
        let control = engine.control.clone();
        collector.watch(control.clone());
        let steps = options.stepped.as_ref().map(Steps::new);
        let chronicle = Chronicle::new(setup.page.locustfile.clone(), &options, Arc::clone(host));
        let resources = chronicle.resources();
        let finisher = Arc::new(Finisher::new(Parts {
            collector: Arc::clone(&collector),
            csv,
            requests: setup.request_log,
            reports,
            chronicle,
            keeper,
            steps: steps.clone(),
            abort: AbortWatch::new(options.reports.abort_on.clone()),
            console: Console::new(&options, setup.percentiles.clone()),
            expectations: options.reports.expectations.clone(),
            exit_code_on_error: options.exit_code_on_error,
            is_trial: options.checks,
            outlives_tests: port.is_some(),
        }));
        let signals =
            SignalThread::start(control.clone(), Arc::clone(&finisher), Arc::clone(host))?;
        let on_abort = if port.is_some() {
            Command::Stop
        } else {
            Command::Quit
        };
        let mut tickers = start_tickers(&finisher, setup.intervals, &control, on_abort)?;
        if !watcher.is_idle() && !options.checks {
            tickers.push(start_watching(watcher, resources)?);
        }
        let page = match port {
            Some(port) => {
                let run = RunBehind::new(control.clone(), Arc::clone(&collector), Arc::clone(host));
                let page = web::serve(port, setup.page, &options, &setup.percentiles, run)
                    .map_err(io::Error::other)?;
                let page = Arc::new(page);
                if options.web.class_picker {
                    debug!(target: "locust.main", "Locust is running with the UserClass Picker Enabled");
                }
                let beaten = Arc::clone(&page);
                tickers.push(Ticker::start("acrida-page", PAGE_INTERVAL, move || {
                    beaten.beat()
                })?);
                if let Some(after) = options.web.autoquit {
                    tickers.push(autoquit::start(&control, after)?);
                }
                Some(page)
            }
            None => None,
        };
        if let Some(steps) = steps {
            narrate_time_limit(&options);
            let stepper = Stepper::new(steps, control.clone(), Arc::clone(&collector), &options);
            tickers.push(start_stepping(stepper, &options)?);
        } else if setup.starts_by_itself && (page.is_none() || options.web.autostart) {
            narrate_time_limit(&options);
            open::narrate(&options);
            begin(&control, &options);
        }
        let keys = Keys::start(&control, &options, page.as_deref(), host)?;
        Ok(Self {
            control,
            collector,
            engine,
            tickers,
            signals,
            keys,
            finisher,
            page,
        })
    }

    /// Takes commands, and answers of the host.
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The statistics so far, and where exceptions are recorded.
    pub fn collector(&self) -> &Arc<Collector> {
        &self.collector
    }

    /// Writes every report, from one last snapshot, and gives the exit code.
    /// To be called after [`acrida_engine::Action::Quit`], once nothing is in flight any more.
    pub fn finish(self, ending: RunEnd) -> i32 {
        // The files first: a console that does not take its output holds up
        // only what comes after them.
        let code = self.finisher.close(ending);
        if let Some(keys) = self.keys {
            keys.stop();
        }
        for ticker in self.tickers {
            ticker.stop();
        }
        // The ticker was the only other one who held it.
        if let Some(page) = self.page.and_then(Arc::into_inner) {
            page.stop();
        }
        self.finisher.print_summary();
        self.signals.stop();
        // The engine ends with `Action::Quit`; a host that gave up before has
        // nobody left to wait for. A panic in its thread was printed when it happened.
        self.control.send(Command::Abort);
        let _ = self.engine.thread.join();
        code
    }
}

fn open_files(setup: &RunSetup) -> Result<Option<CsvFiles>, Exit> {
    let Some(prefix) = &setup.options.csv_prefix else {
        return Ok(None);
    };
    let full_history = setup.options.csv_full_history;
    CsvFiles::create(prefix, &setup.percentiles, full_history).map(Some)
}

fn start_engine(
    runner: Runner,
    collector: &Arc<Collector>,
    host: Arc<dyn Host>,
) -> io::Result<RunnerThread> {
    let collector = Arc::clone(collector);
    acrida_engine::start(runner, move |mut actions| {
        collector.execute(&mut actions);
        host.act(actions);
    })
}

/// `on_abort` is what `--abort-on` does.
fn start_tickers(
    finisher: &Arc<Finisher>,
    intervals: Intervals,
    control: &Control,
    on_abort: Command,
) -> io::Result<Vec<Ticker>> {
    let mut tickers = Vec::new();
    let (writer, control) = (Arc::clone(finisher), control.clone());
    tickers.push(Ticker::start("acrida-files", intervals.files, move || {
        if writer.beat() {
            control.send(on_abort.clone());
        }
    })?);
    if finisher.console().is_live() {
        let printer = Arc::clone(finisher);
        tickers.push(Ticker::start(
            "acrida-console",
            intervals.console,
            move || printer.print_table(),
        )?);
    }
    if finisher.console().has_progress() {
        let printer = Arc::clone(finisher);
        tickers.push(Ticker::start(
            "acrida-progress",
            PROGRESS_INTERVAL,
            move || printer.print_progress(),
        )?);
    }
    Ok(tickers)
}

fn start_stepping(mut stepper: Stepper, options: &Options) -> io::Result<Ticker> {
    stepper.begin(options);
    Ticker::start("acrida-steps", STEP_INTERVAL, move || stepper.beat())
}

fn watcher(options: &Options, host: &Arc<dyn Host>) -> Result<Watcher, Exit> {
    let (named, load) = (options.host.clone(), Arc::clone(host));
    let target = move || chronicle::target(named.as_ref(), &*load);
    let host = Arc::clone(host);
    let lag = move || host.loop_lag(LagReader::Report);
    Watcher::new(&options.reports.watch, Box::new(target), Box::new(lag))
}

fn start_watching(mut watcher: Watcher, resources: Resources) -> io::Result<Ticker> {
    Ticker::start("acrida-watch", WATCH_INTERVAL, move || {
        let readings = watcher.look();
        let mut log = resources.lock().unwrap_or_else(PoisonError::into_inner);
        log.observe(readings);
    })
}

/// `--processes` of Locust, which needs several to use several cores.
fn warn_about_processes(options: &Options) {
    let asked = options.all.iter().find(|(name, _)| name == "processes");
    if let Some((_, Value::Int(processes))) = asked {
        warn!(
            target: "locust.main",
            "--processes {processes} starts no further processes: users share this one, whose connections have \
             threads of their own. If the interpreter limits the load, the run says so"
        );
    }
}

fn narrate_time_limit(options: &Options) {
    match options.run_time {
        Some(limit) => {
            info!(target: "locust.main", "Run time limit set to {} seconds", limit.as_secs());
        }
        None => info!(target: "locust.main", "No run time limit set, use CTRL+C to interrupt"),
    }
}

/// Gives the engine its first command, with Locust's defaults for a headless run.
fn begin(control: &Control, options: &Options) {
    control.send(Command::Swarm(Swarm {
        users: options.users.unwrap_or(1),
        spawn_rate: options
            .spawn_rate
            .unwrap_or_else(|| open::spawn_rate(options)),
        run_time: options.run_time,
        classes: None,
    }));
}
