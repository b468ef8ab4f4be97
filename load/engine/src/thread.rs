//! The shell: the only code here that waits or reads the clock.

use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;

use log::{debug, info, warn};

use crate::{Action, Command, Ending, RunState, Runner};

/// Locust's name for the logger of what happens here.
const LOGGER: &str = "locust.runners";

/// The handle on a running [`Runner`]: commands go in, its state can be read.
///
/// Commands are queued without a bound; there are at most two per user that was
/// started, besides what people ask for.
#[derive(Debug, Clone)]
pub struct Control {
    commands: mpsc::Sender<Command>,
    seen: Arc<Seen>,
}

/// What others may know about a runner without asking its thread.
#[derive(Debug)]
struct Seen {
    state: AtomicU8,
    user_count: AtomicU64,
    active: AtomicU64,
    wanted: AtomicU64,
}

impl Control {
    /// Queues a command; once the run is over it has no effect.
    pub fn send(&self, command: Command) {
        if let Command::Swarm(swarm) = &command {
            self.seen.wanted.store(swarm.users, Ordering::Release);
        }
        // The receiver is gone only after `Action::Quit`, when every command is void.
        let _ = self.commands.send(command);
    }

    /// Where the run stands.
    pub fn state(&self) -> RunState {
        RunState::ALL[usize::from(self.seen.state.load(Ordering::Acquire))]
    }

    /// Users that run now.
    pub fn user_count(&self) -> u64 {
        self.seen.user_count.load(Ordering::Acquire)
    }

    /// Users that were asked to start and neither ended nor were told to.
    pub fn active_users(&self) -> u64 {
        self.seen.active.load(Ordering::Acquire)
    }

    /// Users that the newest [`Command::Swarm`] asked for.
    pub fn users_wanted(&self) -> u64 {
        self.seen.wanted.load(Ordering::Acquire)
    }
}

/// A started runner.
#[derive(Debug)]
pub struct RunnerThread {
    /// The handle to give commands with.
    pub control: Control,
    /// Ends after [`Action::Quit`] was handed out.
    pub thread: JoinHandle<()>,
}

/// Puts `runner` on a thread; `act` gets every action, in order, on that thread,
/// and must not block. Actions that follow from one decision come together, so that
/// who executes them can let nothing happen in between.
///
/// # Errors
///
/// If the system refuses another thread.
pub fn start(
    runner: Runner,
    act: impl FnMut(Vec<Action>) + Send + 'static,
) -> io::Result<RunnerThread> {
    let (commands, queue) = mpsc::channel();
    let seen = Arc::new(Seen {
        state: AtomicU8::new(0),
        user_count: AtomicU64::new(0),
        active: AtomicU64::new(0),
        wanted: AtomicU64::new(0),
    });
    let control = Control {
        commands,
        seen: Arc::clone(&seen),
    };
    let thread = std::thread::Builder::new()
        .name("acrida-runner".to_owned())
        .spawn(move || run(runner, &queue, &seen, act))?;
    Ok(RunnerThread { control, thread })
}

fn run(
    mut runner: Runner,
    queue: &mpsc::Receiver<Command>,
    seen: &Seen,
    mut act: impl FnMut(Vec<Action>),
) {
    while !runner.is_over() {
        let actions = match next_command(queue, runner.next_deadline()) {
            Some(command) => {
                narrate_command(&runner, &command);
                runner.handle(command, Instant::now())
            }
            None => {
                let now = Instant::now();
                narrate_time_limit(&runner, now);
                runner.tick(now)
            }
        };
        seen.show(&runner);
        narrate_spawns(&runner, &actions);
        for action in &actions {
            narrate_action(&runner, action);
        }
        if !actions.is_empty() {
            act(actions);
        }
    }
}

