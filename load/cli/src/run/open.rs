//! `--rate`: runs whose iterations arrive at a rate of their own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use acrida_engine::SpawnRate;
use acrida_engine::plan::ArrivalPlan;
use log::info;

use crate::exit::Exit;
use crate::options::Options;

/// Refuses what cannot be meant together with `--rate`.
pub(super) fn check(options: &Options, has_shape: bool) -> Result<(), Exit> {
    let clash = if options.rate.is_none() {
        return Ok(());
    } else if has_shape {
        "the locustfile has a load shape, which decides about users: leave it or '--rate' out"
    } else if options.stepped.is_some() {
        "steps are numbers of users, '--rate' is a rate of arrivals: leave one of them out"
    } else {
        return Ok(());
    };
    Err(Exit::Usage(clash.to_owned()))
}

/// The arrivals that were asked for.
pub(super) fn plan(options: &Options) -> Option<ArrivalPlan> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = now.map_or(0, |now| now.as_nanos() as u64);
    Some(ArrivalPlan {
        rate: options.rate?,
        ramp: options.run_time.unwrap_or(Duration::ZERO),
        poisson: options.poisson.then_some(seed),
    })
}

/// Users per second where nobody says it: the pool of an open run is there within a
/// second, otherwise it is Locust's default.
pub(super) fn spawn_rate(options: &Options) -> SpawnRate {
    let pool = options.users.filter(|_| options.rate.is_some());
    let within_a_second = pool.and_then(|users| SpawnRate::try_from(users as f64).ok());
    within_a_second.unwrap_or(SpawnRate::ONE)
}

/// Says what the run is like.
pub(super) fn narrate(options: &Options) {
    if let Some(rate) = options.rate {
        let spread = if options.poisson {
            ", at random (Poisson)"
        } else {
            ""
        };
        info!(
            target: "locust.main",
            "Open run: {rate} iterations arrive per second{spread}, for up to {} users at a time; wait_time is not looked at",
            options.users.unwrap_or(1)
        );
    }
}
