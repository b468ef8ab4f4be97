//! A host without Python: users start when they are told to, make one request
//! each, and end when they are told to.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use acrida_cli::config::Places;
use acrida_cli::invocation::Invocation;
use acrida_cli::options::Options;
use acrida_cli::run::{Collector, Host, Run, RunEnd, RunSetup};
use acrida_engine::{Action, Command, Control, UserClass};
use acrida_stats::{Lane, Limits, Sample};

/// Passes actions on to the test's thread.
pub(crate) struct Queue(Mutex<Sender<Action>>);

impl Host for Queue {
    fn act(&self, actions: Vec<Action>) {
        let sender = self.0.lock().expect("no panic while sending");
        for action in actions {
            sender.send(action).expect("the test outlives the run");
        }
    }

    fn abandon(&self) -> u64 {
        7
    }
}

/// A run, and the users that a test makes of it.
pub(crate) struct Driver {
    pub(crate) run: Run,
    pub(crate) actions: Receiver<Action>,
    pub(crate) lane: Lane,
    pub(crate) control: Control,
}

/// Settings as a command line gives them; relative paths are left alone.
pub(crate) fn options(folder: &Path, args: &[&str]) -> Options {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    let places = Places {
        folder: folder.to_owned(),
        home: None,
    };
    let invocation = Invocation::new("acrida", "acrida", args, [].into(), places);
    invocation
        .expect("no mistake")
        .options(&[])
        .expect("no mistake")
}

/// Starts a run with one user class.
pub(crate) fn start(options: Options) -> Driver {
    let (sender, actions) = channel();
    let lane = Lane::new(Limits::default());
    let setup = RunSetup {
        options,
        classes: vec![UserClass {
            name: "A".to_owned(),
            weight: 1.0,
            fixed_count: 0,
        }],
        collector: Arc::new(Collector::new(vec![lane.clone()], Limits::default())),
        request_log: None,
        starts_by_itself: true,
        intervals: Default::default(),
        percentiles: vec![0.5, 0.95],
        request_grace: Duration::from_secs(2),
        page: Default::default(),
    };
    let host: Arc<dyn Host> = Arc::new(Queue(Mutex::new(sender)));
    let run = Run::start(setup, &host).expect("a run");
    let control = run.control().clone();
    Driver {
        run,
        actions,
        lane,
        control,
    }
}

impl Driver {
    /// Does what the engine says until `until` is done, and returns its names in order.
    pub(crate) fn drive(&self, until: &Action) -> Vec<String> {
        let mut log = Vec::new();
        for action in &self.actions {
            let words = format!("{action:?}");
            let name = words
                .split(|c: char| !c.is_alphanumeric())
                .next()
                .unwrap_or_default();
            log.push(name.to_owned());
            self.execute(&action);
            if action == *until {
                break;
            }
        }
        log
    }

    fn execute(&self, action: &Action) {
        match action {
            Action::TestStart => self.control.send(Command::TestStarted),
            Action::Spawn { user, .. } => {
                self.control.send(Command::UserStarted(*user));
                self.request(None);
            }
            Action::StopUsers { users, .. } => {
                for user in users {
                    self.control.send(Command::UserStopped(*user));
                }
            }
            _ => {}
        }
    }

    /// One request of some user.
    pub(crate) fn request(&self, failure: Option<&str>) {
        self.lane.record(&Sample {
            method: "GET",
            name: "/health",
            finished_us: 1_700_000_000_000_000,
            response_time_us: Some(1500),
            content_length: 10,
            failure,
            ..Sample::default()
        });
    }

    /// Ends the run as a host does whose users have all ended.
    pub(crate) fn finish(self) -> i32 {
        self.run.finish(RunEnd::default())
    }
}
