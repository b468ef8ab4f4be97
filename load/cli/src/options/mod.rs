//! What holds for this invocation, whoever set it.
//!
//! Pure: the command line, the environment and the files come as values.
//! The command line wins over the environment, the environment over the file
//! named by `--config`, that over `pyproject.toml`, `locust.conf` and
//! `~/.locust.conf`. Source: observed on Locust 2.47.

mod reports;
mod typed;
mod web;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use acrida_engine::SpawnRate;
use acrida_engine::plan::ArrivalRate;

use crate::config::{ConfigValue, Layer, list_in_brackets};
use crate::flags::{
    ExtraFlag, Flag, Given, Kind, Lookup, Preset, Support, USER_CLASSES, Value, Words,
    check_expectations, find, parse_switch, parse_value, suggest, with_extra,
};

use crate::stepping::Stepped;
pub use reports::ReportOptions;
use typed::{Values, typed};
pub use web::WebOptions;

/// The environment, by the names of variables.
pub type Environment = BTreeMap<String, String>;

/// Every setting that a run knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// `--locustfile`: files or folders, separated by commas.
    pub locustfile: String,
    /// `--host`.
    pub host: Option<String>,
    /// `--users`; Locust runs one without it.
    pub users: Option<u64>,
    /// `--spawn-rate`; Locust starts one a second without it.
    pub spawn_rate: Option<SpawnRate>,
    /// `--run-time`, unless it is zero.
    pub run_time: Option<Duration>,
    /// `--rate`.
    pub rate: Option<ArrivalRate>,
    /// `--poisson`.
    pub poisson: bool,
    /// `--server-time-field`.
    pub server_time_field: Option<String>,
    /// `--list`.
    pub list: bool,
    /// `--headless`, unless `--headful`.
    pub headless: bool,
    /// What the web page is like, in a run that is not headless.
    pub web: WebOptions,
    /// `--csv`.
    pub csv_prefix: Option<String>,
    /// `--csv-full-history`.
    pub csv_full_history: bool,
    /// `--csv-requests`.
    pub csv_requests: bool,
    /// What is made of the run at its end.
    pub reports: ReportOptions,
    /// The steps of `acrida scale` and `acrida stress`.
    pub stepped: Option<Stepped>,
    /// Whether a test is only prepared: `acrida check`.
    pub checks: bool,
    /// `--only-summary`.
    pub only_summary: bool,
    /// `--reset-stats`.
    pub reset_stats: bool,
    /// `--skip-log-setup`.
    pub skip_log_setup: bool,
    /// `--loglevel`.
    pub loglevel: String,
    /// `--logfile`.
    pub logfile: Option<String>,
    /// `--show-task-ratio`.
    pub show_task_ratio: bool,
    /// `--show-task-ratio-json`.
    pub show_task_ratio_json: bool,
    /// `--exit-code-on-error`.
    pub exit_code_on_error: i32,
    /// `--stop-timeout`.
    pub stop_timeout: Duration,
    /// `--equal-weights`.
    pub equal_weights: bool,
    /// `--tags`.
    pub tags: Option<Vec<String>>,
    /// `--exclude-tags`.
    pub exclude_tags: Option<Vec<String>>,
    /// `--otel`, which is the host's to do.
    pub otel: bool,
    /// The user classes to run; empty means all.
    pub user_classes: Vec<String>,
    /// Every attribute of `parsed_options`, those of the locustfile's flags last.
    pub all: Vec<(String, Value)>,
}

/// Flags that say what to do with this one command line, by attribute.
const ONLY_ON_COMMAND_LINE: &[&str] = &["config", "help", "version"];

/// Where a setting was found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source<'a> {
    CommandLine,
    Environment(String),
    File(&'a str),
}

/// A setting as found: not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Raw {
    Named,
    Text(String),
    List(Vec<String>),
}

