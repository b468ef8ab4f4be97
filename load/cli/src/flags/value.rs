//! What a flag's text means.

use acrida_engine::plan::ArrivalRate;
use acrida_history::Place;
use acrida_report::expect::Expectation;

use super::{Kind, parse_time_span};

/// The value of a flag, as `parsed_options` shows it to Python.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Python's `None`.
    None,
    /// True or false.
    Bool(bool),
    /// A whole number; a time span is one, in seconds.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// Texts.
    List(Vec<String>),
}

/// Reads the one value of a flag that takes one.
///
/// # Errors
///
/// What is wrong with it, in Locust's words where Locust has some.
pub fn parse_value(kind: Kind<'_>, text: &str) -> Result<Value, String> {
    match kind {
        Kind::Switch | Kind::SwitchOff => {
            parse_switch(text).map(|named| Value::Bool(named == (kind == Kind::Switch)))
        }
        Kind::Text => Ok(Value::Text(text.to_owned())),
        Kind::Choice {
            options,
            ignore_case,
        } => choose(options, ignore_case, text),
        Kind::Int => int(text).map(Value::Int),
        Kind::Count => match int(text)? {
            negative @ ..0 => Err(format!("must be 0 or more, not {negative}")),
            count => Ok(Value::Int(count)),
        },
        Kind::Float => float(text).map(Value::Float),
        Kind::PositiveFloat => positive(float(text)?).map(Value::Float),
        Kind::TimeSpan => parse_time_span(text)
            .map_err(|error| error.to_string())
            .and_then(|seconds| {
                i64::try_from(seconds).map_err(|_| "the time span is too long".to_owned())
            })
            .map(Value::Int),
        Kind::Rate => match text.parse::<ArrivalRate>() {
            Ok(_) => Ok(Value::Text(text.to_owned())),
            Err(error) => Err(error.to_string()),
        },
        Kind::History => match Place::parse(text) {
            Ok(_) => Ok(Value::Text(text.to_owned())),
            Err(error) => Err(error.to_string()),
        },
        Kind::Words | Kind::Append => Ok(Value::List(vec![text.to_owned()])),
        Kind::Expectation => check_expectations(vec![text.to_owned()]),
    }
}

/// Reads `true`, `no` and the like, as the environment and configuration files
/// may say about a flag without a value.
///
/// # Errors
///
/// What may be said instead.
pub fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!(
            "unexpected value '{text}', expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'"
        )),
    }
}

/// Lists texts that are expectations.
///
/// # Errors
///
/// What is wrong with the first that is none.
pub fn check_expectations(texts: Vec<String>) -> Result<Value, String> {
    for text in &texts {
        text.parse::<Expectation>()
            .map_err(|error| error.to_string())?;
    }
    Ok(Value::List(texts))
}

fn choose(options: &[&str], ignore_case: bool, text: &str) -> Result<Value, String> {
    let text = if ignore_case {
        text.to_uppercase()
    } else {
        text.to_owned()
    };
    if options.contains(&text.as_str()) {
        return Ok(Value::Text(text));
    }
    let options = options
        .iter()
        .map(|option| format!("'{option}'"))
        .collect::<Vec<_>>();
    Err(format!(
        "invalid choice: '{text}' (choose from {})",
        options.join(", ")
    ))
}

/// A whole number as Python's `int` reads it: spaces around it and single
/// underscores between digits do not matter.
fn int(text: &str) -> Result<i64, String> {
    let digits = text.trim().trim_start_matches(['+', '-']);
    let tidy = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    let number = text.trim().replace('_', "").parse();
    number
        .ok()
        .filter(|_| tidy)
        .ok_or_else(|| format!("invalid int value: '{text}'"))
}

fn float(text: &str) -> Result<f64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("invalid float value: '{text}'"))
}

fn positive(number: f64) -> Result<f64, String> {
    if !number.is_finite() {
        Err("must be a finite number".to_owned())
    } else if number <= 0.0 {
        Err("must be > 0".to_owned())
    } else {
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_locust_reads_them() {
        let level = Kind::Choice {
            options: &["DEBUG", "INFO"],
            ignore_case: true,
        };
        let text = |text: &str| Ok(Value::Text(text.to_owned()));
        for (kind, given, expected) in [
            (Kind::Count, "5", Ok(Value::Int(5))),
            (Kind::Count, " 1_000 ", Ok(Value::Int(1000))),
            (Kind::Count, "1__0", Err("invalid int value: '1__0'")),
            (Kind::Count, "x", Err("invalid int value: 'x'")),
            (Kind::Count, "", Err("invalid int value: ''")),
            (Kind::Count, "-5", Err("must be 0 or more, not -5")),
            (Kind::Int, "-1", Ok(Value::Int(-1))),
            (Kind::PositiveFloat, "2.5", Ok(Value::Float(2.5))),
            (Kind::PositiveFloat, "0", Err("must be > 0")),
            (Kind::PositiveFloat, "inf", Err("must be a finite number")),
            (Kind::PositiveFloat, "nan", Err("must be a finite number")),
            (Kind::PositiveFloat, "x", Err("invalid float value: 'x'")),
            (Kind::TimeSpan, "1m", Ok(Value::Int(60))),
            (Kind::TimeSpan, "", Err("Invalid time span format")),
            (level, "debug", text("DEBUG")),
            (
                level,
                "verbose",
                Err("invalid choice: 'VERBOSE' (choose from 'DEBUG', 'INFO')"),
            ),
            (Kind::Text, "", text("")),
            (Kind::Switch, "Yes", Ok(Value::Bool(true))),
            (Kind::SwitchOff, "on", Ok(Value::Bool(false))),
        ] {
            let actual = parse_value(kind, given);
            assert_eq!(
                actual,
                expected.map_err(str::to_owned),
                "{kind:?} {given:?}"
            );
        }
    }

    #[test]
    fn switches_have_four_words_for_each_answer() {
        for (text, expected) in [("True", true), ("yes", true), ("ON", true), ("1", true)] {
            assert_eq!(parse_switch(text), Ok(expected));
        }
        for text in ["false", "No", "off", "0"] {
            assert_eq!(parse_switch(text), Ok(false));
        }
        for text in ["", "maybe", "2"] {
            assert!(parse_switch(text).is_err(), "{text:?}");
        }
    }
}