/// The next command, or `None` at the deadline. Somebody who drops the last
/// [`Control`] wants the run to end.
fn next_command(queue: &mpsc::Receiver<Command>, deadline: Option<Instant>) -> Option<Command> {
    use mpsc::RecvTimeoutError::{Disconnected, Timeout};
    let Some(deadline) = deadline else {
        return Some(queue.recv().unwrap_or(Command::Abort));
    };
    match queue.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(command) => Some(command),
        Err(Timeout) => None,
        Err(Disconnected) => Some(Command::Abort),
    }
}

impl Seen {
    fn show(&self, runner: &Runner) {
        let position = RunState::ALL
            .iter()
            .position(|state| *state == runner.state());
        let position = position.and_then(|position| u8::try_from(position).ok());
        let position = position.expect("every state is in RunState::ALL");
        self.state.store(position, Ordering::Release);
        self.user_count
            .store(runner.user_count(), Ordering::Release);
        self.active.store(runner.active_users(), Ordering::Release);
    }
}

fn narrate_command(runner: &Runner, command: &Command) {
    let Command::Swarm(swarm) = command else {
        return;
    };
    if runner.state() == RunState::Cleanup {
        warn!(target: LOGGER, "The test is stopping; start again when it has stopped");
        return;
    }
    info!(
        target: LOGGER,
        "Ramping to {} users at a rate of {:.2} per second", swarm.users, swarm.spawn_rate.per_second()
    );
}

fn narrate_time_limit(runner: &Runner, now: Instant) {
    if runner.time_limit().is_some_and(|limit| limit <= now) {
        let next = if runner.settings().outlives_tests {
            "stopping test"
        } else {
            "shutting down"
        };
        info!(target: "locust.main", "--run-time limit reached, {next}");
    }
}

fn narrate_action(runner: &Runner, action: &Action) {
    match action {
        Action::SpawningComplete { user_count } => info!(
            target: LOGGER,
            "All users spawned: {} ({user_count} total users)", by_class(runner)
        ),
        Action::StopUsers {
            users,
            ending: Ending::AtOnce { .. },
        } if !runner.settings().stop_timeout.is_zero() => {
            info!(
                target: LOGGER,
                "{} users did not finish their tasks in {} seconds. Stopping them...",
                users.len(), runner.settings().stop_timeout.as_secs_f64()
            );
        }
        _ => {}
    }
}

/// Says, to who wants to know everything, how many users of which classes are about to start.
fn narrate_spawns(runner: &Runner, actions: &[Action]) {
    if !log::log_enabled!(target: LOGGER, log::Level::Debug) {
        return;
    }
    let mut more = vec![0; runner.classes().len()];
    for action in actions {
        if let Action::Spawn { class, .. } = action {
            more[class.0] += 1;
        }
    }
    if more.iter().all(|count| *count == 0) {
        return;
    }
    let active = runner.active_by_class();
    let before: Vec<_> = active
        .iter()
        .zip(&more)
        .map(|(now, more)| now.saturating_sub(*more))
        .collect();
    debug!(
        target: LOGGER,
        "Spawning additional {} ({} already running)...", named(runner, &more), named(runner, &before)
    );
}

fn by_class(runner: &Runner) -> String {
    named(runner, &runner.active_by_class())
}

