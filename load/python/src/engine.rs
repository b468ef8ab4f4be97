//! What Python's side of a run calls.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use acrida_cli::run::{ClassState, Host};
use acrida_engine::{Action, ClassId, Command, Control, Runner, SpawnRate, Swarm, UserId};
use acrida_http::{Client, Headers, Limits, Settings, Targets, Tls, TlsChoice, TlsError};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::actions::{Actions, Call, call_of};
use crate::arrivals::{Arrival, Due, Pool};
use crate::exchange::Exchange;
use crate::host::PythonHost;
use crate::ledger::Ledger;
use crate::loader::{described, share};
use crate::loop_watch::LoopWatch;
use crate::published::Published;
use crate::session::Session;
use crate::waiters::{Waiter, Waiters};

/// Different settings of TLS that are kept loaded; all are forgotten when there are more.
const TLS_MAX: usize = 100;

/// How long requests that are in flight are awaited at the end of their users.
pub(crate) const REQUEST_GRACE: Duration = Duration::from_secs(5);

/// The native side of a run.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Engine {
    client: Arc<Client>,
    actions: Arc<Actions>,
    published: Arc<Published>,
    loop_watch: Arc<LoopWatch>,
    waiters: Waiters,
    pool: Pool,
    ledger: Py<Ledger>,
    default_headers: Headers,
    tls: Mutex<HashMap<TlsChoice, Tls>>,
    pub(crate) targets: Targets,
    /// Whom to tell what a locustfile wants; nobody before a run has started.
    control: Mutex<Option<Control>>,
    event_loop: OnceLock<EventLoop>,
    /// Whether `flush` is going to be called.
    flush_is_due: AtomicBool,
}

/// The event loop that users run in.
struct EventLoop {
    thread: ThreadId,
    /// Its `run_callback`, and the `flush` to be called.
    run_callback: Py<PyAny>,
    flush: Py<PyAny>,
}

impl Engine {
    /// Starts I/O threads, which count in `ledger`; `time_field` as in
    /// [`acrida_http::Settings`].
    pub(crate) fn start(
        ledger: &Bound<'_, Ledger>,
        time_field: Option<String>,
    ) -> io::Result<Self> {
        let client = Client::start(Settings {
            observers: ledger.get().observers(),
            limits: Limits::default(),
            time_field,
        })?;
        Ok(Self {
            client,
            ledger: ledger.clone().unbind(),
            actions: Arc::default(),
            published: Arc::default(),
            loop_watch: Arc::default(),
            waiters: Waiters::default(),
            pool: Pool::default(),
            default_headers: Headers::new(Headers::default_fields())
                .expect("the defaults are valid"),
            tls: Mutex::default(),
            targets: Targets::default(),
            control: Mutex::default(),
            event_loop: OnceLock::new(),
            flush_is_due: AtomicBool::new(false),
        })
    }

    /// Whom the engine that decides tells what to do.
    pub(crate) fn host(&self) -> Arc<dyn Host> {
        Arc::new(PythonHost {
            actions: Arc::clone(&self.actions),
            client: Arc::clone(&self.client),
            published: Arc::clone(&self.published),
            loop_watch: Arc::clone(&self.loop_watch),
        })
    }

    /// From now on `control` is told what a locustfile wants.
    pub(crate) fn set_control(&self, control: Control) {
        *self.lock_control() = Some(control);
    }

    /// Who decides, once somebody does.
    pub(crate) fn control(&self) -> Option<Control> {
        self.lock_control().clone()
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        self.ledger.get()
    }

    fn lock_control(&self) -> MutexGuard<'_, Option<Control>> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn default_headers(&self) -> Headers {
        self.default_headers.clone()
    }

    pub(crate) fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    pub(crate) fn is_in_loop_thread(&self) -> bool {
        let thread = std::thread::current().id();
        self.event_loop
            .get()
            .is_some_and(|event_loop| event_loop.thread == thread)
    }

    /// Wakes the I/O threads once the event loop has run who is ready to run, so that
    /// one wake-up serves many users.
    pub(crate) fn wake_soon(&self, py: Python<'_>) -> PyResult<()> {
        if self.flush_is_due.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(event_loop) = self.event_loop.get() {
            event_loop.run_callback.call1(py, (&event_loop.flush,))?;
        }
        Ok(())
    }

    /// The settings of TLS for `choice`, loaded once.
    pub(crate) fn tls(&self, choice: TlsChoice) -> Result<Tls, TlsError> {
        let mut loaded = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tls) = loaded.get(&choice) {
            return Ok(tls.clone());
        }
        let tls = Tls::load(&choice)?;
        if loaded.len() >= TLS_MAX {
            loaded.clear();
        }
        loaded.insert(choice, tls.clone());
        Ok(tls)
    }

    /// Counts what is finished and nobody will look at any more.
    pub(crate) fn count_the_rest(&self) {
        for finished in self.client.outbox().take() {
            drop(self.waiters.take(finished.ticket()));
            drop(Exchange::new(
                finished,
                Arc::clone(self.ledger.get().counter()),
            ));
        }
    }

    fn send(&self, command: Command) {
        if let Some(control) = &*self.lock_control() {
            control.send(command);
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.client.close();
    }
}

