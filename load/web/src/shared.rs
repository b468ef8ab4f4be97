//! What every request handler reaches: the run, and what the page knows of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use acrida_engine::{Control, RunState};
use acrida_report::locust_json;
use acrida_stats::Snapshot;
use axum::body::Bytes;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::frame;
use crate::generator::{Gauge, Load};
use crate::guard::Names;
use crate::history::{Beat, History};
use crate::login::{Login, random_text};
use crate::{Settings, Site};

/// How old a snapshot may be that requests share.
const SNAPSHOT_AGE: Duration = Duration::from_millis(250);
/// How old `/stats/requests` may be while the run is in one state: Locust's two seconds, and
/// a little until the beat has come that makes it ready.
const STATS_AGE: Duration = Duration::from_millis(2_500);
/// How long after a request for them the statistics are made ready beat by beat, so
/// that whoever polls does not wait for them.
const STATS_INTEREST: Duration = Duration::from_secs(10);
/// With more endpoints than this, every second beat is left out.
const ENDPOINTS_PER_BEAT: usize = 100;

pub(crate) struct Shared {
    pub(crate) site: Arc<dyn Site>,
    pub(crate) control: Control,
    pub(crate) settings: Settings,
    pub(crate) base_path: String,
    pub(crate) names: Names,
    pub(crate) login: Option<Login>,
    /// Whether the page is reached by https.
    pub(crate) secure: bool,
    book: Mutex<Book>,
    snapshot: Mutex<Option<(Instant, Arc<Snapshot>)>>,
    stats: Mutex<Stats>,
    frames: watch::Sender<Arc<str>>,
}

/// Locust's `/stats/requests`, kept for a moment.
#[derive(Default)]
struct Stats {
    made: Option<MadeStats>,
    asked: Option<Instant>,
}

struct MadeStats {
    at: Instant,
    /// Of the run, as the text says it.
    state: RunState,
    text: Bytes,
}

/// What changes while the page is open.
pub(crate) struct Book {
    /// Tells this process from others that had the same port.
    pub(crate) process: String,
    /// `environment.host`.
    pub(crate) host: Option<String>,
    /// `environment.parsed_options`, by attribute.
    pub(crate) options: Map<String, Value>,
    /// The load shape that tests follow, by its place among the settings'.
    pub(crate) shape: Option<usize>,
    /// The classes that the form has chosen.
    pub(crate) picked: Vec<String>,
    /// The newest swarm: users, and when and for how many seconds.
    pub(crate) wanted: Wanted,
    pub(crate) history: History,
    pub(crate) load: Load,
    /// The newest beat, which a page adds to its charts once.
    pub(crate) beat: Option<Beat>,
    gauge: Gauge,
    was: RunState,
    /// Whether the next beat is left out.
    rests: bool,
}

/// What the newest swarm asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub(crate) struct Wanted {
    pub(crate) users: u64,
    pub(crate) spawn_rate: f64,
    /// The time limit in seconds.
    pub(crate) run_time: Option<u64>,
}

impl Wanted {
    /// What a test that starts by itself wants, with Locust's defaults.
    fn of_start(settings: &Settings) -> Self {
        if !settings.autostart {
            return Self::default();
        }
        Self {
            users: settings.users.unwrap_or(1),
            spawn_rate: settings.spawn_rate.unwrap_or(1.0),
            run_time: settings.run_time.map(|limit| limit.as_secs()),
        }
    }
}

/// What [`Shared`] is made of besides what it learns.
pub(crate) struct Parts {
    pub(crate) site: Arc<dyn Site>,
    pub(crate) control: Control,
    pub(crate) settings: Settings,
    pub(crate) base_path: String,
    pub(crate) names: Names,
    pub(crate) login: Option<Login>,
    pub(crate) secure: bool,
}

