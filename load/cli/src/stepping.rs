//! `acrida scale` and `acrida stress`: runs whose number of users changes in steps. They
//! take the flags of every run, and a few of their own, which are read here.

use acrida_report::expect::{Expectation, Metric};
use acrida_report::scaling::Plan;

use crate::exit::Exit;
use crate::flags::parse_time_span;
use crate::options::Options;

/// The most steps, and the most users in one.
const STEPS_MAX: usize = 50;
const USERS_MAX: u64 = 1_000_000;
/// The users of `scale` unless it is told otherwise: those of the guide's example.
const STEPS: &str = "10,25,50,100";
/// How long a step is held at most, in seconds, unless it is told otherwise.
const HOLD_S: u64 = 60;
/// The shortest hold in which a step can become steady.
const HOLD_MIN_S: u64 = 15;
/// The most users of `stress` unless `--users` says otherwise.
const STRESS_USERS: u64 = 1_000;
/// What a load has to do to be sustainable, unless `--expect` says otherwise: what the
/// load-testing guide does not call poor.
const SUSTAINABLE: [&str; 2] = ["p95 <= 1000ms", "fail_ratio <= 1%"];

/// What a command line says about steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepping {
    /// `--steps`; none means to search.
    steps: Option<Vec<u64>>,
    /// `--hold`, in seconds.
    hold_s: u64,
}

/// A run in steps, with everything that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stepped {
    /// Which steps.
    pub plan: Plan,
    /// What each has to be like.
    pub expectations: Vec<Expectation>,
    /// How long each is held at most, in seconds.
    pub hold_s: u64,
}

/// Takes the command's word and its own flags out of a line; none if it is no such line.
///
/// # Errors
///
/// [`Exit::Usage`] for a value that cannot be meant.
pub(crate) fn take(args: &mut Vec<String>) -> Result<Option<Stepping>, Exit> {
    let searches = match args.first().map(String::as_str) {
        Some("scale") => false,
        Some("stress") => true,
        _ => return Ok(None),
    };
    args.remove(0);
    let hold = take_value(args, "--hold")?;
    let hold_s = hold.map_or(Ok(HOLD_S), |text| hold_seconds(&text))?;
    let steps = if searches {
        None
    } else {
        let text = take_value(args, "--steps")?;
        Some(steps(text.as_deref().unwrap_or(STEPS))?)
    };
    Ok(Some(Stepping { steps, hold_s }))
}

/// What the help text says before the flags of every run.
pub(crate) fn help(program: &str, stepping: &Stepping) -> String {
    let what = match stepping.steps {
        Some(_) => format!(
            "Usage: {program} scale [--steps 10,25,50,100] [--hold 60s] [flags of a run]\n\n\
             Runs with these numbers of users, one after the other, each held until throughput and response times are \
             steady\nor for --hold; then prints the guide's scaling analysis and the Universal Scalability Law."
        ),
        None => format!(
            "Usage: {program} stress [--users 1000] [--hold 60s] [--expect …] [flags of a run]\n\n\
             Searches for the most users, up to --users, with which the run is as --expect says ({}),\n\
             and says what failed first and whether the service recovered afterwards.",
            SUSTAINABLE.join(", ")
        ),
    };
    format!("{what}\n\nThe flags of a run:\n\n")
}

/// The last value of a flag; every occurrence is taken out.
fn take_value(args: &mut Vec<String>, flag: &str) -> Result<Option<String>, Exit> {
    let mut value = None;
    let mut at = 0;
    while at < args.len() && args[at] != "--" {
        let joined = args[at]
            .strip_prefix(flag)
            .and_then(|rest| rest.strip_prefix('='));
        if let Some(joined) = joined {
            value = Some(joined.to_owned());
            args.remove(at);
        } else if args[at] == flag {
            args.remove(at);
            if at == args.len() {
                return Err(Exit::Usage(format!(
                    "argument {flag}: expected one argument"
                )));
            }
            value = Some(args.remove(at));
        } else {
            at += 1;
        }
    }
    Ok(value)
}

