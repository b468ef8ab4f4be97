//! What the command does before a test starts, in this order: find the
//! locustfiles, load them, read every setting, set up logging, and choose the
//! user classes.

use std::path::PathBuf;

use acrida_report::json_text;
use log::info;

use crate::config::ConfigValue;
use crate::exit::Exit;
use crate::flags::ExtraFlag;
use crate::invocation::Invocation;
use crate::options::Options;
use crate::run::print_result;
use crate::task_ratio::{self, ClassTasks};
use crate::{logging, preflight, users};

/// Whoever can load locustfiles.
pub trait Loader {
    /// Imports locustfiles.
    ///
    /// # Errors
    ///
    /// [`Exit::Failed`] that names the file, the line and what is wrong there.
    fn load(&self, locustfiles: &[PathBuf]) -> Result<Loaded, Exit>;

    /// What the users of these classes do; `chosen` as in [`Prepared::chosen`],
    /// with the settings that change tasks (tags, equal weights) applied.
    fn tasks(&self, chosen: &[usize], options: &Options) -> Vec<ClassTasks>;
}

/// What locustfiles bring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Loaded {
    /// The names of the user classes, in the order of the files.
    pub user_classes: Vec<String>,
    /// The flags that they add.
    pub flags: Vec<ExtraFlag>,
    /// Their defaults for flags of the table, by attribute of `parsed_options`.
    pub defaults: Vec<(String, ConfigValue)>,
}

/// Everything that a run can start from.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The files that were loaded.
    pub locustfiles: Vec<PathBuf>,
    /// The settings.
    pub options: Options,
    /// The classes to run: indices in [`Loaded::user_classes`].
    pub chosen: Vec<usize>,
}

/// Prepares a run.
///
/// # Errors
///
/// The first mistake, or [`Exit::Shown`] if only the help or the list of users or of what
/// they do was wanted. The help is there without a locustfile, too.
pub fn prepare(invocation: &Invocation, loader: &impl Loader) -> Result<Prepared, Exit> {
    if invocation.wants_help() {
        let loaded = invocation
            .locustfiles()
            .and_then(|locustfiles| loader.load(&locustfiles));
        return Err(invocation.help(&loaded.unwrap_or_default().flags));
    }
    let locustfiles = invocation.locustfiles()?;
    let loaded = loader.load(&locustfiles)?;
    let options = invocation
        .clone()
        .with_defaults(loaded.defaults)
        .options(&loaded.flags)?;
    if options.web.autoquit.is_some() && !options.web.autostart {
        let text = "'--autoquit' requires '--autostart'";
        return Err(Exit::Failed(text.to_owned())); // whose code is Locust's here
    }
    if options.list {
        return Err(users::list(&loaded.user_classes));
    }
    let chosen = users::choose(&loaded.user_classes, &options)?;
    let options = if options.checks {
        preflight(&loaded.user_classes, &chosen, options)?
    } else {
        options
    };
    if options.show_task_ratio {
        let classes = loader.tasks(&chosen, &options);
        return Err(Exit::Shown(task_ratio::render(&classes, options.users)));
    }
    if options.show_task_ratio_json {
        let classes = loader.tasks(&chosen, &options);
        let ratios = task_ratio::json(&classes, options.users);
        return Err(Exit::Shown(json_text::indented(&ratios) + "\n"));
    }
    if !options.skip_log_setup {
        logging::set_up(&options.loglevel, options.logfile.as_deref())?;
        // Programs that start a test wait for these words. With --otel the host logs them,
        // where they are exported.
        if !options.otel {
            info!(target: "locust.main", "Starting Locust on acrida {}", env!("CARGO_PKG_VERSION"));
        }
    }
    Ok(Prepared {
        locustfiles,
        options,
        chosen,
    })
}

