//! Open runs: iterations that arrive, whatever the earlier ones do.

use std::time::Duration;

use super::replay::{GENTLE_STOP, INSTANT_STOP, Obeys, Replay, assert_log, swarm};
use crate::plan::ArrivalPlan;
use crate::{Command, Settings, UserId};

fn open(settings: Settings, rate: &str) -> Replay {
    let mut replay = Replay::new(settings, Obeys::Always);
    let plan = ArrivalPlan {
        rate: rate.parse().expect(rate),
        ramp: Duration::from_secs(4),
        poisson: None,
    };
    replay.runner = replay.runner.with_arrivals(Some(plan));
    replay
}

fn free(replay: &mut Replay, users: &[u64]) {
    for user in users {
        replay.tell(Command::UserFree(UserId(*user)));
    }
}

#[test]
fn arrivals_begin_when_all_users_have_started_and_end_with_the_test() {
    let mut replay = open(INSTANT_STOP, "2");
    replay.tell(swarm(2, 1.0, Some(3)));
    replay.wind_to(999);
    free(&mut replay, &[0]);
    replay.wind_to(1_000);
    free(&mut replay, &[1]);
    replay.take_log();
    replay.wind_to(1_800);
    free(&mut replay, &[1]);
    replay.wind_to(9_000);
    assert_log(
        &replay.take_log(),
        &[
            (1_500, "1 takes 1500"),
            (2_000, "1 takes 2000"),
            // Those of 2.5 and 3 s find nobody.
            (3_000, "Dropped { arrivals: 2 }"),
            (3_000, "TestStopping"),
            (3_000, "end [0, 1] grace 2s"),
            (3_000, "TestStop"),
            (3_000, "Quit"),
        ],
    );
    assert_eq!(replay.runner.next_deadline(), None);
}

#[test]
fn a_rate_changes_until_the_time_limit() {
    let mut replay = open(INSTANT_STOP, "0..2");
    replay.tell(swarm(1, 1.0, Some(4)));
    replay.take_log();
    for ms in [0, 1_500, 2_500, 3_500] {
        replay.wind_to(ms);
        free(&mut replay, &[0]);
    }
    replay.wind_to(3_999);
    // 0 to 2 a second in 4 s: arrival k after 2·√k seconds.
    assert_log(
        &replay.take_log(),
        &[
            (0, "0 takes 0"),
            (2_000, "0 takes 2000"),
            (2_828, "0 takes 2828"),
            (3_500, "0 takes 3464"),
        ],
    );
}

#[test]
fn a_user_that_is_ended_takes_nothing() {
    let mut replay = open(GENTLE_STOP, "1");
    replay.tell(swarm(2, 10.0, None));
    replay.wind_to(100);
    free(&mut replay, &[0, 1]);
    replay.tell(swarm(1, 10.0, None));
    replay.user_ends(UserId(0));
    replay.take_log();
    replay.wind_to(2_500);
    assert_eq!(
        replay.take_log(),
        [],
        "one was told to finish, one has ended"
    );
    replay.tell(Command::Abort);
    assert_log(
        &replay.take_log(),
        &[
            // Of 1.1 and 2.1 s; that of 0.1 s was taken by user 0.
            (2_500, "Dropped { arrivals: 2 }"),
            (2_500, "TestStopping"),
            (2_500, "TestStop"),
            (2_500, "Quit"),
        ],
    );
}

#[test]
fn every_test_has_arrivals_of_its_own() {
    let settings = Settings {
        outlives_tests: true,
        ..INSTANT_STOP
    };
    let mut replay = open(settings, "1");
    for (test, user) in [(0, 0), (1, 1)] {
        replay.tell(swarm(1, 1.0, Some(2)));
        free(&mut replay, &[user]);
        replay.wind_to(4_000 * (test + 1));
        let log = replay.take_log();
        let took = format!("{user} takes {}", 4_000 * test);
        assert!(log.iter().any(|(_, text)| *text == took), "{log:?}");
    }
}
