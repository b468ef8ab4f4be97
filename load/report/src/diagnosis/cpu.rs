//! Whether response times rose with CPU, or without it.

use super::moments::{parts, peak, rise, together};
use super::{Advice, SLOW};
use crate::course::Point;
use crate::guide::ms;
use crate::resources::{Kind, Part, Usage};
use crate::summary::RunSummary;

/// From this share of what there is, CPU is used up.
const BUSY: f32 = 0.95;
/// Below this share there was plenty left.
const CALM: f32 = 0.8;
/// Below this share CPU is not what anything waits for.
const IDLE: f32 = 0.7;
/// What p95 has to rise by before a cause is looked for.
const RISE: f64 = 1.5;
/// The same where more users are all that is known to have changed.
const RISE_WITH_USERS: f64 = 2.0;
/// p95 below this is nothing to worry about, whatever it rose from; in ms. It is the
/// guide's bound of what is good.
const FAST_MS: f64 = 500.0;
/// A run that is busy for this share of its time is so all along.
const ALL_ALONG: f64 = 0.8;

/// CPU that may be used up.
struct Share<'a> {
    /// Whose it is.
    of: String,
    /// How much there is.
    limit: String,
    /// Users and times with the share that was used then, 0.0 to 1.0.
    moments: Vec<(&'a Point, f32)>,
    advice: &'static str,
}

/// The service, its busiest thread, and the machine: the first that was used up tells most.
fn shares(run: &RunSummary) -> Vec<Share<'_>> {
    let mut shares = Vec::new();
    let of = |part, share: &dyn Fn(&Usage) -> Option<f32>| -> Vec<(&Point, f32)> {
        let moments = together(run, part).into_iter();
        moments
            .filter_map(|(point, usage)| Some((point, share(usage)?)))
            .collect()
    };
    for part in parts(run, Kind::Target) {
        if let Some(limit) = part.cpu_limit {
            shares.push(Share {
                of: format!("the CPU of the {}", part.label()),
                limit: cores(limit),
                moments: of(part, &|usage| Some(usage.cpu? / limit)),
                advice: "Add replicas (docker-compose up -d --scale api=5) or CPU, or profile where the time goes",
            });
        }
        shares.push(Share {
            of: format!("one thread of the {}", part.label()),
            limit: cores(100.0),
            moments: of(part, &|usage| Some(usage.busiest_thread? / 100.0)),
            advice: "A faster core or less work in that thread helps, and so do replicas; more cores alone do not",
        });
    }
    for part in parts(run, Kind::Machine) {
        if let Some(limit) = part.cpu_limit {
            shares.push(Share {
                of: "the CPU of this machine, on which the load is made,".to_owned(),
                limit: cores(limit),
                moments: of(part, &|usage| Some(usage.cpu? / limit)),
                advice: "If the service runs here too, give it a machine of its own, or both more CPU",
            });
        }
    }
    shares
}

fn cores(limit: f32) -> String {
    match limit / 100.0 {
        1.0 => "1 core".to_owned(),
        cores => format!("{} cores", (cores * 100.0).round() / 100.0),
    }
}

/// Response times were higher when CPU was used up, or high while it was so all along.
pub(super) fn slow_when_busy(run: &RunSummary) -> Option<Advice> {
    let shares = shares(run);
    let rose = shares
        .iter()
        .find_map(|share| Some((share, rose_when_busy(share)?)));
    let found = rose.or_else(|| {
        shares
            .iter()
            .find_map(|share| Some((share, busy_all_along(share)?)))
    });
    found.map(|(share, evidence)| Advice {
        problem: SLOW,
        evidence: with_eaters(run, share, evidence),
        advice: share.advice,
    })
}

fn rose_when_busy(share: &Share<'_>) -> Option<String> {
    let p95 = |wanted: &dyn Fn(f32) -> bool| -> Vec<f64> {
        let moments = share.moments.iter().filter(|(_, used)| wanted(*used));
        moments
            .filter_map(|(point, _)| point.p95.map(f64::from))
            .collect()
    };
    let (from, to) = rise(p95(&|used| used < CALM), p95(&|used| used >= BUSY), RISE)?;
    // One busy second is none yet: the users are those of the first three in a row.
    let first = share
        .moments
        .windows(3)
        .find(|three| three.iter().all(|(_, used)| *used >= BUSY))?;
    Some(format!(
        "p95 rose from {} to {} when {} reached 100 % of {}, at {} users",
        ms(from),
        ms(to),
        share.of,
        share.limit,
        first[0].0.users
    ))
}

