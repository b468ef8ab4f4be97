//! Flags that a locustfile adds in `init_command_line_parser`.

use super::{Env, Flag, Kind, Preset, Support, USER_CLASSES, Value, with_extra};

/// A flag of a locustfile. Its Python type, if it has one of its own, is applied
/// on Python's side to the text.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtraFlag {
    /// The long form without dashes.
    pub long: String,
    /// The short form.
    pub short: Option<char>,
    /// The name of the attribute of `parsed_options`.
    pub dest: String,
    /// The environment variable that sets it.
    pub env: Option<String>,
    /// What it takes; [`Kind::Choice`] is asked for with `choices`.
    pub kind: Kind<'static>,
    /// If not empty, what a text may be.
    pub choices: Vec<String>,
    /// What holds if nobody sets it.
    pub default: Value,
    /// What it does.
    pub help: String,
}

impl ExtraFlag {
    /// The same as one of the table.
    pub fn as_flag(&self) -> Flag<'_> {
        Flag {
            long: &self.long,
            short: self.short,
            dest: &self.dest,
            env: self.env.as_deref().map_or(Env::No, Env::Named),
            kind: self.kind,
            default: Preset::Value(&self.default),
            metavar: "value",
            help: &self.help,
            support: Support::Works,
            instead: None,
        }
    }

    /// What is wrong with `value`, if it is none of the choices.
    pub fn refuses(&self, value: &Value) -> Option<String> {
        let Value::Text(text) = value else {
            return None;
        };
        if self.choices.is_empty() || self.choices.contains(text) {
            return None;
        }
        let choices: Vec<_> = self
            .choices
            .iter()
            .map(|choice| format!("'{choice}'"))
            .collect();
        Some(format!(
            "invalid choice: '{text}' (choose from {})",
            choices.join(", ")
        ))
    }
}

/// Refuses flags whose spelling or attribute is taken, by the table or by another
/// flag of the locustfile.
///
/// # Errors
///
/// One line that names the flag and what it shares.
pub fn check_extra(extra: &[ExtraFlag]) -> Result<(), String> {
    let mut taken = with_extra(extra);
    taken.truncate(taken.len() - extra.len());
    for flag in extra.iter().map(ExtraFlag::as_flag) {
        let clash = |what: &str| {
            Err(format!(
                "the locustfile adds {}, but {what}",
                flag.spelling()
            ))
        };
        if flag.long.is_empty() || flag.long.starts_with('-') || flag.long.contains(['=', ' ']) {
            return clash("a flag is two dashes and a word");
        }
        if flag.dest == USER_CLASSES || taken.iter().any(|other| other.dest == flag.dest) {
            return clash(&format!(
                "another flag sets parsed_options.{} already",
                flag.dest
            ));
        }
        let same = |other: &Flag<'_>| {
            other.long == flag.long || (flag.short.is_some() && other.short == flag.short)
        };
        if let Some(other) = taken.iter().find(|other| same(other)) {
            return clash(&format!("there is {} already", other.spelling()));
        }
        taken.push(flag);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extra(long: &str, short: Option<char>, dest: &str) -> ExtraFlag {
        ExtraFlag {
            long: long.to_owned(),
            short,
            dest: dest.to_owned(),
            env: None,
            kind: Kind::Text,
            choices: Vec::new(),
            default: Value::None,
            help: String::new(),
        }
    }

    #[test]
    fn a_flag_that_is_taken_is_refused() {
        for (flags, expected) in [
            (vec![extra("mine", Some('m'), "mine")], Ok(())),
            (
                // Locust has none of that name: ours gives way.
                vec![extra("rate", None, "rate")],
                Ok(()),
            ),
            (
                vec![extra("users", None, "mine")],
                Err("the locustfile adds --users, but there is -u/--users already"),
            ),
            (
                vec![extra("mine", Some('u'), "mine")],
                Err("the locustfile adds -u/--mine, but there is -u/--users already"),
            ),
            (
                vec![extra("mine", None, "host")],
                Err(
                    "the locustfile adds --mine, but another flag sets parsed_options.host already",
                ),
            ),
            (
                vec![extra("mine", None, "a"), extra("mine", None, "b")],
                Err("the locustfile adds --mine, but there is --mine already"),
            ),
            (
                vec![extra("", Some('m'), "mine")],
                Err("the locustfile adds -m/--, but a flag is two dashes and a word"),
            ),
        ] {
            assert_eq!(check_extra(&flags), expected.map_err(str::to_owned));
        }
    }
}
