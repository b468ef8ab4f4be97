//! What the steps showed, in words and tables.

use std::fmt::Write as _;

use super::{Step, StepRun, Stress, Usl, knee};
use crate::guide;

/// Everything about a run in steps.
pub fn told(run: &StepRun) -> String {
    let mut steps = run.steps().to_vec();
    steps.sort_by_key(|step| step.users);
    if steps.is_empty() {
        return "No step was complete.\n".to_owned();
    }
    let mut text = "Scaling Analysis:\n".to_owned();
    for step in &steps {
        let _ = writeln!(text, "- {}", guide::step(step));
    }
    text + &table(&steps) + &conclusions(run)
}

/// What the steps come to, line by line; nothing without steps.
pub fn conclusions(run: &StepRun) -> String {
    let mut steps = run.steps().to_vec();
    steps.sort_by_key(|step| step.users);
    if steps.is_empty() {
        return String::new();
    }
    let mut text = match run.stress() {
        Some(stress) => found(&stress),
        None => shape(&steps),
    };
    if !run.is_complete() {
        text += "The run ended before its last step.\n";
    }
    text
}

fn table(steps: &[Step]) -> String {
    let mut text = format!(
        "\n{:>7}  {:>10}  {:>9}  {:>9}  {:>9}  {:>9}  Steady\n",
        "Users", "Requests/s", "Success", "p50", "p95", "p99"
    );
    for step in steps {
        let ms = |time: Option<f64>| time.map_or_else(|| "-".to_owned(), guide::ms);
        let notes = [
            match step.steady {
                Some(true) => "yes",
                _ => "no",
            },
            if step.generator_bound {
                ", the generator was the limit"
            } else {
                ""
            },
        ];
        let _ = writeln!(
            text,
            "{:>7}  {:>10.1}  {:>8.2}%  {:>9}  {:>9}  {:>9}  {}",
            step.users,
            step.rps,
            step.success_ratio() * 100.0,
            ms(step.p50),
            ms(step.p95),
            ms(step.p99),
            notes.concat(),
        );
    }
    text + "\n"
}

/// What the steps have in common.
fn shape(steps: &[Step]) -> String {
    let mut text = match knee(steps) {
        Some(knee) => format!(
            "Beyond {} users, more users bring less than half of what the first ones do, each.\n",
            knee.users
        ),
        None => "Throughput grew with the users to the end.\n".to_owned(),
    };
    let Some(usl) = Usl::fit(steps) else {
        text += "Four steps or more are fitted by the Universal Scalability Law.\n";
        return text;
    };
    let _ = writeln!(
        text,
        "Universal Scalability Law: {:.2} requests/s of a user alone, contention {:.2} %, crosstalk {:.4} % (R² {:.3}).",
        usl.per_user,
        usl.contention * 100.0,
        usl.crosstalk * 100.0,
        usl.r_squared
    );
    let most = steps.last().map_or(0, |step| step.users) as f64;
    match usl.peak_users() {
        Some(peak) if peak <= most => {
            let _ = writeln!(
                text,
                "Most throughput at about {peak:.0} users: {:.1} requests/s.",
                usl.throughput(peak)
            );
        }
        Some(peak) => {
            let _ = writeln!(
                text,
                "By it, most throughput would be at about {peak:.0} users ({:.1} requests/s), which was not tried.",
                usl.throughput(peak)
            );
        }
        None => text += "By it, more users always bring more; none of these steps shows a peak.\n",
    }
    text
}

fn found(stress: &Stress) -> String {
    let mut text = match (stress.good, stress.bad) {
        (0, Some(bad)) => format!("Maximum sustainable load: below {bad} users.\n"),
        (good, Some(bad)) => {
            format!("Maximum sustainable load: {good} users (with {bad} it was not as expected).\n")
        }
        (good, None) => {
            format!("Maximum sustainable load: {good} users or more; it was never exceeded.\n")
        }
    };
    if !stress.generator_bound {
        text += &match stress.sure {
            (0, None) => "No step was clear enough to say so with 95 % confidence.\n".to_owned(),
            (0, Some(bad)) => format!("With 95 % confidence it is below {bad} users.\n"),
            (good, None) => format!("With 95 % confidence it is {good} users or more.\n"),
            (good, Some(bad)) => {
                format!("With 95 % confidence it is at least {good} and below {bad} users.\n")
            }
        };
    }
    if !stress.failed_first.is_empty() {
        let _ = writeln!(
            text,
            "What failed first: {}",
            stress.failed_first.join("; ")
        );
    }
    if stress.generator_bound {
        text += "So this is what the generator can do; the service's limit is not known.\n";
    }
    if let Some((before, after, recovered)) = &stress.recovery {
        let ms = |step: &Step| step.p95.map_or_else(|| "unknown".to_owned(), guide::ms);
        let said = if *recovered {
            "has recovered"
        } else {
            "has NOT recovered"
        };
        let _ = writeln!(
            text,
            "Afterwards the service {said}: p95 with {} users was {} before and {} after.",
            before.users,
            ms(before),
            ms(after)
        );
    }
    if !stress.complete {
        text += "The search was not complete.\n";
    }
    text
}