fn busy_all_along(share: &Share<'_>) -> Option<String> {
    let timed: Vec<_> = share
        .moments
        .iter()
        .filter(|(point, _)| point.p95.is_some())
        .collect();
    let busy: Vec<_> = timed.iter().filter(|(_, used)| *used >= BUSY).collect();
    let ratio = busy.len() as f64 / timed.len().max(1) as f64;
    let mut p95: Vec<f64> = busy
        .iter()
        .filter_map(|(point, _)| point.p95.map(f64::from))
        .collect();
    let median = super::moments::quantile(&mut p95, 0.5)?;
    (busy.len() >= 2 * super::moments::POINTS_MIN && ratio >= ALL_ALONG && median > FAST_MS).then(
        || {
            format!(
                "p95 was {} while {} was at 100 % of {} for {:.0} % of the time",
                ms(median),
                share.of,
                share.limit,
                ratio * 100.0
            )
        },
    )
}

/// Says who used the machine while it was full.
fn with_eaters(run: &RunSummary, share: &Share<'_>, evidence: String) -> String {
    if !share.of.contains("machine") {
        return evidence;
    }
    let average = |part: &Part| {
        let used: Vec<f32> = together(run, part)
            .into_iter()
            .filter(|(point, _)| {
                share
                    .moments
                    .iter()
                    .any(|(busy, used)| busy.t == point.t && *used >= BUSY)
            })
            .filter_map(|(_, usage)| usage.cpu)
            .collect();
        (!used.is_empty()).then(|| used.iter().sum::<f32>() / used.len() as f32)
    };
    let users = parts(run, Kind::Target).chain(parts(run, Kind::Generator));
    let eaters: Vec<_> = users
        .filter_map(|part| Some(format!("the {} {:.0} %", part.label(), average(part)?)))
        .collect();
    match &eaters[..] {
        [] => evidence,
        eaters => format!("{evidence} (of a core, {})", eaters.join(", ")),
    }
}

/// Response times rose with users although no CPU that was seen was used up.
pub(super) fn slow_while_idle(run: &RunSummary) -> Option<Advice> {
    let peak = peak(run);
    let p95 = |wanted: &dyn Fn(u64) -> bool| -> Vec<f64> {
        let points = run.course.iter().filter(|point| wanted(point.users));
        points
            .filter_map(|point| point.p95.map(f64::from))
            .collect()
    };
    let few = |users: u64| users > 0 && users * 2 <= peak;
    let (from, to) = rise(
        p95(&few),
        p95(&|users| users * 10 >= peak * 9),
        RISE_WITH_USERS,
    )?;
    let shares = shares(run);
    let seen: Vec<_> = shares
        .iter()
        .map(|share| {
            let mut used: Vec<f64> = share
                .moments
                .iter()
                .map(|(_, used)| f64::from(*used))
                .collect();
            (share, used.len(), super::moments::quantile(&mut used, 0.95))
        })
        .collect();
    let is_idle = |used: &Option<f64>| used.is_none_or(|used| used < f64::from(IDLE));
    if !seen.iter().all(|(_, _, used)| is_idle(used)) {
        return None;
    }
    // Without the service's own CPU nothing can be said about it.
    let (share, _, used) = seen.iter().find(|(share, moments, _)| {
        share.of.contains("service") && *moments >= 2 * super::moments::POINTS_MIN
    })?;
    let low = run
        .course
        .iter()
        .map(|point| point.users)
        .filter(|users| few(*users))
        .max()?;
    (to > FAST_MS).then_some(())?;
    Some(Advice {
        problem: SLOW,
        evidence: format!(
            "p95 rose from {} with up to {low} users to {} with {peak}, while {} stayed under {:.0} % of {}",
            ms(from),
            ms(to),
            share.of,
            // A thousandth of a percent is the arithmetic, not the CPU.
            (used.unwrap_or(0.0) * 100.0 - 1e-3).ceil(),
            share.limit
        ),
        advice: "CPU is not what requests wait for: look at the number of workers, locks, connection pools and the database",
    })
}
