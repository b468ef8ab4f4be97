//! Whether memory ran out, or is on its way there.

use super::moments::{parts, peak, together};
use super::{Advice, MEMORY};
use crate::guide::duration;
use crate::resources::Kind;
use crate::summary::RunSummary;
use crate::trend::monotone::monotone;

/// From this share of its limit, memory is short.
const SHORT: f32 = 0.95;
/// Growth below these is what programs do while they warm up.
const GROWTH_MB: f64 = 32.0;
const GROWTH: f64 = 0.1;
/// How long the users have to stay the same, in seconds and points.
const STEADY_S: f64 = 60.0;
const STEADY_POINTS: usize = 20;
/// A second half that grows by less than this share of what the first one did levels off.
const LEVELLING: f64 = 0.5;

const ADVICE: &str = "Reduce the number of concurrent users, look for memory leaks in the service, or give its container more memory";

/// The system killed the service for lack of memory.
pub(super) fn killed(run: &RunSummary) -> Option<Advice> {
    parts(run, Kind::Target).find_map(|part| {
        let first = part.points.iter().find(|point| point.oom_kills > 0)?;
        let kills = part.points.iter().map(|point| point.oom_kills).max()?;
        let users = together(run, part)
            .into_iter()
            .find(|(_, usage)| usage.oom_kills > 0);
        let users = users.map_or_else(String::new, |(point, _)| {
            format!(", with {} users", point.users)
        });
        Some(Advice {
            problem: MEMORY,
            evidence: format!(
                "the {} was killed for lack of memory {kills} time(s), first at {}{users}",
                part.label(),
                crate::locust_json::utc_second(first.t)
            ),
            advice: ADVICE,
        })
    })
}

/// The service came close to the memory that it may have.
pub(super) fn near_limit(run: &RunSummary) -> Option<Advice> {
    parts(run, Kind::Target).find_map(|part| {
        let limit = part.memory_limit_mb?;
        let memory = |point: &crate::resources::Usage| point.memory_mb.unwrap_or(0.0);
        let first = part
            .points
            .iter()
            .find(|point| memory(point) >= SHORT * limit)?;
        let most = part.points.iter().map(memory).fold(0.0, f32::max);
        Some(Advice {
            problem: MEMORY,
            evidence: format!(
                "the {} used {most:.0} of the {limit:.0} MB that it may have, from {} on",
                part.label(),
                crate::locust_json::utc_second(first.t)
            ),
            advice: ADVICE,
        })
    })
}

/// The service's memory grew while the users stayed the same, and did not level off.
pub(super) fn grows(run: &RunSummary) -> Option<Advice> {
    let peak = peak(run);
    parts(run, Kind::Target).find_map(|part| {
        let steady: Vec<(f64, f64)> = together(run, part)
            .into_iter()
            .filter(|(point, _)| point.users * 10 >= peak * 9)
            .filter_map(|(_, usage)| Some((usage.t, f64::from(usage.memory_mb?))))
            .collect();
        let (first, last) = (steady.first()?, steady.last()?);
        let seconds = last.0 - first.0;
        if seconds < STEADY_S || steady.len() < STEADY_POINTS || part.restarts() > 0 {
            return None;
        }
        let memory: Vec<f64> = steady.iter().map(|(_, memory)| *memory).collect();
        let (earlier, later) = memory.split_at(memory.len() / 2);
        let (earlier, later) = (monotone(earlier, 0.95)?, monotone(later, 0.95)?);
        let grown = last.1 - first.1;
        let goes_on = later.p < 0.01 && later.slope > 0.0 && later.slope >= LEVELLING * earlier.slope;
        (goes_on && grown >= GROWTH_MB && grown >= GROWTH * first.1).then(|| Advice {
            problem: MEMORY,
            evidence: format!(
                "the memory of the {} grew from {:.0} to {:.0} MB in {} with {peak} users ({:.1} MB a minute), and did not level off",
                part.label(),
                first.1,
                last.1,
                duration(seconds),
                grown / seconds * 60.0
            ),
            advice: ADVICE,
        })
    })
}

/// The machine of the generator had hardly any memory left.
pub(super) fn machine_is_full(run: &RunSummary) -> Option<Advice> {
    let part = parts(run, Kind::Machine).next()?;
    let limit = part.memory_limit_mb?;
    let most = part
        .points
        .iter()
        .filter_map(|point| point.memory_mb)
        .fold(0.0, f32::max);
    let generator = parts(run, Kind::Generator).next();
    let own = generator.and_then(|part| {
        part.points
            .iter()
            .filter_map(|point| point.memory_mb)
            .reduce(f32::max)
    });
    let own = own.map_or_else(String::new, |own| {
        format!(", the generator {own:.0} of them")
    });
    (most >= SHORT * limit).then(|| Advice {
        problem: MEMORY,
        evidence: format!("this machine used {most:.0} of its {limit:.0} MB{own}"),
        advice: "Reduce the number of concurrent users, or run the load and the service on different machines",
    })
}
