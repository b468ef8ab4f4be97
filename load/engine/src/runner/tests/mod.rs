mod open;
mod page;
mod replay;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use self::replay::{GENTLE_STOP, INSTANT_STOP, Obeys, Replay, assert_log, classes, swarm};
use super::{END_LIMIT, Runner, Settings};
use crate::{Action, Command, RunState, UserId};

#[test]
fn a_run_with_a_time_limit_goes_from_start_to_quit_in_locusts_order() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    assert_eq!(replay.runner.state(), RunState::Ready);
    replay.tell(swarm(3, 2.0, Some(10)));
    replay.wind_to(20_000);
    assert_log(
        &replay.take_log(),
        &[
            (0, "ResetStats"),
            (0, "TestStart"),
            (0, "spawn 0 of 0"),
            (500, "spawn 1 of 1"),
            (1000, "spawn 2 of 0"),
            (1000, "complete 3"),
            (10_000, "TestStopping"),
            (10_000, "end [0, 1, 2] grace 2s"),
            (10_000, "TestStop"),
            (10_000, "Quit"),
        ],
    );
    assert_eq!(replay.runner.state(), RunState::Stopped);
    assert!(replay.runner.is_over());
    assert_eq!(replay.runner.next_deadline(), None);
}

#[test]
fn no_user_starts_before_the_test_start_listeners_are_done() {
    let start = Instant::now();
    let mut runner = Runner::new(classes(), INSTANT_STOP);
    let actions = runner.handle(swarm(2, 10.0, None), start);
    assert_eq!(actions, [Action::ResetStats, Action::TestStart]);
    let later = start + Duration::from_secs(7);
    assert_eq!(runner.tick(later), []);
    assert_eq!(runner.state(), RunState::Ready);
    let actions = runner.handle(Command::TestStarted, later);
    assert!(matches!(actions[..], [Action::Spawn { .. }]), "{actions:?}");
    assert_eq!(
        runner.next_deadline(),
        Some(later + Duration::from_millis(100)),
        "the ramp counts from there"
    );
}

#[test]
fn the_time_limit_counts_from_the_command_even_while_listeners_run() {
    let start = Instant::now();
    let mut runner = Runner::new(classes(), INSTANT_STOP);
    runner.handle(swarm(2, 10.0, Some(5)), start);
    let actions = runner.tick(start + Duration::from_secs(5));
    assert_eq!(
        actions,
        [Action::TestStopping, Action::TestStop, Action::Quit]
    );
}

#[test]
fn a_swarm_during_a_ramp_goes_on_from_the_users_there_are() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    replay.tell(swarm(100, 2.0, None));
    replay.wind_to(1200);
    replay.take_log();
    replay.tell(swarm(5, 1.0, None));
    assert_eq!(replay.runner.state(), RunState::Spawning);
    replay.wind_to(10_000);
    assert_log(
        &replay.take_log(),
        &[
            (1200, "spawn 3 of 0"),
            (2200, "spawn 4 of 1"),
            (2200, "complete 5"),
        ],
    );
    assert_eq!(replay.runner.state(), RunState::Running);
}

#[test]
fn a_ramp_down_ends_the_youngest_first_and_spreads_it() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    replay.tell(swarm(5, 1000.0, None));
    replay.wind_to(1000);
    replay.take_log();
    replay.tell(swarm(2, 2.0, None));
    replay.wind_to(9000);
    assert_log(
        &replay.take_log(),
        &[
            (1000, "end [4] grace 2s"),
            (1500, "end [3] grace 2s"),
            (2000, "end [2] grace 2s"),
            (2000, "complete 2"),
        ],
    );
    assert_eq!(replay.runner.user_count(), 2);
}

#[test]
fn a_stop_timeout_lets_tasks_finish_and_ends_what_is_left() {
    for (why, obeys, expected) in [
        (
            "everyone finishes",
            Obeys::Always,
            &[
                (1000, "TestStopping"),
                (1000, "finish [0, 1]"),
                (1000, "TestStop"),
                (1000, "Quit"),
            ][..],
        ),
        (
            "nobody finishes",
            Obeys::OnlyAtOnce,
            &[
                (1000, "TestStopping"),
                (1000, "finish [0, 1]"),
                (6000, "end [0, 1] grace 2s"),
                (6000, "TestStop"),
                (6000, "Quit"),
            ],
        ),
    ] {
        let mut replay = Replay::new(GENTLE_STOP, obeys);
        replay.tell(swarm(2, 100.0, None));
        replay.wind_to(1000);
        replay.take_log();
        replay.tell(Command::Quit);
        replay.wind_to(120_000);
        println!("{why}");
        assert_log(&replay.take_log(), expected);
    }
}

#[test]
fn users_that_never_end_are_left_behind_after_the_limit() {
    for (settings, stop_ms) in [(INSTANT_STOP, 0), (GENTLE_STOP, 5000)] {
        let mut replay = Replay::new(settings, Obeys::Never);
        replay.tell(swarm(1, 1.0, None));
        replay.tell(Command::Quit);
        let limit = stop_ms + u64::try_from(END_LIMIT.as_millis()).expect("a minute");
        replay.wind_to(limit - 1);
        assert_eq!(replay.runner.state(), RunState::Cleanup);
        replay.wind_to(limit);
        assert!(replay.runner.is_over());
        let log = replay.take_log();
        assert_log(
            &log[log.len() - 2..],
            &[(limit.into(), "TestStop"), (limit.into(), "Quit")],
        );
    }
}

