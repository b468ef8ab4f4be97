//! When requests failed, and how.

use super::moments::{POINTS_MIN, parts, peak};
use super::{Advice, FAILED};
use crate::course::Point;
use crate::locust_json::utc_second;
use crate::resources::Kind;
use crate::summary::RunSummary;

/// Fewer failures than this say nothing.
const FAILURES_MIN: u64 = 5;
/// The share of all failures that one kind needs to be what it is about.
const MOSTLY: f64 = 0.5;
/// The share of moments in which requests fail, once they do.
const LASTING: f64 = 0.5;
/// Failures this close to a restart, in seconds, happened with it.
const NEAR_S: f64 = 10.0;

/// The service started again during the run.
pub(super) fn restarted(run: &RunSummary) -> Option<Advice> {
    parts(run, Kind::Target).find_map(|part| {
        let first = part.points.iter().find(|point| point.restarts > 0)?;
        let near = run.failures.iter().filter(|failure| {
            let seen = failure.first_seen_s.zip(failure.last_seen_s);
            seen.is_some_and(|(from, to)| from - NEAR_S <= first.t && first.t <= to + NEAR_S)
        });
        let failed: u64 = near.map(|failure| failure.occurrences).sum();
        let failed = match failed {
            0 => String::new(),
            failed => format!("; {failed} requests failed in ways first or last seen around then"),
        };
        Some(Advice {
            problem: FAILED,
            evidence: format!(
                "the {} started again {} time(s), first at {}{failed}",
                part.label(),
                part.restarts(),
                utc_second(first.t)
            ),
            advice: "Check its log for why it ended (docker-compose logs api_1), its exit code, and its memory",
        })
    })
}

/// Requests failed only from some number of users on.
pub(super) fn begin_with_users(run: &RunSummary) -> Option<Advice> {
    if run.total.failures < FAILURES_MIN {
        return None;
    }
    let first = run.course.iter().find(|point| point.fps > 0.0)?;
    let busy = run.course.iter().filter(|point| point.rps > 0.0);
    let (below, above): (Vec<&Point>, Vec<&Point>) =
        busy.partition(|point| point.users < first.users);
    let failing = above.iter().filter(|point| point.fps > 0.0).count();
    let is_clear = below.len() >= POINTS_MIN
        && below.iter().all(|point| point.fps == 0.0)
        && failing >= POINTS_MIN
        && failing as f64 >= LASTING * above.len() as f64;
    let most = below.iter().map(|point| point.users).max()?;
    let rate = |of: fn(&Point) -> f32| above.iter().map(|point| f64::from(of(point))).sum::<f64>();
    is_clear.then(|| Advice {
        problem: FAILED,
        evidence: format!(
            "none failed with up to {most} users; with {} to {} users {:.1} % did",
            first.users,
            peak(run),
            100.0 * rate(|point| point.fps) / rate(|point| point.rps)
        ),
        advice: "The service gives up under load: look at its limits (queue, workers, connections, open files) and add replicas",
    })
}

/// What an error is about, by words that it has.
const KINDS: [(&[&str], &str, &str); 5] = [
    (
        &["refused"],
        "nobody listened",
        "Verify that the service runs and is well: curl HOST/health",
    ),
    (
        &["timed out", "timeout"],
        "no answer came in time",
        "Check whether the service still works (curl HOST/health) and how long its queue is; check the network",
    ),
    (
        &["reset", "broken pipe", "without response", "aborted"],
        "the connection was closed without an answer",
        "Check the service's log for a crash or a limit of connections, and timeouts of proxies between",
    ),
    (
        &["503", "429", "502", "504"],
        "the service, or a proxy before it, refused for load",
        "Add replicas or resources, or load it less; the error log says which limit was met",
    ),
    (
        &["500", "internal server error"],
        "the service failed inside",
        "Check its error log (docker-compose logs api_1) for the traceback",
    ),
];

/// Most failures are of one kind.
pub(super) fn of_one_kind(run: &RunSummary) -> Option<Advice> {
    let all: u64 = run.failures.iter().map(|failure| failure.occurrences).sum();
    if all < FAILURES_MIN {
        return None;
    }
    KINDS.iter().find_map(|(words, meaning, advice)| {
        let fits = |error: &str| {
            let error = error.to_lowercase();
            words.iter().any(|word| has_word(&error, word))
        };
        let fitting: Vec<_> = run
            .failures
            .iter()
            .filter(|failure| fits(&failure.error))
            .collect();
        let count: u64 = fitting.iter().map(|failure| failure.occurrences).sum();
        let most = fitting.iter().max_by_key(|failure| failure.occurrences)?;
        (count as f64 > MOSTLY * all as f64).then(|| Advice {
            problem: FAILED,
            evidence: format!(
                "{count} of {all} failures say that {meaning}, most often {} {}: {}",
                most.method,
                most.name,
                shortened(&most.error)
            ),
            advice,
        })
    })
}

/// A number is a word of its own: 503 is none in 15031.
fn has_word(text: &str, word: &str) -> bool {
    if !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.contains(word);
    }
    text.split(|c: char| !c.is_ascii_digit())
        .any(|number| number == word)
}

fn shortened(error: &str) -> String {
    const LENGTH: usize = 120;
    let plain: String = error
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LENGTH)
        .collect();
    if error.chars().count() > LENGTH {
        format!("{plain}…")
    } else {
        plain
    }
}
