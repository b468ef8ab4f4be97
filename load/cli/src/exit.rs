//! How the program ends, and with which code.

use std::io::{self, Write};

/// Everything went well.
pub const SUCCESS: i32 = 0;
/// Nothing could be run: no locustfile, no users in it, a CSV path that cannot
/// be written. `--exit-code-on-error`'s default, for a run in which requests
/// failed or tasks raised, is the same number.
pub const FAILURE: i32 = 1;
/// A flag, an environment variable or a configuration file is wrong; also a run
/// in which a listener raised.
pub const USAGE: i32 = 2;

/// The run is not as `--expect` says, or `--abort-on` has ended it.
pub const NOT_AS_EXPECTED: i32 = 3;

/// An end before any test ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// What the user asked to see, for stdout.
    Shown(String),
    /// A mistake in flags or settings.
    Usage(String),
    /// Something that is missing or does not work.
    Failed(String),
}

impl Exit {
    /// The exit code.
    pub fn code(&self) -> i32 {
        match self {
            Self::Shown(_) => SUCCESS,
            Self::Usage(_) => USAGE,
            Self::Failed(_) => FAILURE,
        }
    }

    /// Prints what there is to say, and gives the exit code. Nothing can be said
    /// about an output that does not take it.
    pub fn say(&self, program: &str) -> i32 {
        let _ = match self {
            Self::Shown(text) => write!(io::stdout(), "{text}"),
            Self::Usage(text) => writeln!(io::stderr(), "{program}: error: {text}"),
            Self::Failed(text) => writeln!(io::stderr(), "{program}: {text}"),
        };
        self.code()
    }
}

/// What the exit code of a run depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Verdict {
    /// What the locustfile set as `environment.process_exit_code`.
    pub asked_for: Option<i32>,
    /// Whether something that was expected is not so.
    pub not_as_expected: bool,
    /// Whether a request failed, unless an expectation says how many may, or a task raised.
    pub had_errors: bool,
    /// Whether a listener raised.
    pub listener_raised: bool,
    /// Whether a report could not be written.
    pub report_failed: bool,
}

/// The exit code of a run: what the locustfile asks for; else 3 if it is not as expected;
/// else `on_error`
/// (`--exit-code-on-error`) if a request failed or a task raised; else 2 if a
/// listener raised; else 1 if a report could not be written; else 0.
/// Source: observed on Locust 2.47, but for expectations, which it does not know, and
/// the report, which it does not look at.
pub fn code_of_run(verdict: Verdict, on_error: i32) -> i32 {
    match verdict.asked_for {
        Some(code) => code,
        None if verdict.not_as_expected => NOT_AS_EXPECTED,
        None if verdict.had_errors => on_error,
        None if verdict.listener_raised => USAGE,
        None if verdict.report_failed => FAILURE,
        None => SUCCESS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_reason_decides_the_exit_code() {
        let well = Verdict::default();
        let reports = Verdict {
            report_failed: true,
            ..well
        };
        let raised = Verdict {
            listener_raised: true,
            ..reports
        };
        let errors = Verdict {
            had_errors: true,
            ..raised
        };
        let unexpected = Verdict {
            not_as_expected: true,
            ..errors
        };
        let asked = |code| Verdict {
            asked_for: Some(code),
            ..unexpected
        };
        for (verdict, expected) in [
            (well, 0),
            (reports, 1),
            (raised, 2),
            (errors, 9),
            (unexpected, 3),
            (asked(3), 3),
            (asked(0), 0),
        ] {
            assert_eq!(code_of_run(verdict, 9), expected, "{verdict:?}");
        }
    }
}