#[pymethods]
impl Engine {
    /// Starts I/O threads, which count in `ledger`; OSError if the system refuses them.
    #[new]
    fn new(ledger: &Bound<'_, Ledger>) -> PyResult<Self> {
        Self::start(ledger, None).map_err(PyOSError::new_err)
    }

    /// How long an end waits for requests under way, in seconds.
    #[classattr]
    const REQUEST_GRACE_S: f64 = REQUEST_GRACE.as_secs_f64();

    /// How many requests are under way, those of users that have ended among them.
    fn in_flight(&self) -> u64 {
        self.client.outbox().in_flight()
    }

    /// Decides who runs when, for a program that uses users as a library. `classes` are
    /// the user classes, `stop_timeout` is in seconds; they hold from the next test on.
    fn start_runner(
        &self,
        classes: Vec<Bound<'_, PyAny>>,
        stop_timeout: f64,
        reset_stats: bool,
    ) -> PyResult<()> {
        let classes: PyResult<Vec<_>> = classes.iter().map(described).collect();
        let settings = acrida_engine::Settings {
            stop_timeout: Duration::try_from_secs_f64(stop_timeout).unwrap_or_default(),
            request_grace: REQUEST_GRACE,
            reset_stats,
            outlives_tests: true,
        };
        let mut control = self.lock_control();
        if let Some(control) = &*control {
            let classes = classes?;
            control.send(Command::Configure { classes, settings });
            return Ok(());
        }
        let collector = Arc::clone(self.ledger.get().collector());
        let host = self.host();
        let act = {
            let collector = Arc::clone(&collector);
            move |mut actions| {
                collector.execute(&mut actions);
                // The program goes on.
                actions.retain(|action| *action != Action::Quit);
                host.act(actions);
            }
        };
        let started = acrida_engine::start(Runner::new(classes?, settings), act)?;
        collector.watch(started.control.clone());
        *control = Some(started.control);
        Ok(())
    }

    /// Names the event loop: called in its thread, with its `run_callback`.
    fn attach(slf: &Bound<'_, Self>, run_callback: Py<PyAny>) -> PyResult<()> {
        let event_loop = EventLoop {
            thread: std::thread::current().id(),
            run_callback,
            flush: slf.getattr("flush")?.unbind(),
        };
        // An engine has one event loop, which is named once.
        let _ = slf.get().event_loop.set(event_loop);
        Ok(())
    }

    /// Becomes readable when `drain` has something to give.
    fn fd(&self) -> i32 {
        self.client.outbox().fd()
    }

