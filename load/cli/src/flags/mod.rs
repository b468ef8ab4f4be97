//! Every flag, described once: its spelling, its type, its environment variable,
//! its default and its help.
//!
//! The command line parser, the help text, the configuration files, the
//! environment and what Python sees as `parsed_options` all follow from
//! [`table::GROUPS`] and from the flags that a locustfile adds.

mod command_line;
mod extra;
mod table;
mod timespan;
mod value;

use std::borrow::Cow;

pub use command_line::{Given, Words, parse, render_help};
pub use extra::{ExtraFlag, check_extra};
pub use table::{GROUPS, LOG_LEVELS};
pub use timespan::{InvalidTimeSpan, parse_time_span};
pub use value::{Value, check_expectations, parse_switch, parse_value};

/// The name of the argument that takes the names of user classes.
pub const USER_CLASSES: &str = "user_classes";

/// Flags under one heading of the help text.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    /// The heading.
    pub title: &'a str,
    /// The flags, in the order of the help text.
    pub flags: &'a [Flag<'a>],
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag<'a> {
    /// The long form without dashes; also its key in configuration files.
    pub long: &'a str,
    /// The short form.
    pub short: Option<char>,
    /// The name of the attribute of `parsed_options`.
    pub dest: &'a str,
    /// Where the environment may set it.
    pub env: Env<'a>,
    /// What it takes.
    pub kind: Kind<'a>,
    /// What holds if nobody sets it.
    pub default: Preset<'a>,
    /// What the help text shows for its value.
    pub metavar: &'a str,
    /// What it does, in a sentence or two.
    pub help: &'a str,
    /// Whether it can be used.
    pub support: Support<'a>,
    /// Its long form where a locustfile has a flag of that name: for flags that Locust
    /// lacks, so that it takes every locustfile's.
    pub instead: Option<&'a str>,
}

/// The environment variable of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Env<'a> {
    /// None.
    No,
    /// `LOCUST_` and the long form in capitals.
    Derived,
    /// This one.
    Named(&'a str),
}

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Nothing: naming it sets it to true.
    Switch,
    /// Nothing: naming it sets it to false.
    SwitchOff,
    /// A text.
    Text,
    /// A text out of these; capitals do not matter if `ignore_case`, and are
    /// then what comes out.
    Choice {
        /// What it may be.
        options: &'a [&'a str],
        /// Whether to look only at the letters.
        ignore_case: bool,
    },
    /// A whole number.
    Int,
    /// A whole number from zero.
    Count,
    /// A number.
    Float,
    /// A finite number above zero.
    PositiveFloat,
    /// A time such as `90`, `3m` or `1h20m`; seconds.
    TimeSpan,
    /// Arrivals per second, in the grammar of [`acrida_engine::plan::ArrivalRate`].
    Rate,
    /// Where a history is, in the grammar of [`acrida_history::Place`].
    History,
    /// Any number of texts, up to the next flag.
    Words,
    /// A text; the flag may be repeated and collects them.
    Append,
    /// As [`Kind::Append`], of texts in the grammar of [`acrida_report::expect`].
    Expectation,
}

impl Kind<'_> {
    /// Whether the flag stands alone.
    pub fn is_switch(self) -> bool {
        matches!(self, Self::Switch | Self::SwitchOff)
    }

    /// Whether the flag holds a list.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Words | Self::Append | Self::Expectation)
    }
}

/// What holds if nobody sets a flag; a switch that is not set is the opposite
/// of what naming it gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Preset<'a> {
    /// Nothing: Python sees `None`.
    Unset,
    /// A text that is read as if the user had given it.
    Text(&'a str),
    /// A value of any kind, as a locustfile gave it.
    Value(&'a Value),
}

/// Whether a flag can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support<'a> {
    /// It works.
    Works,
    /// It works, and the help text does not mention it.
    Hidden,
    /// What it is for does not exist yet; using it is an error that says so.
    NotYet,
    /// Locust gave it up; using it is an error with this text.
    Gone(&'a str),
}

impl<'a> Flag<'a> {
    /// A flag whose attribute is named like its long form and whose environment
    /// variable follows the rule.
    pub(crate) const fn new(long: &'a str, dest: &'a str, kind: Kind<'a>, help: &'a str) -> Self {
        Self {
            long,
            short: None,
            dest,
            env: Env::Derived,
            kind,
            default: Preset::Unset,
            metavar: "value",
            help,
            support: Support::Works,
            instead: None,
        }
    }

    pub(crate) const fn instead(mut self, long: &'a str) -> Self {
        self.instead = Some(long);
        self
    }

    pub(crate) const fn short(mut self, short: char) -> Self {
        self.short = Some(short);
        self
    }

    pub(crate) const fn env(mut self, env: Env<'a>) -> Self {
        self.env = env;
        self
    }

    pub(crate) const fn default(mut self, text: &'a str) -> Self {
        self.default = Preset::Text(text);
        self
    }

    pub(crate) const fn metavar(mut self, metavar: &'a str) -> Self {
        self.metavar = metavar;
        self
    }

    pub(crate) const fn support(mut self, support: Support<'a>) -> Self {
        self.support = support;
        self
    }

    /// As it is with the flags of a locustfile: under its other name if one has its own.
    pub(crate) fn beside(self, extra: &[ExtraFlag]) -> Self {
        match self.instead {
            Some(long) if extra.iter().any(|flag| flag.long == self.long) => Self { long, ..self },
            _ => self,
        }
    }

    /// The environment variable that sets it.
    pub fn env_name(&self) -> Option<Cow<'a, str>> {
        match self.env {
            Env::No => None,
            Env::Named(name) => Some(Cow::Borrowed(name)),
            Env::Derived => {
                let name = self.long.to_uppercase().replace('-', "_");
                Some(Cow::Owned(format!("LOCUST_{name}")))
            }
        }
    }

    /// `-u/--users`: how error messages call it.
    pub fn spelling(&self) -> String {
        match self.short {
            Some(short) => format!("-{short}/--{}", self.long),
            None => format!("--{}", self.long),
        }
    }
}

