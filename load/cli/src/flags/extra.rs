//! Flags that a locustfile adds in `init_command_line_parser`.

use super::{Env, Flag, Kind, Preset, Support, Value};

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