    /// Who goes on: pairs of a greenlet and what it is switched to with. Calls `act` with
    /// each action. `flush` has to follow once they have run.
    fn drain<'py>(&self, py: Python<'py>, act: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        self.flush_is_due.store(true, Ordering::Relaxed);
        let ready = PyList::empty(py);
        for finished in self.client.outbox().take() {
            let ticket = finished.ticket();
            let exchange = Exchange::new(finished, Arc::clone(self.ledger.get().counter()));
            match self.waiters.take(ticket) {
                Waiter::Greenlet(greenlet) => ready.append((greenlet, exchange))?,
                Waiter::Thread(handover) => handover.give(exchange),
                Waiter::Nobody => {}
            }
        }
        for ticket in self.client.outbox().take_pieces() {
            if let Waiter::Greenlet(greenlet) = self.waiters.take(ticket) {
                ready.append((greenlet, py.None()))?;
            }
        }
        for call in self.actions.take() {
            if let Call::Action(Action::Arrive { user, due }) = call {
                match self.pool.take(user.0) {
                    Some(greenlet) => ready.append((greenlet, Due(due)))?,
                    // It has ended meanwhile.
                    None => self.ledger.get().counter().lane.record_dropped(1),
                }
            } else if let Some(call) = call_of(py, call)? {
                act.call1((call,))?;
            }
        }
        Ok(ready)
    }

    /// Lets the I/O threads look at what was submitted.
    fn flush(&self) {
        self.flush_is_due.store(false, Ordering::Relaxed);
        self.client.wake();
    }

    /// A timer of the event loop has fired so many seconds after it was due, and fires
    /// again in `interval` seconds.
    fn loop_looked(&self, late: f64, interval: f64) {
        let seconds = |value| Duration::try_from_secs_f64(value).unwrap_or_default();
        let due = Instant::now() + seconds(interval);
        self.loop_watch.looked(seconds(late), due);
    }

    /// Tells the web page what the user classes are like now.
    fn publish(&self, classes: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let state = |class: &Bound<'_, PyAny>| {
            Ok(ClassState {
                tasks: share(class)?,
                task_names: class
                    .getattr("tasks")?
                    .try_iter()?
                    .map(|task| task?.getattr("__name__")?.extract())
                    .collect::<PyResult<_>>()?,
                host: class.getattr("host")?.extract()?,
            })
        };
        let states: PyResult<Vec<_>> = classes.iter().map(state).collect();
        self.published.set(states?);
        Ok(())
    }

    /// A new session, for one user. Those with the same number of a `pool` share their
    /// connections.
    #[pyo3(signature = (pool=None))]
    fn session(slf: &Bound<'_, Self>, pool: Option<u64>) -> Session {
        let engine = slf.get();
        let headers = engine.default_headers.clone();
        let session = match pool {
            Some(pool) => engine.client.session_in(pool),
            None => engine.client.session(),
        };
        Session::new(slf.clone().unbind(), session, headers)
    }

    /// Where the run stands, in Locust's word.
    fn state(&self) -> &'static str {
        match &*self.lock_control() {
            Some(control) => control.state().name(),
            None => acrida_engine::RunState::Ready.name(),
        }
    }

    /// Users that were asked for last.
    fn users_wanted(&self) -> u64 {
        self.control().map_or(0, |control| control.users_wanted())
    }

    /// Starts a run, or changes the number of users of one; `run_time` is in seconds,
    /// `classes` are the numbers of the classes to add users of, None leaves them.
    #[pyo3(signature = (users, spawn_rate, run_time, classes))]
    fn swarm(
        &self,
        users: u64,
        spawn_rate: f64,
        run_time: Option<f64>,
        classes: Option<Vec<usize>>,
    ) -> PyResult<()> {
        let spawn_rate = SpawnRate::try_from(spawn_rate)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.send(Command::Swarm(Swarm {
            users,
            spawn_rate,
            run_time: run_time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            classes: classes.map(|classes| classes.into_iter().map(ClassId).collect()),
        }));
        Ok(())
    }

    /// Ends the run; the program goes on.
    fn stop(&self) {
        self.send(Command::Stop);
    }

    /// Ends the run, then the program.
    fn quit(&self) {
        self.send(Command::Quit);
    }

    /// `test_start` listeners have been told.
    fn test_started(&self) {
        self.send(Command::TestStarted);
    }

    /// A user has started.
    fn user_started(&self, user: u64) {
        self.send(Command::UserStarted(UserId(user)));
    }

    /// A user has nothing to do: its `greenlet` is switched to with its next arrival.
    fn join_pool(&self, user: u64, greenlet: Py<PyAny>) {
        self.pool.join(user, greenlet);
        self.send(Command::UserFree(UserId(user)));
    }

    /// A user does not wait for an arrival any more.
    fn leave_pool(&self, user: u64) {
        drop(self.pool.take(user));
    }

    /// Counts what `join_pool` has brought, and begins it.
    fn begin(&self, due: &Due) -> Arrival {
        let arrival = Arrival::begun(due.0);
        let counter = self.ledger.get().counter();
        counter.lane.record_begun(arrival.late_us());
        arrival
    }

    /// A user has ended, or could not be started.
    fn user_stopped(&self, user: u64) {
        self.send(Command::UserStopped(UserId(user)));
    }
}

/// Shows a log line of Python's side on the web page.
#[pyfunction]
pub(crate) fn remember_log_line(line: &str) {
    acrida_cli::logging::remember(line);
}
