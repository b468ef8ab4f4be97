//! What a run with a web page adds: tests that end while the program goes on, and
//! classes that are changed between tests.

use super::replay::{INSTANT_STOP, Obeys, Replay, assert_log, classes, swarm};
use crate::{ClassId, Command, RunState, Settings};

#[test]
fn a_time_limit_ends_the_test_but_not_a_program_that_outlives_it() {
    let settings = Settings {
        outlives_tests: true,
        ..INSTANT_STOP
    };
    let mut replay = Replay::new(settings, Obeys::Always);
    for round in 0..2 {
        replay.tell(swarm(1, 1.0, Some(3)));
        replay.wind_to(5_000 * (round + 1));
        assert_eq!(replay.runner.state(), RunState::Stopped);
        assert!(!replay.runner.is_over());
    }
}

#[test]
fn a_class_without_weight_is_left_out_from_the_next_test_on() {
    let mut replay = Replay::new(INSTANT_STOP, Obeys::Always);
    replay.tell(Command::SetClass {
        class: ClassId(0),
        weight: 0.0,
        fixed_count: 0,
    });
    replay.tell(swarm(2, 100.0, None));
    replay.wind_to(1_000);
    let log = replay.take_log();
    assert_log(
        &log[2..],
        &[
            (0, "spawn 0 of 1"),
            (10, "spawn 1 of 1"),
            (10, "complete 2"),
        ],
    );
}

#[test]
fn other_classes_hold_from_the_next_test_on() {
    let settings = Settings {
        outlives_tests: true,
        ..INSTANT_STOP
    };
    let one = classes().split_off(1);
    let configure = Command::Configure {
        classes: one,
        settings,
    };
    let mut replay = Replay::new(settings, Obeys::Always);
    replay.tell(swarm(3, 100.0, None));
    replay.wind_to(1_000);
    replay.tell(configure.clone());
    assert_eq!(replay.runner.active_by_class(), [2, 1], "a test goes on");
    replay.tell(Command::Stop);
    replay.tell(configure);
    replay.tell(swarm(3, 100.0, None));
    replay.wind_to(2_000);
    assert_eq!(replay.runner.active_by_class(), [3]);
}
