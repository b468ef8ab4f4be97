//! What Python's side of a run calls.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::ThreadId;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acrida_cli::run::{ClassState, Collector, Counter};
use acrida_engine::{Command, Control, SpawnRate, Swarm, UserId};
use acrida_http::{Client, Headers, Observer, Record, Tls, TlsChoice, TlsError};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::actions::{Actions, call_of};
use crate::exchange::{Exchange, micros};
use crate::loader::share;
use crate::published::Published;
use crate::session::Session;
use crate::statistics::Statistics;
use crate::waiters::{Waiter, Waiters};

/// Different settings of TLS that are kept loaded; all are forgotten when there are more.
const TLS_MAX: usize = 100;

/// The native side of a run.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Engine {
    client: Arc<Client>,
    actions: Arc<Actions>,
    published: Arc<Published>,
    waiters: Waiters,
    counter: Arc<Counter>,
    default_headers: Headers,
    tls: Mutex<HashMap<TlsChoice, Tls>>,
    /// Set once the run has started.
    run: OnceLock<(Control, Arc<Collector>)>,
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
    pub(crate) fn new(client: Arc<Client>, actions: Arc<Actions>, counter: Counter) -> Self {
        Self {
            client,
            actions,
            published: Arc::default(),
            waiters: Waiters::default(),
            counter: Arc::new(counter),
            default_headers: Headers::new(Headers::default_fields())
                .expect("the defaults are valid"),
            tls: Mutex::default(),
            run: OnceLock::new(),
            event_loop: OnceLock::new(),
            flush_is_due: AtomicBool::new(false),
        }
    }

    /// The run has started.
    pub(crate) fn set_run(&self, control: Control, collector: Arc<Collector>) {
        // An engine has one run, which calls this once.
        let _ = self.run.set((control, collector));
    }

    /// The user classes as Python last told of them.
    pub(crate) fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
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
            drop(self.waiters.take(finished.ticket));
            drop(Exchange::new(finished, Arc::clone(&self.counter)));
        }
    }

    fn send(&self, command: Command) {
        if let Some((control, _)) = self.run.get() {
            control.send(command);
        }
    }
}

#[pymethods]
impl Engine {
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

    /// What to do: pairs of what to call and with what. Finished requests first, then
    /// `act` with each action.
    fn drain<'py>(&self, py: Python<'py>, act: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let calls = PyList::empty(py);
        for finished in self.client.outbox().take() {
            let ticket = finished.ticket;
            let exchange = Exchange::new(finished, Arc::clone(&self.counter));
            match self.waiters.take(ticket) {
                Waiter::Greenlet(switch) => calls.append((switch, exchange))?,
                Waiter::Thread(handover) => handover.give(exchange),
                Waiter::Nobody => {}
            }
        }
        for action in self.actions.take() {
            if let Some(call) = call_of(py, action)? {
                calls.append((act, call))?;
            }
        }
        Ok(calls)
    }

    /// Lets the I/O threads look at what was submitted.
    fn flush(&self) {
        self.flush_is_due.store(false, Ordering::Relaxed);
        self.client.wake();
    }

    /// Tells the web page what the user classes are like now.
    fn publish(&self, classes: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let state = |class: &Bound<'_, PyAny>| {
            Ok(ClassState {
                tasks: share(class)?,
                host: class.getattr("host")?.extract()?,
            })
        };
        let states: PyResult<Vec<_>> = classes.iter().map(state).collect();
        self.published.set(states?);
        Ok(())
    }

    /// A new session, for one user.
    fn session(slf: &Bound<'_, Self>) -> Session {
        let engine = slf.get();
        let headers = engine.default_headers.clone();
        Session::new(slf.clone().unbind(), engine.client.session(), headers)
    }

    /// Counts a request of a client of the locustfile's own.
    #[pyo3(signature = (method, name, response_time_ms, content_length, failure))]
    fn record(
        &self,
        method: &str,
        name: &str,
        response_time_ms: Option<f64>,
        content_length: i64,
        failure: Option<&str>,
    ) {
        self.counter.record(&Record {
            method,
            name,
            finished_us: now_us(),
            response_time_us: response_time_ms.map(micros),
            content_length: u64::try_from(content_length).unwrap_or(0),
            bytes_sent: 0,
            bytes_received: u64::try_from(content_length).unwrap_or(0),
            failure,
        });
    }

    /// Counts an exception that a task raised.
    fn record_exception(&self, message: &str, traceback: &str, node: &str) {
        if let Some((_, collector)) = self.run.get() {
            collector.record_exception(message, traceback, node);
        }
    }

    /// The statistics as they are now.
    fn snapshot(&self, py: Python<'_>) -> Statistics {
        match self.run.get() {
            Some((_, collector)) => py.detach(|| Statistics::new(collector.snapshot())),
            None => Statistics::default(),
        }
    }

    /// Where the run stands, in Locust's word.
    fn state(&self) -> &'static str {
        match self.run.get() {
            Some((control, _)) => control.state().name(),
            None => acrida_engine::RunState::Ready.name(),
        }
    }

    /// Starts a run, or changes the number of users of one; `run_time` is in seconds.
    #[pyo3(signature = (users, spawn_rate, run_time))]
    fn swarm(&self, users: u64, spawn_rate: f64, run_time: Option<f64>) -> PyResult<()> {
        let spawn_rate = SpawnRate::try_from(spawn_rate)
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.send(Command::Swarm(Swarm {
            users,
            spawn_rate,
            run_time: run_time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
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

/// µs since the Unix epoch.
fn now_us() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
