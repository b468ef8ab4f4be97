//! The command line: which flags were given, with which words.
//!
//! clap splits the line and lays out the help; what the words mean is decided in
//! one place for every source, [`super::parse_value`].

use std::collections::HashMap;

use clap::builder::Str;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::commands;

use super::{
    ExtraFlag, Flag, GROUPS, Group, Kind, Lookup, Support, USER_CLASSES, find, suggest, with_extra,
};

/// What stood after a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Nothing; it is a switch.
    Switch,
    /// One word.
    One(String),
    /// Any number of them.
    Many(Vec<String>),
}

/// What the command line gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// The flags, by the names of their attributes.
    pub flags: HashMap<String, Words>,
    /// The names of user classes.
    pub user_classes: Vec<String>,
}

/// Splits a command line (without the program's name) by the flags of the table
/// and those of a locustfile.
///
/// # Errors
///
/// One line that says what is wrong and what could be meant.
pub fn parse(program: &str, args: &[String], extra: &[ExtraFlag]) -> Result<Given, String> {
    let flags = with_extra(extra);
    let command = command(program, extra);
    let words = std::iter::once(program.to_owned()).chain(args.iter().cloned());
    match command.try_get_matches_from(words) {
        Ok(matches) => Ok(gather(&flags, &matches)),
        Err(error) => Err(explain(&flags, &error)),
    }
}

/// The help text, with the flags that a locustfile adds, wrapped to the terminal.
pub fn render_help(program: &str, extra: &[ExtraFlag]) -> String {
    command(program, extra).render_help().to_string()
}