fn hold_seconds(text: &str) -> Result<u64, Exit> {
    let wrong = |why: String| Exit::Usage(format!("argument --hold: {why}"));
    let seconds = parse_time_span(text).map_err(|error| wrong(error.to_string()))?;
    if seconds < HOLD_MIN_S {
        return Err(wrong(format!("must be {HOLD_MIN_S}s or more, not {text}")));
    }
    Ok(seconds.min(24 * 3_600))
}

fn steps(text: &str) -> Result<Vec<u64>, Exit> {
    let wrong = |why: &str| {
        Exit::Usage(format!(
            "argument --steps: {why}; write numbers of users like {STEPS}"
        ))
    };
    let number = |word: &str| {
        word.trim()
            .parse()
            .ok()
            .filter(|users| (1..=USERS_MAX).contains(users))
    };
    let steps: Option<Vec<u64>> = text.split(',').map(number).collect();
    let steps = steps.ok_or_else(|| {
        wrong(&format!(
            "'{text}' is no list of numbers from 1 to {USERS_MAX}"
        ))
    })?;
    if steps.len() > STEPS_MAX {
        return Err(wrong(&format!("more than {STEPS_MAX} steps")));
    }
    Ok(steps)
}

impl Stepping {
    /// The run that follows, with the flags of every run.
    pub(crate) fn with(&self, options: &Options) -> Stepped {
        let expectations = options.reports.expectations.clone();
        match &self.steps {
            Some(steps) => Stepped {
                plan: Plan::Steps(steps.clone()),
                expectations,
                hold_s: self.hold_s,
            },
            None => Stepped {
                plan: Plan::Search {
                    users_max: options.users.unwrap_or(STRESS_USERS).clamp(1, USERS_MAX),
                },
                expectations: limits(expectations),
                hold_s: self.hold_s,
            },
        }
    }
}

/// What limits a load: not how much of it there is.
fn limits(mut expectations: Vec<Expectation>) -> Vec<Expectation> {
    expectations
        .retain(|expectation| !matches!(expectation.metric, Metric::Rps | Metric::Requests));
    if expectations.is_empty() {
        expectations = SUSTAINABLE
            .map(|text| text.parse().expect("it is an expectation"))
            .to_vec();
    }
    expectations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(line: &str) -> (Result<Option<Stepping>, Exit>, Vec<String>) {
        let mut args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        (take(&mut args), args)
    }

    #[test]
    fn own_flags_are_taken_out_and_the_others_left() {
        for (line, steps, hold_s, rest) in [
            ("scale -f a.py", Some(vec![10, 25, 50, 100]), 60, "-f a.py"),
            (
                "scale --steps 1,2 -u 5 --hold=1m30s",
                Some(vec![1, 2]),
                90,
                "-u 5",
            ),
            (
                "scale --steps=3 --steps 4 -- --hold",
                Some(vec![4]),
                60,
                "-- --hold",
            ),
            ("stress --hold 20 --users 7", None, 20, "--users 7"),
        ] {
            let (stepping, args) = taken(line);
            assert_eq!(stepping, Ok(Some(Stepping { steps, hold_s })), "{line}");
            assert_eq!(args.join(" "), rest, "{line}");
        }
        for line in ["", "-f scale", "Scale", "--steps 5", "-- scale"] {
            assert_eq!(taken(line).0, Ok(None), "{line}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("scale --steps", "--steps: expected one argument"),
            ("scale --steps 5,x", "'5,x' is no list"),
            ("scale --steps 0", "'0' is no list"),
            ("scale --hold 5", "--hold: must be 15s or more"),
            ("stress --hold x", "--hold: "),
        ] {
            let (Err(Exit::Usage(text)), _) = taken(line) else {
                panic!("{line} is a mistake");
            };
            assert!(text.contains(part), "{line}: {text}");
        }
    }

    #[test]
    fn throughput_is_no_limit_of_a_load() {
        let given = ["rps > 20", "p95 < 2s"].map(|text| text.parse().expect(text));
        let texts = |expectations: Vec<Expectation>| -> Vec<String> {
            expectations.iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(limits(given.to_vec())), ["p95 < 2000ms"]);
        assert_eq!(
            texts(limits(vec![given[0].clone()])),
            ["p95 <= 1000ms", "fail_ratio <= 1%"]
        );
    }
}