#[test]
fn a_user_on_its_way_out_is_not_stopped_twice() {
    let mut replay = Replay::new(GENTLE_STOP, Obeys::OnlyAtOnce);
    replay.tell(swarm(2, 100.0, None));
    replay.wind_to(1000);
    replay.tell(swarm(1, 1.0, None));
    replay.wind_to(3000);
    replay.take_log();
    replay.tell(Command::Stop);
    replay.wind_to(20_000);
    assert_log(
        &replay.take_log(),
        &[
            (3000, "TestStopping"),
            (3000, "finish [0]"),
            (6000, "end [1] grace 2s"),
            (8000, "end [0] grace 2s"),
            (8000, "TestStop"),
        ],
    );
}

#[test]
fn users_that_end_by_themselves_are_replaced_during_a_ramp_once_per_batch() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    replay.tell(swarm(4, 2.0, None));
    replay.user_ends(UserId(0));
    replay.wind_to(400);
    assert_eq!(replay.runner.user_count(), 0, "not before the next batch");
    replay.take_log();
    replay.wind_to(2000);
    assert_log(
        &replay.take_log(),
        &[
            (500, "spawn 1 of 1"),
            (1000, "spawn 2 of 0"),
            (1000, "spawn 3 of 0"),
            (1500, "spawn 4 of 0"),
            (1500, "complete 4"),
        ],
    );
    replay.user_ends(UserId(4));
    replay.wind_to(60_000);
    assert_log(&replay.take_log(), &[]);
    assert_eq!(replay.runner.user_count(), 3, "nor after the ramp");
    replay.tell(swarm(4, 1.0, None));
    assert_eq!(replay.runner.user_count(), 4, "but by the next swarm");
}

#[test]
fn a_user_that_cannot_be_started_does_not_hold_up_the_end() {
    let start = Instant::now();
    let mut runner = Runner::new(classes(), INSTANT_STOP);
    runner.handle(swarm(1, 1.0, None), start);
    runner.handle(Command::TestStarted, start);
    runner.handle(Command::UserStopped(UserId(0)), start);
    assert_eq!(runner.user_count(), 0);
    let actions = runner.handle(Command::Quit, start);
    assert_eq!(
        actions,
        [Action::TestStopping, Action::TestStop, Action::Quit]
    );
}

#[test]
fn statistics_are_reset_before_the_listeners_hear_of_a_complete_ramp() {
    let settings = Settings {
        reset_stats: true,
        ..INSTANT_STOP
    };
    let mut replay = Replay::new(settings, Obeys::Always);
    replay.tell(swarm(1, 1.0, None));
    let log = replay.take_log();
    assert_log(
        &log[log.len() - 2..],
        &[(0, "ResetStats"), (0, "complete 1")],
    );
}

#[test]
fn a_stopped_run_can_start_again_with_new_ids() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    replay.tell(swarm(1, 1.0, None));
    replay.tell(Command::Stop);
    assert_eq!(replay.runner.state(), RunState::Stopped);
    replay.take_log();
    replay.tell(swarm(1, 1.0, None));
    assert_log(
        &replay.take_log(),
        &[
            (0, "ResetStats"),
            (0, "TestStart"),
            (0, "spawn 1 of 0"),
            (0, "complete 1"),
        ],
    );
}

#[test]
fn quitting_without_a_test_only_quits() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    replay.tell(Command::Quit);
    assert_log(&replay.take_log(), &[(0, "Quit")]);
    replay.tell(swarm(1, 1.0, None));
    replay.tell(Command::Quit);
    assert_log(&replay.take_log(), &[]);
}

#[test]
fn an_abort_waits_for_nobody() {
    let mut replay = Replay::new(GENTLE_STOP, Obeys::Never);
    replay.tell(swarm(2, 100.0, None));
    replay.wind_to(1000);
    replay.tell(Command::Quit);
    replay.take_log();
    replay.tell(Command::Abort);
    assert_log(
        &replay.take_log(),
        &[
            (1000, "end [0, 1] grace 0s"),
            (1000, "TestStop"),
            (1000, "Quit"),
        ],
    );
}

/// One thing that may happen to a run.
fn happening() -> impl Strategy<Value = (u64, u8, u64)> {
    (0_u64..3000, 0_u8..10, 0_u64..20)
}

proptest! {
    #[test]
    fn whatever_happens_a_run_ends_and_leaves_nobody(
        happenings in prop::collection::vec(happening(), 0..40),
        gentle: bool,
    ) {
        let settings = if gentle { GENTLE_STOP } else { INSTANT_STOP };
        let mut replay = Replay::new(settings, Obeys::OnlyAtOnce);
        let mut ms = 0;
        for (pause_ms, what, number) in happenings {
            ms += pause_ms;
            replay.wind_to(ms);
            match what {
                0..=4 => replay.tell(swarm(number, 0.5 + number as f64, None)),
                5 => replay.tell(Command::Stop),
                _ => {
                    if let Some(user) = replay.alive.get(number as usize).copied() {
                        replay.user_ends(user);
                    }
                }
            }
            prop_assert_eq!(replay.runner.user_count(), replay.alive.len() as u64);
        }
        replay.tell(Command::Quit);
        replay.wind_to(ms + 10_000);
        prop_assert!(replay.runner.is_over());
        prop_assert!(replay.alive.is_empty());
        let log = replay.take_log();
        let count = |text: &str| log.iter().filter(|(_, noted)| noted == text).count();
        prop_assert_eq!(count("TestStart"), count("TestStop"));
        prop_assert_eq!(count("Quit"), 1);
    }
}