fn command(program: &str, extra: &[ExtraFlag]) -> Command {
    let custom: Vec<_> = extra.iter().map(ExtraFlag::as_flag).collect();
    let custom = Group {
        title: "Options of the locustfile",
        flags: &custom,
    };
    let args = GROUPS.iter().chain([&custom]).flat_map(|group| {
        group
            .flags
            .iter()
            .map(|flag| arg(&flag.beside(extra)).help_heading(group.title.to_owned()))
    });
    Command::new(program.to_owned())
        .override_usage(format!("{program} [options] [UserClass ...]"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .infer_long_args(true)
        .args_override_self(true)
        .max_term_width(100)
        .args(args)
        .arg(user_classes())
        .after_help(format!(
            "{}\nEvery flag can also be set by an environment variable (LOCUST_USERS for --users) and in a file \
             (users = 5): the one named by --config, pyproject.toml under [tool.locust], ./locust.conf or \
             ~/.locust.conf. The command line wins over the environment, the environment over files.\n\n\
             Example:\n    {program} -f locustfile.py -H http://127.0.0.1:8000 --headless -u 50 -r 5 -t 5m",
            commands::overview(program)
        ))
}

fn arg(flag: &Flag<'_>) -> Arg {
    let visible = flag.support == Support::Works;
    let arg = Arg::new(Str::from(flag.dest.to_owned()))
        .long(flag.long.to_owned())
        .hide(!visible)
        .help(flag.help.to_owned());
    let arg = match flag.short {
        Some(short) => arg.short(short),
        None => arg,
    };
    if flag.kind.is_switch() {
        return arg.action(ArgAction::SetTrue);
    }
    let arg = arg.value_name(flag.metavar.to_owned());
    match flag.kind {
        Kind::Words => arg.action(ArgAction::Set).num_args(0..),
        Kind::Append | Kind::Expectation => arg.action(ArgAction::Append).num_args(1),
        Kind::Int | Kind::Count | Kind::Float | Kind::PositiveFloat | Kind::TimeSpan => arg
            .action(ArgAction::Set)
            .num_args(1)
            .allow_negative_numbers(true),
        _ => arg.action(ArgAction::Set).num_args(1),
    }
}

fn user_classes() -> Arg {
    Arg::new(USER_CLASSES)
        .value_name("UserClass")
        .num_args(0..)
        .help("The user classes to run; without any, all of the locustfile.")
        .help_heading("User classes")
}

fn gather(flags: &[Flag<'_>], matches: &ArgMatches) -> Given {
    let many = |name: &str| -> Option<Vec<String>> {
        let on_line = matches.value_source(name) == Some(clap::parser::ValueSource::CommandLine);
        on_line.then(|| {
            matches
                .get_many::<String>(name)
                .unwrap_or_default()
                .cloned()
                .collect()
        })
    };
    let words = |flag: &Flag<'_>| -> Option<Words> {
        if flag.kind.is_switch() {
            return matches.get_flag(flag.dest).then_some(Words::Switch);
        }
        let mut words = many(flag.dest)?;
        if flag.kind.is_list() {
            return Some(Words::Many(words));
        }
        words.pop().map(Words::One)
    };
    Given {
        flags: flags
            .iter()
            .filter_map(|flag| Some((flag.dest.to_owned(), words(flag)?)))
            .collect(),
        user_classes: many(USER_CLASSES).unwrap_or_default(),
    }
}

/// One line out of what clap found, in Locust's words.
fn explain(flags: &[Flag<'_>], error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(flags, argument),
        ErrorKind::InvalidValue | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues
            if value.is_empty() =>
        {
            format!(
                "argument {}: expected one argument",
                spelling(flags, argument)
            )
        }
        ErrorKind::TooManyValues => {
            format!(
                "argument {}: ignored explicit argument '{value}'",
                spelling(flags, argument)
            )
        }
        _ => first_line(error),
    }
}

fn unknown(flags: &[Flag<'_>], argument: &str) -> String {
    let Some(name) = argument.strip_prefix("--") else {
        return format!("unrecognized arguments: {argument}");
    };
    if let Lookup::Ambiguous(names) = find(flags, name) {
        return format!(
            "ambiguous option: {argument} could match {}",
            names.join(", ")
        );
    }
    match suggest(flags, name) {
        Some(flag) => format!(
            "unrecognized arguments: {argument}. Did you mean '--{}'?",
            flag.long
        ),
        None => format!("unrecognized arguments: {argument}"),
    }
}

/// `-u/--users` for clap's `--users <int>`.
fn spelling(flags: &[Flag<'_>], argument: &str) -> String {
    let long = argument
        .split_whitespace()
        .next()
        .and_then(|word| word.strip_prefix("--"));
    match flags.iter().find(|flag| Some(flag.long) == long) {
        Some(flag) => flag.spelling(),
        None => argument.to_owned(),
    }
}

fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Given, String> {
        let args: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        parse("acrida", &args, &[])
    }

    fn given(flags: &[(&str, Words)], user_classes: &[&str]) -> Result<Given, String> {
        Ok(Given {
            flags: flags
                .iter()
                .map(|(dest, words)| ((*dest).to_owned(), words.clone()))
                .collect(),
            user_classes: user_classes.iter().map(|name| (*name).to_owned()).collect(),
        })
    }

    fn one(text: &str) -> Words {
        Words::One(text.to_owned())
    }

    fn many(texts: &[&str]) -> Words {
        Words::Many(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn lines_are_split_as_locust_splits_them() {
        for (line, expected) in [
            ("", given(&[], &[])),
            ("-u 5", given(&[("num_users", one("5"))], &[])),
            (
                "-u5 --host=http://x",
                given(&[("num_users", one("5")), ("host", one("http://x"))], &[]),
            ),
            ("-u=5", given(&[("num_users", one("5"))], &[])),
            ("--us 5", given(&[("num_users", one("5"))], &[])),
            ("--csv a --csv b", given(&[("csv_prefix", one("b"))], &[])),
            ("--headless", given(&[("headless", Words::Switch)], &[])),
            (
                "MyUser -u 5",
                given(&[("num_users", one("5"))], &["MyUser"]),
            ),
            (
                "-T a b -E c",
                given(
                    &[("tags", many(&["a", "b"])), ("exclude_tags", many(&["c"]))],
                    &[],
                ),
            ),
            ("-T a -- B", given(&[("tags", many(&["a"]))], &["B"])),
            ("-T", given(&[("tags", many(&[]))], &[])),
            (
                "--exit-code-on-error -1",
                given(&[("exit_code_on_error", one("-1"))], &[]),
            ),
            ("-t -5", given(&[("run_time", one("-5"))], &[])),
        ] {
            assert_eq!(parsed(line), expected, "{line}");
        }
    }

    #[test]
    fn a_mistake_gets_one_line() {
        for (line, expected) in [
            (
                "--usrs 5",
                "unrecognized arguments: --usrs. Did you mean '--users'?",
            ),
            (
                "--unknown-flag-print-stats",
                "unrecognized arguments: --unknown-flag-print-stats. Did you mean '--print-stats'?",
            ),
            ("--nonsense", "unrecognized arguments: --nonsense"),
            ("-z", "unrecognized arguments: -z"),
            (
                "--log x",
                "ambiguous option: --log could match --loglevel, --logfile",
            ),
            ("--users", "argument -u/--users: expected one argument"),
            ("-u", "argument -u/--users: expected one argument"),
            (
                "--headless=true",
                "argument --headless: ignored explicit argument 'true'",
            ),
        ] {
            assert_eq!(parsed(line), Err(expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_locustfiles_flags_are_flags_like_others() {
        let extra = ExtraFlag {
            long: "my-env".to_owned(),
            short: None,
            dest: "my_env".to_owned(),
            env: None,
            kind: Kind::Text,
            choices: Vec::new(),
            default: crate::flags::Value::None,
            help: String::new(),
        };
        let args = ["--my-env".to_owned(), "prod".to_owned()];
        assert_eq!(
            parse("acrida", &args, &[extra]),
            given(&[("my_env", one("prod"))], &[])
        );
    }

    #[test]
    fn the_help_shows_what_works_and_nothing_else() {
        let help = render_help("acrida", &[]);
        for flag in with_extra(&[]) {
            let shown = help.contains(&format!("--{}", flag.long));
            let works = flag.support == Support::Works;
            let beginning_of_another = with_extra(&[])
                .iter()
                .any(|other| other.support == Support::Works && other.long.starts_with(flag.long));
            assert_eq!(shown, works || beginning_of_another, "--{}", flag.long);
        }
    }
}
