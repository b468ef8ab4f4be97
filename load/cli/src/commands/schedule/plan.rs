//! What a schedule runs, and when: the file that `--plan` names. Pure: its text comes in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::civil::{Time, Weekday};
use serde::Deserialize;

use super::calendar::Times;
use super::results::is_stamp;
use crate::config::line_of;

/// Where the folders of runs are unless something else is said: the guide's place.
pub(super) const RESULTS: &str = "logs/locust_results";
/// When a run is due unless something else is said: the guide's time.
pub(super) const AT: &str = "02:00";
/// How many folders of a run stay unless something else is said.
pub(super) const KEEP: u32 = 30;

const RUNS_MAX: usize = 64;
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
const NAME_LENGTH_MAX: usize = 64;

/// Runs, and whom to tell of those that were not as they should be.
#[derive(Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) hook: Option<String>,
    pub(super) webhook: Option<String>,
    /// At least one.
    pub(super) runs: Vec<Run>,
}

/// A run that is made again and again.
#[derive(Debug, PartialEq)]
pub(super) struct Run {
    /// None if it is the only one, which flags describe.
    pub(super) name: Option<String>,
    pub(super) times: Times,
    /// What its folders are in, and nothing but those of other runs.
    pub(super) results: PathBuf,
    /// How many of its folders stay, the newest ones.
    pub(super) keep: usize,
    pub(super) flags: Vec<String>,
}

/// The file; what it does not say is said by the constants above.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    results: Option<PathBuf>,
    keep: Option<u32>,
    hook: Option<String>,
    webhook: Option<String>,
    #[serde(default, rename = "run")]
    runs: Vec<RunTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RunTable {
    name: String,
    at: Option<OneOrMore>,
    days: Option<OneOrMore>,
    keep: Option<u32>,
    flags: OneOrMore,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Plan {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong, and where.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let file: PlanFile = toml::from_str(text).map_err(|error: toml::de::Error| {
            format!("line {}: {}", line_of(text, &error), error.message())
        })?;
        if !(1..=RUNS_MAX).contains(&file.runs.len()) {
            let found = file.runs.len();
            return Err(format!(
                "a plan has 1 to {RUNS_MAX} tables [[run]], not {found}"
            ));
        }
        let results = file.results.unwrap_or_else(|| RESULTS.into());
        let keep = file.keep.unwrap_or(KEEP);
        let mut names = BTreeSet::new();
        let mut runs = Vec::new();
        for run in file.runs {
            let name = run.name.clone();
            let wrong = |why| format!("run '{name}': {why}");
            if !names.insert(name.clone()) {
                return Err(wrong("the name is taken by another run".to_owned()));
            }
            runs.push(run.checked(&results, keep).map_err(wrong)?);
        }
        Ok(Self {
            hook: file.hook,
            webhook: file.webhook,
            runs,
        })
    }
}

impl RunTable {
    fn checked(self, results: &Path, keep: u32) -> Result<Run, String> {
        if !is_name(&self.name) {
            return Err(format!(
                "a name is up to {NAME_LENGTH_MAX} letters, digits, '-', '_' and '.', does not begin with '.' and is \
                 no time like 20261125_020000"
            ));
        }
        let keep = self.keep.unwrap_or(keep);
        if keep == 0 {
            return Err("'keep' has to be at least 1".to_owned());
        }
        let at = self.at.map_or_else(|| vec![AT.to_owned()], OneOrMore::all);
        if at.is_empty() {
            return Err("'at' names no time".to_owned());
        }
        let days = self.days.map_or_else(Vec::new, OneOrMore::all);
        Ok(Run {
            results: results.join(&self.name),
            name: Some(self.name),
            times: Times {
                at: at
                    .iter()
                    .map(|at| time_of_day(at))
                    .collect::<Result<_, _>>()?,
                days: days
                    .iter()
                    .map(|day| weekday(day))
                    .collect::<Result<_, _>>()?,
            },
            keep: keep as usize,
            flags: self.flags.words()?,
        })
    }
}

impl OneOrMore {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }

    /// Of one text the words, as a shell divides it.
    fn words(self) -> Result<Vec<String>, String> {
        match self {
            Self::One(line) => shlex::split(&line)
                .ok_or_else(|| format!("a quotation mark in flags {line:?} is not closed")),
            Self::More(words) => Ok(words),
        }
    }
}