/// Combines everything into [`Options`].
///
/// # Errors
///
/// One line that names the first setting that is wrong, where it was set, and
/// what is wrong about it.
pub fn resolve(
    given: &Given,
    environment: &Environment,
    layers: &[Layer],
    extra: &[ExtraFlag],
) -> Result<Options, String> {
    let flags = with_extra(extra);
    let from_files = find_in_files(&flags, layers)?;
    let mut all = Vec::new();
    for flag in &flags {
        let found = from_command_line(flag, given)
            .or_else(|| from_environment(flag, environment))
            .or_else(|| from_files.get(flag.dest).cloned());
        let value = match found {
            Some((source, raw)) => {
                let value = read(flag, &raw).map_err(|why| complain(flag, &source, &why))?;
                check_support(flag, &source, &value)?;
                check_choices(flag, extra, &source, &value)?;
                value
            }
            None => preset(flag),
        };
        if !matches!(flag.dest, "help" | "version") {
            all.push((flag.dest.to_owned(), value));
        }
    }
    let user_classes = user_classes(given, environment);
    all.push((USER_CLASSES.to_owned(), Value::List(user_classes)));
    let mut options = typed(all);
    reports::hide_password(&mut options.all);
    check_together(&options)?;
    options.web.check(&Values(&options.all))?;
    Ok(options)
}

/// The `--locustfile` of an invocation whose other flags are not known yet.
pub fn resolve_locustfile(
    on_command_line: Option<&str>,
    environment: &Environment,
    layers: &[Layer],
) -> String {
    let flags = with_extra(&[]);
    let flag = flags.iter().find(|flag| flag.dest == "locustfile");
    let flag = flag.expect("the table has --locustfile");
    let from_environment = || {
        flag.env_name()
            .and_then(|name| environment.get(&*name).cloned())
    };
    let from_files = || {
        layers.iter().find_map(|layer| {
            layer
                .items
                .iter()
                .rev()
                .find_map(|(key, value)| match value {
                    ConfigValue::Text(text) if key.trim_matches('-') == flag.long => {
                        Some(text.clone())
                    }
                    _ => None,
                })
        })
    };
    on_command_line
        .map(str::to_owned)
        .or_else(from_environment)
        .or_else(from_files)
        .unwrap_or_else(|| match preset(flag) {
            Value::Text(text) => text,
            other => panic!("--locustfile has a text as its preset, not {other:?}"),
        })
}

fn from_command_line(flag: &Flag<'_>, given: &Given) -> Option<(Source<'static>, Raw)> {
    let raw = match given.flags.get(flag.dest)?.clone() {
        Words::Switch => Raw::Named,
        Words::One(text) => Raw::Text(text),
        Words::Many(texts) => Raw::List(texts),
    };
    Some((Source::CommandLine, raw))
}

fn from_environment(flag: &Flag<'_>, environment: &Environment) -> Option<(Source<'static>, Raw)> {
    let name = flag.env_name()?;
    let text = environment.get(&*name)?;
    if flag.kind.is_list() && text.is_empty() {
        return None;
    }
    let raw = match list_in_brackets(text).filter(|_| flag.kind.is_list()) {
        Some(list) => Raw::List(list),
        None => Raw::Text(text.clone()),
    };
    Some((Source::Environment(name.into_owned()), raw))
}

/// What the files set, by attribute; the first layer wins, and inside a file the
/// last line.
fn find_in_files<'a>(
    flags: &[Flag<'_>],
    layers: &'a [Layer],
) -> Result<HashMap<String, (Source<'a>, Raw)>, String> {
    let mut found = HashMap::new();
    for layer in layers.iter().rev() {
        for (key, value) in &layer.items {
            let flag = match find(flags, key.trim_matches('-')) {
                Lookup::Flag(flag) => flag,
                Lookup::Ambiguous(names) => {
                    return Err(format!(
                        "{}: '{key}' could mean {}",
                        layer.file,
                        names.join(", ")
                    ));
                }
                Lookup::Unknown => return Err(unknown_key(flags, &layer.file, key)),
            };
            if ONLY_ON_COMMAND_LINE.contains(&flag.dest) {
                return Err(format!(
                    "{}: --{} is only for the command line",
                    layer.file, flag.long
                ));
            }
            let raw = match value {
                ConfigValue::Text(text) if text.is_empty() && flag.kind.is_list() => continue,
                ConfigValue::Text(text) => Raw::Text(text.clone()),
                ConfigValue::List(list) => Raw::List(list.clone()),
            };
            found.insert(flag.dest.to_owned(), (Source::File(&layer.file), raw));
        }
    }
    Ok(found)
}

