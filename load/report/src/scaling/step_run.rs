//! The course of `acrida scale` and `acrida stress`, decided purely.

use acrida_stats::Snapshot;
use serde::Serialize;

use super::Step;
use super::search::Search;
use super::steady::Steadiness;
use crate::expect::{self, Expectation};
use crate::summary::RunSummary;

/// What is left out after the last user of a step has started.
const WARM_UP_US: u64 = 2_000_000;
/// How much slower than before a load may be after the search and still count as recovered.
const RECOVERED: f64 = 1.5;

/// Which steps there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// These numbers of users, one after the other.
    Steps(Vec<u64>),
    /// As many as it takes to find the highest load that is as expected, at most so many
    /// users.
    Search {
        /// The most users.
        users_max: u64,
    },
}

/// What there is to do after a beat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    Hold,
    /// This many users are to run.
    Users(u64),
    /// The run is over.
    End,
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stress {
    /// The most users with which everything was as expected; 0 if there were none.
    pub good: u64,
    /// The fewest with which it was not; none if that did not happen.
    pub bad: Option<u64>,
    /// What was missed at the smallest load that missed anything, or that the generator could not make more load.
    pub failed_first: Vec<String>,
    /// Whether the generator was the limit, so that the service's is not known.
    pub generator_bound: bool,
    /// A small load before and after the search, and whether the second is as good.
    pub recovery: Option<(Step, Step, bool)>,
    /// Whether the search came to its end.
    pub complete: bool,
}

/// Leads a run through its steps.
#[derive(Debug)]
pub struct StepRun {
    course: Course,
    expectations: Vec<Expectation>,
    hold_us: u64,
    users: u64,
    phase: Phase,
    bound_beats: (u32, u32),
    steps: Vec<Step>,
    recovery: Option<Step>,
    complete: bool,
}

#[derive(Debug)]
enum Course {
    Steps(std::vec::IntoIter<u64>),
    Search(Search),
    /// The search is over; a small load shows whether the service has recovered.
    Recovery(Search),
}

#[derive(Debug)]
enum Phase {
    /// Until all users run.
    Spawning { since_us: Option<u64> },
    /// Until what the start did has gone.
    Warming { since_us: u64 },
    /// Until it is steady.
    Measuring {
        since_us: u64,
        steadiness: Steadiness,
    },
}

impl StepRun {
    /// A run by `plan` in which no step is held longer than `hold_s` seconds once its users
    /// are there.
    pub fn new(plan: Plan, expectations: Vec<Expectation>, hold_s: u64) -> Self {
        let (course, users) = match plan {
            Plan::Steps(steps) => {
                let mut steps = steps.into_iter();
                let first = steps.next().unwrap_or(1);
                (Course::Steps(steps), first)
            }
            Plan::Search { users_max } => {
                let search = Search::new(users_max);
                let first = search.first();
                (Course::Search(search), first)
            }
        };
        Self {
            course,
            expectations,
            hold_us: hold_s * 1_000_000,
            users,
            phase: Phase::Spawning { since_us: None },
            bound_beats: (0, 0),
            steps: Vec::new(),
            recovery: None,
            complete: false,
        }
    }

    /// The users to begin with.
    pub fn first_users(&self) -> u64 {
        self.users
    }

    /// Takes a snapshot, about once a second, while a test goes on: whether all users that
    /// were asked for run, and whether the generator is busy to its limit.
    pub fn beat(&mut self, snapshot: &Snapshot, all_run: bool, generator_bound: bool) -> Order {
        let now = snapshot.taken_us;
        match &mut self.phase {
            Phase::Spawning { since_us } => {
                let since = *since_us.get_or_insert(now);
                // Users that end by themselves may never be complete.
                if all_run || now >= since + self.hold_us {
                    self.phase = Phase::Warming { since_us: now };
                }
                Order::Hold
            }
            Phase::Warming { since_us } => {
                if now >= *since_us + WARM_UP_US {
                    let mut steadiness = Steadiness::default();
                    steadiness.observe(snapshot);
                    self.bound_beats = (0, 0);
                    self.phase = Phase::Measuring {
                        since_us: now,
                        steadiness,
                    };
                }
                Order::Hold
            }
            Phase::Measuring {
                since_us,
                steadiness,
            } => {
                self.bound_beats.0 += u32::from(generator_bound);
                self.bound_beats.1 += 1;
                let steady = steadiness.observe(snapshot) == Some(true);
                if !steady && now < *since_us + self.hold_us {
                    return Order::Hold;
                }
                let window = steadiness.measured(snapshot);
                let window = window.unwrap_or_else(|| snapshot.clone());
                let step = self.step(&window, steady);
                self.follow(step)
            }
        }
    }

