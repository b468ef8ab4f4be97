//! Leads a run through the steps of `acrida scale` and `acrida stress`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use acrida_engine::{Command, Control, RunState, SpawnRate, Swarm};
use acrida_report::scaling::{Order, StepRun, text};
use acrida_web::generator::Gauge;
use log::info;

use super::collector::Collector;
use crate::options::Options;
use crate::stepping::Stepped;

/// Seconds in which the users of a step start, unless `--spawn-rate` says otherwise.
const RAMP_S: f64 = 2.0;

/// The steps of a run; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Steps(Arc<Mutex<StepRun>>);

impl Steps {
    pub(super) fn new(stepped: &Stepped) -> Self {
        let run = StepRun::new(
            stepped.plan.clone(),
            stepped.expectations.clone(),
            stepped.hold_s,
        );
        Self(Arc::new(Mutex::new(run)))
    }

    /// A panic while a step was decided leaves those before as they were.
    pub(super) fn run(&self) -> MutexGuard<'_, StepRun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything about the steps, in words.
    pub(super) fn told(&self) -> String {
        text::told(&self.run())
    }

    /// What they come to, line by line.
    pub(super) fn conclusions(&self) -> Vec<String> {
        let text = text::conclusions(&self.run());
        text.lines().map(str::to_owned).collect()
    }
}

/// What gives the orders.
#[derive(Debug)]
pub(super) struct Stepper {
    steps: Steps,
    control: Control,
    collector: Arc<Collector>,
    gauge: Gauge,
    spawn_rate: Option<SpawnRate>,
    users: u64,
}

impl Stepper {
    pub(super) fn new(
        steps: Steps,
        control: Control,
        collector: Arc<Collector>,
        options: &Options,
    ) -> Self {
        let users = steps.run().first_users();
        Self {
            users,
            steps,
            control,
            collector,
            gauge: Gauge::default(),
            spawn_rate: options.spawn_rate,
        }
    }

    /// The first step.
    pub(super) fn begin(&self, options: &Options) {
        self.control.send(Command::Swarm(Swarm {
            users: self.users,
            spawn_rate: self.rate(self.users),
            run_time: options.run_time,
            classes: None,
        }));
    }

    /// To be called about once a second.
    pub(super) fn beat(&mut self) {
        let state = self.control.state();
        if !matches!(state, RunState::Spawning | RunState::Running) {
            return;
        }
        let all_run = state == RunState::Running && self.control.user_count() == self.users;
        let bound = self.gauge.look(None).bound;
        let snapshot = self.collector.snapshot();
        let mut run = self.steps.run();
        let before = run.steps().len();
        let order = run.beat(&snapshot, all_run, bound);
        for step in &run.steps()[before..] {
            let steady = if step.steady == Some(true) {
                "steady"
            } else {
                "not steady"
            };
            info!(
                target: "locust.main",
                "Step with {} users: {:.1} requests/s, {:.2} % failed, {steady}",
                step.users, step.rps, (1.0 - step.success_ratio()) * 100.0
            );
        }
        drop(run);
        match order {
            Order::Hold => {}
            Order::Users(users) => {
                let spawn_rate = self.rate(users.abs_diff(self.users));
                self.users = users;
                self.control.send(Command::Swarm(Swarm {
                    users,
                    spawn_rate,
                    run_time: None,
                    classes: None,
                }));
            }
            Order::End => self.control.send(Command::Quit),
        }
    }

    fn rate(&self, users: u64) -> SpawnRate {
        let quick = SpawnRate::try_from((users as f64 / RAMP_S).max(1.0));
        self.spawn_rate.or(quick.ok()).unwrap_or(SpawnRate::ONE)
    }
}