impl Shared {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts {
            site,
            control,
            settings,
            base_path,
            names,
            login,
            secure,
        } = parts;
        let book = Book {
            process: random_text(),
            host: settings.host.clone(),
            options: settings.options.clone(),
            shape: (!settings.shapes.is_empty()).then_some(0),
            picked: Vec::new(),
            wanted: Wanted::of_start(&settings),
            history: History::default(),
            load: Load::default(),
            beat: None,
            gauge: Gauge::default(),
            was: RunState::Ready,
            rests: false,
        };
        let (frames, _) = watch::channel(Arc::from(""));
        Self {
            site,
            control,
            settings,
            base_path,
            names,
            login,
            secure,
            book: Mutex::new(book),
            snapshot: Mutex::default(),
            stats: Mutex::default(),
            frames,
        }
    }

    /// Takes one snapshot for everybody: adds to the history, and sends a frame to
    /// every page that is open.
    pub(crate) fn beat(&self) {
        let state = self.control.state();
        let mut book = self.book();
        if std::mem::take(&mut book.rests) && book.was == state {
            return;
        }
        let snapshot = self.site.snapshot();
        book.rests = snapshot.entries.len() > ENDPOINTS_PER_BEAT;
        book.load = book.gauge.look(self.site.loop_lag());
        let ended = book.was.is_active() && !state.is_active();
        book.beat = (state.is_active() || ended).then(|| book.history.observe(&snapshot));
        if ended {
            book.history.finished(&snapshot);
            let at = snapshot.taken_us as f64 / 1e6;
            book.history.note(at, "stopped".to_owned());
        }
        book.was = state;
        self.send_frame(&snapshot, &book);
        book.beat = None;
        drop(book);
        let asked = self.stats().asked;
        if asked.is_some_and(|asked| asked.elapsed() < STATS_INTEREST) {
            self.make_stats(&snapshot, state);
        }
    }

    /// Lets every open page see at once that something was changed.
    pub(crate) fn publish(&self) {
        let snapshot = self.snapshot();
        self.send_frame(&snapshot, &self.book());
    }

    fn send_frame(&self, snapshot: &Snapshot, book: &Book) {
        if self.frames.receiver_count() > 0 {
            let text = frame::text(snapshot, self.control.state(), book);
            self.frames.send_replace(text.into());
        }
    }

    /// The state as it is, and every frame from now on.
    pub(crate) fn watch(&self) -> (String, watch::Receiver<Arc<str>>) {
        let frames = self.frames.subscribe();
        let snapshot = self.snapshot();
        (
            frame::text(&snapshot, self.control.state(), &self.book()),
            frames,
        )
    }

    /// Open pages.
    pub(crate) fn watchers(&self) -> usize {
        self.frames.receiver_count()
    }

    /// Ends every stream of frames.
    pub(crate) fn close(&self) {
        self.frames.send_replace(Arc::from(frame::END));
    }

    /// Everything that was measured, at most a quarter of a second ago.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let mut shared = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((taken, snapshot)) = &*shared
            && taken.elapsed() < SNAPSHOT_AGE
        {
            return Arc::clone(snapshot);
        }
        let snapshot = Arc::new(self.site.snapshot());
        *shared = Some((Instant::now(), Arc::clone(&snapshot)));
        snapshot
    }

    /// Locust's `/stats/requests`, at most two and a half seconds old, and made after the run
    /// came into its state: what is told of a run that has ended is all of it.
    pub(crate) fn stats_requests(&self) -> Bytes {
        let state = self.control.state();
        {
            let mut stats = self.stats();
            stats.asked = Some(Instant::now());
            if let Some(made) = &stats.made
                && made.state == state
                && made.at.elapsed() < STATS_AGE
            {
                return made.text.clone();
            }
        }
        self.make_stats(&self.site.snapshot(), state)
    }

    /// Nobody waits while the text is being made; `state` was the run's before the snapshot
    /// was taken.
    fn make_stats(&self, snapshot: &Snapshot, state: RunState) -> Bytes {
        let value = locust_json::stats_requests(snapshot, state.name(), &self.settings.chosen);
        let text = Bytes::from(crate::answers::pretty(&value));
        self.stats().made = Some(MadeStats {
            at: Instant::now(),
            state,
            text: text.clone(),
        });
        text
    }

    fn stats(&self) -> MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is kept for a moment, because it has just been overtaken.
    pub(crate) fn forget_cached(&self) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.stats().made = None;
    }

    /// A panic while the book was open leaves it as good as it was.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host that the page shows: what was set, or what every class says itself.
    pub(crate) fn shown_host(&self) -> Option<String> {
        self.book()
            .host
            .clone()
            .filter(|host| !host.is_empty())
            .or_else(|| {
                let classes = self.site.classes();
                let first = classes.first()?.host.clone();
                classes
                    .iter()
                    .all(|class| class.host == first)
                    .then_some(first)?
            })
    }
}