fn unknown_key(flags: &[Flag<'_>], file: &str, key: &str) -> String {
    match suggest(flags, key.trim_matches('-')) {
        Some(flag) => format!(
            "{file}: unknown setting '{key}' (did you mean '{}'?)",
            flag.long
        ),
        None => format!("{file}: unknown setting '{key}'"),
    }
}

fn read(flag: &Flag<'_>, raw: &Raw) -> Result<Value, String> {
    let named = flag.kind == Kind::Switch;
    match raw {
        Raw::Named => Ok(Value::Bool(named)),
        Raw::Text(text) if flag.kind.is_switch() => {
            parse_switch(text).map(|on| Value::Bool(on == named))
        }
        Raw::Text(text) => parse_value(flag.kind, text),
        Raw::List(list) if flag.kind == Kind::Expectation => check_expectations(list.clone()),
        Raw::List(list) if flag.kind.is_list() => Ok(Value::List(list.clone())),
        Raw::List(list) => Err(format!(
            "takes one value, not the list [{}]",
            list.join(", ")
        )),
    }
}

fn preset(flag: &Flag<'_>) -> Value {
    match flag.default {
        Preset::Unset if flag.kind.is_switch() => Value::Bool(flag.kind == Kind::SwitchOff),
        Preset::Unset => Value::None,
        Preset::Value(value) => value.clone(),
        Preset::Text(text) => parse_value(flag.kind, text)
            .unwrap_or_else(|why| panic!("the preset of --{} can be read: {why}", flag.long)),
    }
}

fn complain(flag: &Flag<'_>, source: &Source<'_>, why: &str) -> String {
    match source {
        Source::CommandLine => format!("argument {}: {why}", flag.spelling()),
        Source::Environment(name) => format!("environment variable {name}: {why}"),
        Source::File(file) => format!("{file}: {}: {why}", flag.long),
    }
}

fn check_support(flag: &Flag<'_>, source: &Source<'_>, value: &Value) -> Result<(), String> {
    if *value == preset(flag) && *source != Source::CommandLine {
        return Ok(()); // `headless = false` and the like ask for nothing.
    }
    match flag.support {
        Support::Works | Support::Hidden => Ok(()),
        Support::NotYet => Err(format!("--{} is not supported yet{source}", flag.long)),
        Support::Gone(text) => Err(format!("{text}{source}")),
    }
}

fn check_choices(
    flag: &Flag<'_>,
    extra: &[ExtraFlag],
    source: &Source<'_>,
    value: &Value,
) -> Result<(), String> {
    let custom = extra.iter().find(|custom| custom.dest == flag.dest);
    match custom.and_then(|custom| custom.refuses(value)) {
        Some(why) => Err(complain(flag, source, &why)),
        None => Ok(()),
    }
}

impl fmt::Display for Source<'_> {
    /// What follows a complaint about the flag itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => Ok(()),
            Self::Environment(name) => write!(f, " (set by {name})"),
            Self::File(file) => write!(f, " (set in {file})"),
        }
    }
}

fn user_classes(given: &Given, environment: &Environment) -> Vec<String> {
    if !given.user_classes.is_empty() {
        return given.user_classes.clone();
    }
    let names = environment.get("LOCUST_USER_CLASSES");
    names.map_or_else(Vec::new, |names| {
        names.split_whitespace().map(str::to_owned).collect()
    })
}

fn check_together(options: &Options) -> Result<(), String> {
    for (needs_csv, flag) in [
        (options.csv_full_history, "--csv-full-history"),
        (options.csv_requests, "--csv-requests"),
    ] {
        if needs_csv && options.csv_prefix.is_none() {
            return Err(format!("'{flag}' requires '--csv'."));
        }
    }
    check_arrivals(options)
}

/// What `--rate` takes besides itself.
fn check_arrivals(options: &Options) -> Result<(), String> {
    let starts_by_itself = options.headless || options.web.autostart;
    match options.rate {
        None if options.poisson => Err("'--poisson' requires '--rate'".to_owned()),
        Some(_) if starts_by_itself && options.users.is_none() => Err(
            "'--rate' requires '--users': how many iterations may go on at the same time"
                .to_owned(),
        ),
        Some(rate) if rate.is_ramp() && options.run_time.is_none() => Err(format!(
            "'--rate {rate}' requires '--run-time', over which the rate changes"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
