//! What the page keeps of a long run with 500 endpoints: the whole page, with a clock
//! that is simulated.
//!
//! - `cargo bench -p acrida-web --bench simulated_run`: 24 hours; prints the memory
//!   of the process at each sixth of them, in KiB, as JSON.
//! - `… -- --hours 1 --serve 60`: an hour, and then the page on a free port of this
//!   machine for 60 seconds, in which the run goes on; `bench/browser.mjs` looks at it.
//! - `cargo test --benches` simulates ten minutes.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acrida_engine::{Action, Command, Control, Runner, Settings as EngineSettings, SpawnRate};
use acrida_engine::{Swarm, UserClass};
use acrida_stats::{Ledger, Limits, Recorder, Sample, Snapshot};
use acrida_web::{Address, Change, ClassInfo, Page, Settings, Site};
use serde_json::{Value, json};

const ENDPOINTS: u64 = 500;
/// One endpoint in so many fails sometimes.
const FAILING: u64 = 10;

/// A run of which every second is made up.
struct Simulated {
    ledger: Mutex<Ledger>,
    names: Vec<String>,
    now_us: AtomicU64,
}

impl Simulated {
    fn new(start_us: u64) -> Self {
        Self {
            ledger: Mutex::new(Ledger::new(Limits::default(), start_us)),
            names: (0..ENDPOINTS)
                .map(|at| format!("/api/v1/patients/{at}/scans"))
                .collect(),
            now_us: AtomicU64::new(start_us),
        }
    }

    /// A second in which each endpoint is asked once, with times around its own.
    fn second(&self, recorder: &mut Recorder, second: u64) {
        let now_us = self.now_us.load(Ordering::Relaxed);
        for (at, name) in (0..).zip(&self.names) {
            let noise = (second * 7_919 + at * 104_729) % 1_009;
            recorder.record(&Sample {
                method: "GET",
                name,
                finished_us: now_us + 1_000 * (noise % 1_000),
                response_time_us: Some((1 + at) * 400 + noise * noise / 4),
                content_length: 1_000 + noise,
                failure: (at.is_multiple_of(FAILING) && noise.is_multiple_of(5))
                    .then_some("ConnectionRefusedError()"),
                server: None,
                answer: None,
            });
        }
        self.ledger
            .lock()
            .expect("no panic")
            .absorb(recorder.take());
        self.now_us.fetch_add(1_000_000, Ordering::Relaxed);
    }
}

impl Site for Simulated {
    fn snapshot(&self) -> Snapshot {
        let now_us = self.now_us.load(Ordering::Relaxed);
        self.ledger.lock().expect("no panic").snapshot(now_us, 50)
    }

    fn reset(&self) {}

    fn change(&self, _: Change) {}

    fn classes(&self) -> Vec<ClassInfo> {
        Vec::new()
    }

    fn task_ratios(&self) -> Value {
        json!({"per_class": {}, "total": {}})
    }

    fn loop_lag(&self) -> Option<Duration> {
        Some(Duration::from_millis(1))
    }

    fn log_lines(&self) -> Vec<String> {
        Vec::new()
    }

    fn run_time(&self, _: &str) -> Option<Duration> {
        None
    }
}

/// An engine whose one user starts and does nothing.
fn running() -> Control {
    let (sender, actions) = std::sync::mpsc::channel();
    let class = UserClass {
        name: "A".to_owned(),
        weight: 1.0,
        fixed_count: 0,
    };
    let settings = EngineSettings {
        stop_timeout: Duration::ZERO,
        request_grace: Duration::ZERO,
        reset_stats: false,
        outlives_tests: true,
    };
    let started = acrida_engine::start(Runner::new(vec![class], settings), move |actions| {
        // Nobody listens any more once the simulation ends.
        let _ = sender.send(actions);
    });
    let control = started.expect("a thread").control;
    control.send(Command::Swarm(Swarm {
        users: 1,
        spawn_rate: SpawnRate::try_from(1.0).expect("a rate"),
        run_time: None,
        classes: None,
    }));
    for action in actions.into_iter().flatten() {
        match action {
            Action::TestStart => control.send(Command::TestStarted),
            Action::Spawn { user, .. } => {
                control.send(Command::UserStarted(user));
                break;
            }
            _ => {}
        }
    }
    while control.state().name() != "running" {
        std::thread::yield_now();
    }
    control
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.parse::<f64>().ok()
    };
    let is_measured = args.iter().any(|arg| arg == "--bench");
    let hours = option("--hours").unwrap_or(if is_measured { 24.0 } else { 1.0 / 6.0 });
    let seconds = (hours * 3_600.0) as u64;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_us = now.expect("a time after 1970").as_micros() as u64;
    let site = Arc::new(Simulated::new(now_us - seconds * 1_000_000));
    let port = Page::bind(Address::default()).expect("a free port");
    let settings = Settings {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        locustfile: "simulated.py".to_owned(),
        ..Settings::default()
    };
    let page = Page::start(
        port,
        Arc::clone(&site) as Arc<dyn Site>,
        running(),
        settings,
    );
    let page = page.expect("a page");
    let mut recorder = Recorder::new(Limits::default());
    let mut held_kib = vec![resident_kib()];
    for second in 1..=seconds {
        site.second(&mut recorder, second);
        page.beat();
        if second.is_multiple_of((seconds / 6).max(1)) {
            held_kib.push(resident_kib());
        }
    }
    println!(
        "{}",
        json!({"hours": hours, "endpoints": ENDPOINTS, "held_kib": held_kib})
    );
    if let Some(serve) = option("--serve") {
        println!("listening on http://127.0.0.1:{}", page.port());
        for second in 0..serve as u64 {
            sleep(Duration::from_secs(1));
            site.second(&mut recorder, seconds + second);
            page.beat();
        }
    }
    page.stop();
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("VmRSS").parse().expect("a number")
}