/// `{"First": 3, "Second": 1}`, by name, as Locust logs it.
fn named(runner: &Runner, counts: &[u64]) -> String {
    let mut text = String::from("{");
    let mut classes: Vec<_> = runner.classes().iter().zip(counts).collect();
    classes.sort_by_key(|(class, _)| &class.name);
    for (class, count) in classes {
        let comma = if text.len() > 1 { ", " } else { "" };
        let _ = write!(text, "{comma}{:?}: {count}", class.name);
    }
    text + "}"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, SpawnRate, Swarm, UserClass};
    use std::time::Duration;

    fn runner() -> Runner {
        let classes = ["B", "A"].map(|name| UserClass {
            name: name.to_owned(),
            weight: 1.0,
            fixed_count: 0,
        });
        let settings = Settings {
            stop_timeout: Duration::ZERO,
            request_grace: Duration::ZERO,
            reset_stats: false,
            outlives_tests: false,
        };
        Runner::new(classes.to_vec(), settings)
    }

    /// A runner on its thread, and the batches of what it has others do.
    fn started() -> (RunnerThread, mpsc::Receiver<Vec<Action>>) {
        let (sender, batches) = mpsc::channel();
        let started = start(runner(), move |actions| {
            sender.send(actions).expect("a receiver")
        });
        (started.expect("a thread"), batches)
    }

    fn swarm(users: u64) -> Command {
        Command::Swarm(Swarm {
            users,
            spawn_rate: SpawnRate::try_from(1e9).expect("a spawn rate"),
            run_time: None,
            classes: None,
        })
    }

    #[test]
    fn a_thread_runs_a_test_from_its_first_command_to_quit() {
        let (RunnerThread { control, thread }, actions) = started();
        control.send(swarm(2));
        let mut most_users = 0;
        for action in actions.into_iter().flatten() {
            match action {
                Action::TestStart => control.send(Command::TestStarted),
                Action::Spawn { user, .. } => control.send(Command::UserStarted(user)),
                Action::SpawningComplete { user_count } => {
                    most_users = user_count;
                    control.send(Command::Quit);
                }
                Action::StopUsers { users, .. } => {
                    users
                        .into_iter()
                        .for_each(|user| control.send(Command::UserStopped(user)));
                }
                _ => {}
            }
        }
        thread.join().expect("no panic");
        assert_eq!(most_users, 2);
        assert_eq!(control.state(), RunState::Stopped);
        assert_eq!(control.user_count(), 0);
        assert_eq!(control.users_wanted(), 2);
    }

    #[test]
    fn users_that_are_told_to_end_are_no_longer_active() {
        let (RunnerThread { control, .. }, batches) = started();
        control.send(swarm(3));
        control.send(Command::TestStarted);
        let mut actions = batches.iter().flatten();
        for action in actions.by_ref() {
            match action {
                Action::Spawn { user, .. } => control.send(Command::UserStarted(user)),
                Action::SpawningComplete { user_count: 3 } => control.send(swarm(1)),
                Action::SpawningComplete { .. } => break,
                _ => {}
            }
        }
        assert_eq!(control.user_count(), 3, "nobody has ended yet");
        assert_eq!(control.active_users(), 1);
        control.send(Command::Abort);
        assert_eq!(actions.last(), Some(Action::Quit));
    }

    #[test]
    fn the_end_of_a_ramp_comes_together_with_its_last_users() {
        let (RunnerThread { control, .. }, batches) = started();
        control.send(swarm(2));
        let start = batches.recv().expect("a start");
        assert_eq!(start, [Action::ResetStats, Action::TestStart]);
        control.send(Command::TestStarted);
        let complete = Action::SpawningComplete { user_count: 2 };
        let end = batches.iter().find(|batch| batch.contains(&complete));
        let end = end.expect("the end of the ramp");
        assert!(matches!(end[..], [.., Action::Spawn { .. }, _]), "{end:?}");
        control.send(Command::Abort);
        assert_eq!(batches.iter().flatten().last(), Some(Action::Quit));
    }

    #[test]
    fn a_run_that_nobody_controls_any_more_ends() {
        let (RunnerThread { control, thread }, actions) = started();
        control.send(swarm(1));
        drop(control);
        assert_eq!(actions.iter().flatten().last(), Some(Action::Quit));
        thread.join().expect("no panic");
    }

    #[test]
    fn counts_by_class_read_like_locusts() {
        let mut runner = runner();
        runner.handle(swarm(3), Instant::now());
        runner.handle(Command::TestStarted, Instant::now());
        let later = Instant::now() + Duration::from_secs(1);
        runner.tick(later);
        assert_eq!(by_class(&runner), r#"{"A": 2, "B": 1}"#);
    }
}