    fn step(&self, window: &Snapshot, steady: bool) -> Step {
        let fractions: Vec<_> = self
            .expectations
            .iter()
            .filter_map(Expectation::fraction)
            .collect();
        let summary = RunSummary::of(window, &fractions);
        let outcomes = expect::judge(&summary, &self.expectations);
        let missed = outcomes.iter().filter(|outcome| !outcome.passed);
        let (bound, beats) = self.bound_beats;
        Step {
            steady: Some(steady),
            generator_bound: bound * 2 > beats,
            missed: missed.map(expect::Outcome::said).collect(),
            ..Step::of(&summary, self.users)
        }
    }

    fn follow(&mut self, step: Step) -> Order {
        let is_good = step.missed.is_empty();
        let next = match &mut self.course {
            Course::Steps(left) => {
                self.steps.push(step);
                left.next()
            }
            Course::Search(search) => {
                // A generator that is out of breath measures itself.
                let goes_on = !step.generator_bound;
                let next = search.next(self.users, is_good).filter(|_| goes_on);
                self.steps.push(step);
                next.or_else(|| self.begin_recovery())
            }
            Course::Recovery(_) => {
                self.recovery = Some(step);
                None
            }
        };
        match next {
            Some(users) => {
                self.users = users;
                self.phase = Phase::Spawning { since_us: None };
                Order::Users(users)
            }
            None => {
                self.complete = true;
                Order::End
            }
        }
    }

    /// The lowest good load once more, if a higher one was bad.
    fn begin_recovery(&mut self) -> Option<u64> {
        let Course::Search(search) = &mut self.course else {
            return None;
        };
        let (good, bad) = search.bounds();
        let search = std::mem::replace(search, Search::new(1));
        self.course = Course::Recovery(search);
        let small = self.good_steps().map(|step| step.users).min();
        small.filter(|_| good > 0 && bad.is_some())
    }

    fn good_steps(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.missed.is_empty())
    }

    /// What the steps showed so far, in their order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether every step was made.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// What the search has found so far; none if there is no search.
    pub fn stress(&self) -> Option<Stress> {
        let (Course::Search(search) | Course::Recovery(search)) = &self.course else {
            return None;
        };
        let (good, bad) = search.bounds();
        let bad_steps = self.steps.iter().filter(|step| !step.missed.is_empty());
        let first_bad = bad_steps.min_by_key(|step| step.users);
        let limit = self.steps.iter().find(|step| step.generator_bound);
        let failed_first = match (first_bad, limit) {
            (_, Some(step)) => vec![format!(
                "the generator: its interpreter was busy to the limit at {} users",
                step.users
            )],
            (Some(step), None) => step.missed.clone(),
            (None, None) => Vec::new(),
        };
        let before = self.good_steps().min_by_key(|step| step.users);
        let recovery = before.zip(self.recovery.as_ref()).map(|(before, after)| {
            let slower = |before: f64, after: f64| after > before * RECOVERED;
            let p95 = before.p95.zip(after.p95);
            let is_slower = p95.is_none_or(|(before, after)| slower(before, after));
            let recovered = after.missed.is_empty() && !is_slower;
            (before.clone(), after.clone(), recovered)
        });
        Some(Stress {
            good,
            bad,
            failed_first,
            generator_bound: limit.is_some(),
            recovery,
            complete: self.complete,
        })
    }
}