/// What a long form, written out or shortened, stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    /// This flag.
    Flag(T),
    /// Any of these.
    Ambiguous(Vec<String>),
    /// No flag.
    Unknown,
}

/// Finds the flag that `name` (without dashes) means: written out, or as the
/// beginning of exactly one long form.
pub fn find<'f, 'a>(flags: &'f [Flag<'a>], name: &str) -> Lookup<&'f Flag<'a>> {
    if let Some(exact) = flags.iter().find(|flag| flag.long == name) {
        return Lookup::Flag(exact);
    }
    let matches: Vec<_> = flags
        .iter()
        .filter(|flag| !name.is_empty() && flag.long.starts_with(name))
        .collect();
    match matches[..] {
        [] => Lookup::Unknown,
        [only] => Lookup::Flag(only),
        _ => Lookup::Ambiguous(
            matches
                .iter()
                .map(|flag| format!("--{}", flag.long))
                .collect(),
        ),
    }
}

/// The flag that somebody who wrote `name` (without dashes) may have meant.
pub fn suggest<'f, 'a>(flags: &'f [Flag<'a>], name: &str) -> Option<&'f Flag<'a>> {
    /// Below this likeness (0 to 1) a suggestion is more puzzling than helpful;
    /// Python's difflib, which Locust asks, cuts at a comparable point.
    const LIKENESS_MIN: f64 = 0.8;
    let flags = || {
        let flags = flags.iter();
        flags.filter(|flag| matches!(flag.support, Support::Works))
    };
    let alike = flags()
        .map(|flag| (strsim::jaro_winkler(flag.long, name), flag))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let inside = flags().filter(|flag| has_part(name, flag.long));
    alike
        .map(|(_, flag)| flag)
        .or_else(|| inside.max_by_key(|flag| flag.long.len()))
}

/// Whether `name` begins or ends with the words `part`.
fn has_part(name: &str, part: &str) -> bool {
    let before = name.strip_suffix(part);
    let after = name.strip_prefix(part);
    before.is_some_and(|rest| rest.ends_with('-'))
        || after.is_some_and(|rest| rest.starts_with('-'))
}

/// The flags of every group, and after them those of a locustfile.
pub fn with_extra<'a>(extra: &'a [ExtraFlag]) -> Vec<Flag<'a>> {
    let own = GROUPS.iter().flat_map(|group| group.flags.iter());
    own.map(|flag| flag.beside(extra))
        .chain(extra.iter().map(ExtraFlag::as_flag))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_flags_share_a_spelling() {
        let flags = with_extra(&[]);
        let mut longs = HashSet::new();
        let mut shorts = HashSet::new();
        let mut dests = HashSet::new();
        for flag in &flags {
            assert!(longs.insert(flag.long), "--{} is there twice", flag.long);
            assert!(dests.insert(flag.dest), "{} is there twice", flag.dest);
            if let Some(short) = flag.short {
                assert!(shorts.insert(short), "-{short} is there twice");
            }
        }
    }

    #[test]
    fn every_preset_can_be_read() {
        for flag in with_extra(&[]) {
            if let Preset::Text(text) = flag.default {
                parse_value(flag.kind, text).unwrap_or_else(|why| panic!("--{}: {why}", flag.long));
            }
        }
    }

    #[test]
    fn unique_beginnings_are_enough() {
        let flags = with_extra(&[]);
        for (name, expected) in [
            ("users", Some("users")),
            ("us", Some("users")),
            ("csv", Some("csv")),
            ("csv-f", Some("csv-full-history")),
            ("usrs", None),
            ("", None),
        ] {
            let found = match find(&flags, name) {
                Lookup::Flag(flag) => Some(flag.long),
                _ => None,
            };
            assert_eq!(found, expected, "{name}");
        }
        assert!(matches!(find(&flags, "log"), Lookup::Ambiguous(names)
            if names == ["--loglevel", "--logfile"]));
    }

    #[test]
    fn near_misses_are_recognised() {
        let flags = with_extra(&[]);
        for (name, expected) in [
            ("usrs", Some("users")),
            ("spawn_rate", Some("spawn-rate")),
            ("Users", Some("users")),
            ("nonsense", None),
        ] {
            assert_eq!(
                suggest(&flags, name).map(|flag| flag.long),
                expected,
                "{name}"
            );
        }
    }
}