/// Whether a folder may be called so, and is not taken for the results of an unnamed run.
fn is_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=NAME_LENGTH_MAX).contains(&name.len())
        && name.chars().all(known)
        && !name.starts_with('.')
        && !is_stamp(name)
}

/// # Errors
///
/// A text that names no time of day.
pub(super) fn time_of_day(text: &str) -> Result<Time, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is no time of day like {AT}"))
}

/// A day's English name, or its first three letters.
fn weekday(text: &str) -> Result<Weekday, String> {
    let text = text.to_lowercase();
    let days = Weekday::Monday.cycle_forward().take(7);
    let named = days
        .zip(DAYS)
        .find(|(_, name)| text == *name || text == name[..3]);
    match named {
        Some((day, _)) => Ok(day),
        None => Err(format!("'{text}' is no day like monday or mon")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_plan_has_runs_with_times_and_flags_of_their_own() {
        let text = r#"
            results = "daily"
            keep = 7
            hook = "./tell.sh"

            [[run]]
            name = "light"
            at = ["02:00", "14:30"]
            flags = "--config scenarios/light.conf --tags 'a b'"

            [[run]]
            name = "endurance"
            days = ["Sat", "sunday"]
            keep = 2
            flags = ["-f", "my file.py"]
        "#;
        let plan = Plan::parse(text).expect("a good plan");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let at = |at: &[&str]| {
            at.iter()
                .map(|at| time_of_day(at).expect("a time"))
                .collect()
        };
        let light = Run {
            name: Some("light".to_owned()),
            times: Times {
                at: at(&["02:00", "14:30"]),
                days: Vec::new(),
            },
            results: "daily/light".into(),
            keep: 7,
            flags: words(&["--config", "scenarios/light.conf", "--tags", "a b"]),
        };
        let endurance = Run {
            name: Some("endurance".to_owned()),
            times: Times {
                at: at(&["02:00"]),
                days: vec![Weekday::Saturday, Weekday::Sunday],
            },
            results: "daily/endurance".into(),
            keep: 2,
            flags: words(&["-f", "my file.py"]),
        };
        assert_eq!(
            plan,
            Plan {
                hook: Some("./tell.sh".to_owned()),
                webhook: None,
                runs: vec![light, endurance],
            }
        );
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let run = "[[run]]\nname = 'a'\nflags = ''\n";
        let twice = format!("{run}{run}");
        let many = (0..65).map(|n| format!("[[run]]\nname = '{n}'\nflags = ''\n"));
        let many: String = many.collect();
        for (text, expected) in [
            ("", "a plan has 1 to 64 tables [[run]], not 0"),
            (&many, "a plan has 1 to 64 tables [[run]], not 65"),
            ("keep = 3\n[[run]\n", "line 2: "),
            ("kept = 3", "line 1: unknown field `kept`"),
            ("[[run]]\nname = 'a'", "line 1: missing field `flags`"),
            (
                &format!("{run}at = 2"),
                "line 4: expected a text or a list of texts",
            ),
            (&twice, "run 'a': the name is taken by another run"),
            (&run.replace("'a'", "'../a'"), "run '../a': a name is up to"),
            (
                &run.replace("'a'", "'20261125_020000'"),
                "run '20261125_020000': a name is",
            ),
            (
                &run.replace("''", "\"'\""),
                "run 'a': a quotation mark in flags \"'\" is not closed",
            ),
            (
                &format!("{run}at = '25:00'"),
                "run 'a': '25:00' is no time of day like 02:00",
            ),
            (&format!("{run}at = []"), "run 'a': 'at' names no time"),
            (
                &format!("{run}days = 'mo'"),
                "run 'a': 'mo' is no day like monday or mon",
            ),
            (
                &format!("{run}keep = 0"),
                "run 'a': 'keep' has to be at least 1",
            ),
        ] {
            let error = Plan::parse(text).expect_err(text);
            assert!(error.starts_with(expected), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_name_is_its_results_stay_in_their_folder(name in "[./\\\\\0a-b_-]{0,9}") {
            let text = format!("[[run]]\nname = {}\nflags = ''\n", serde_json::json!(name));
            if let Ok(plan) = Plan::parse(&text) {
                let results = &plan.runs[0].results;
                prop_assert_eq!(results.parent(), Some(Path::new(RESULTS)));
                prop_assert_eq!(results.file_name(), Some(name.as_ref()));
            }
        }
    }
}