/// Looks before a trial, whose settings are returned; none is made if it cannot work.
fn preflight(names: &[String], chosen: &[usize], options: Options) -> Result<Options, Exit> {
    let classes: Vec<_> = chosen.iter().map(|index| &*names[*index]).collect();
    let findings = preflight::look(&options, &classes);
    print_result(&preflight::text(&findings));
    let bad = findings.iter().filter(|finding| finding.is_bad()).count();
    if bad > 0 {
        return Err(Exit::Failed(format!("{bad} of these would spoil a test")));
    }
    Ok(preflight::trial(options, chosen.len()))
}

#[cfg(test)]
mod tests {
    use acrida_engine::{SpawnRate, UserClass};

    use super::*;
    use crate::config::Places;
    use crate::flags::{Kind, Value};

    /// A locustfile with these classes.
    struct Classes(&'static [&'static str]);

    impl Loader for Classes {
        fn load(&self, locustfiles: &[PathBuf]) -> Result<Loaded, Exit> {
            assert_eq!(locustfiles.len(), 1);
            Ok(Loaded {
                user_classes: self.0.iter().map(|name| (*name).to_owned()).collect(),
                flags: vec![ExtraFlag {
                    long: "of-the-locustfile".to_owned(),
                    short: None,
                    dest: "own".to_owned(),
                    env: None,
                    kind: Kind::Text,
                    choices: Vec::new(),
                    default: Value::None,
                    help: String::new(),
                }],
                defaults: [("num_users", "5"), ("spawn_rate", "3"), ("no_flag", "1")]
                    .map(|(dest, text)| (dest.to_owned(), ConfigValue::Text(text.to_owned())))
                    .into(),
            })
        }

        fn tasks(&self, chosen: &[usize], _: &Options) -> Vec<ClassTasks> {
            let class = |index: &usize| ClassTasks {
                class: UserClass {
                    name: self.0[*index].to_owned(),
                    weight: 1.0,
                    fixed_count: 0,
                },
                tasks: Vec::new(),
            };
            chosen.iter().map(class).collect()
        }
    }

    fn prepared(line: &str, classes: &'static [&'static str]) -> Result<Prepared, Exit> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("locustfile.py"), "").expect("a file");
        let places = Places {
            folder: folder.path().to_owned(),
            home: None,
        };
        let args = line.split_whitespace().map(str::to_owned).collect();
        let invocation = Invocation::new("acrida", "acrida", args, [].into(), places)?;
        prepare(&invocation, &Classes(classes))
    }

    #[test]
    fn what_is_wrong_is_found_before_a_run() {
        for (line, classes, code, part) in [
            ("-f missing.py", &["A"][..], 1, "missing.py"),
            ("--headless --usrs 5", &["A"], 2, "Did you mean '--users'"),
            (
                "--autoquit 5",
                &["A"],
                1,
                "'--autoquit' requires '--autostart'",
            ),
            ("--headless", &[], 1, "no user class found"),
            ("--headless B", &["A"], 1, "unknown user class B"),
            ("--headless --logfile /dev/null/x", &["A"], 1, "/dev/null/x"),
            ("--show-task-ratio B", &["A", "B"], 0, "Total task ratio\n"),
            ("--list", &["A", "B"], 0, "    A\n    B\n"),
            ("--help", &["A"], 0, "--of-the-locustfile"),
            ("--help -f missing.py", &["A"], 0, "--spawn-rate"),
        ] {
            let exit = prepared(line, classes).expect_err(line);
            assert_eq!(exit.code(), code, "{line}");
            let (Exit::Shown(text) | Exit::Usage(text) | Exit::Failed(text)) = exit;
            assert!(text.contains(part), "{line}: {text}");
        }
    }

    #[test]
    fn a_run_gets_the_classes_that_were_asked_for() {
        let prepared =
            prepared("--headless --skip-log-setup C -u 7", &["A", "B", "C"]).expect("no mistake");
        assert_eq!(prepared.chosen, [2]);
        assert_eq!(prepared.options.users, Some(7));
        assert_eq!(
            prepared.options.spawn_rate.map(SpawnRate::per_second),
            Some(3.0),
            "the locustfile's default"
        );
    }
}
