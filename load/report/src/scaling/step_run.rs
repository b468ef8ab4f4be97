//! The course of `acrida scale` and `acrida stress`, decided purely.

use acrida_stats::Snapshot;
use serde::Serialize;

use super::Step;
use super::certainty::is_sure;
use super::search::Search;
use super::steady::Steadiness;
use crate::expect::{self, Expectation};
use crate::summary::RunSummary;

/// What is left out after the last user of a step has started.
const WARM_UP_US: u64 = 2_000_000;
/// How often a service that has not recovered is looked at again.
const LOOKS: u32 = 3;
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
    /// The most users with which everything was surely as expected, and the fewest with which
    /// it surely was not; 0 and none if there were none.
    pub sure: (u64, Option<u64>),
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
    /// How often the recovery was looked at.
    looks: u32,
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
            looks: 0,
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
                let whole = steadiness.measured(snapshot);
                let whole = whole.unwrap_or_else(|| snapshot.clone());
                let parts: Vec<_> = steadiness.windows().collect();
                let step = self.step(&whole, &parts, steady);
                self.follow(step)
            }
        }
    }

    fn step(&self, whole: &Snapshot, parts: &[Snapshot], steady: bool) -> Step {
        let fractions: Vec<_> = self
            .expectations
            .iter()
            .filter_map(Expectation::fraction)
            .collect();
        let summary = RunSummary::of(whole, &fractions);
        let parts: Vec<_> = parts
            .iter()
            .map(|part| RunSummary::of(part, &fractions))
            .collect();
        let outcomes = expect::judge(&summary, &self.expectations);
        let missed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed).collect();
        let mut verdicts = self.expectations.iter().zip(&outcomes);
        let sure = |expectation| is_sure(&summary, &parts, expectation);
        let is_sure = if missed.is_empty() {
            verdicts.all(|(expectation, _)| sure(expectation))
        } else {
            verdicts.any(|(expectation, outcome)| !outcome.passed && sure(expectation))
        };
        let (bound, beats) = self.bound_beats;
        Step {
            steady: Some(steady),
            generator_bound: bound * 2 > beats,
            missed: missed.into_iter().map(expect::Outcome::said).collect(),
            sure: is_sure,
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
                self.looks += 1;
                let recovered = self.recovery().is_none_or(|(_, _, recovered)| recovered);
                if !recovered && self.looks < LOOKS {
                    self.phase = Phase::Spawning { since_us: None };
                    return Order::Hold;
                }
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

    /// The smallest good load before and after the search, and whether it is as good.
    fn recovery(&self) -> Option<(Step, Step, bool)> {
        let before = self.good_steps().min_by_key(|step| step.users)?;
        let after = self.recovery.as_ref()?;
        let p95 = before.p95.zip(after.p95);
        let is_slower = p95.is_none_or(|(before, after)| after > before * RECOVERED);
        let recovered = after.missed.is_empty() && !is_slower;
        Some((before.clone(), after.clone(), recovered))
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
        let sure = self.steps.iter().filter(|step| step.sure);
        let (sure_good, sure_bad): (Vec<_>, Vec<_>) = sure.partition(|step| step.missed.is_empty());
        let sure_bad = sure_bad.iter().map(|step| step.users).min();
        let sure_good = sure_good.iter().map(|step| step.users);
        let sure_good = sure_good
            .filter(|users| sure_bad.is_none_or(|bad| *users < bad))
            .max();
        Some(Stress {
            good,
            bad,
            sure: (sure_good.unwrap_or(0), sure_bad),
            failed_first,
            generator_bound: limit.is_some(),
            recovery: self.recovery(),
            complete: self.complete,
        })
    }
}
