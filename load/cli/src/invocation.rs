//! One call of the program, read in two steps: first what is needed to load the
//! locustfile, then, with the flags that the locustfile adds, everything.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::commands;
use crate::config::{ConfigValue, Layer, Places, read_layer, read_layers};
use crate::early::{Early, scan};
use crate::exit::Exit;
use crate::flags::{self, ExtraFlag};
use crate::history_place;
use crate::locustfiles::find_locustfiles;
use crate::options::{self, Environment, Options};
use crate::stepping::{self, Stepping};

/// A command line with everything that can add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What messages call the program.
    pub program: String,
    args: Vec<String>,
    environment: Environment,
    places: Places,
    layers: Vec<Layer>,
    early: Early,
    stepping: Option<Stepping>,
    /// Whether it is `acrida check`.
    checks: bool,
}

impl Invocation {
    /// Reads the first step: the files that set something, and whether there is
    /// anything to do at all. `version` is what `--version` shows; `args` do not
    /// begin with the program's name.
    ///
    /// # Errors
    ///
    /// [`Exit::Shown`] for `--version`, [`Exit::Usage`] for a file that cannot be read.
    pub fn new(
        program: &str,
        version: &str,
        mut args: Vec<String>,
        environment: Environment,
        places: Places,
    ) -> Result<Self, Exit> {
        let checks = args.first().is_some_and(|word| word == "check");
        if checks {
            args.remove(0);
        }
        let stepping = match checks {
            true => None,
            false => stepping::take(&mut args)?,
        };
        let early = scan(&args);
        if early.version && !early.help {
            return Err(Exit::Shown(format!("{version}\n")));
        }
        let layers = read_layers(early.config.as_deref(), &places).map_err(Exit::Usage)?;
        Ok(Self {
            program: program.to_owned(),
            args,
            environment,
            places,
            layers,
            early,
            stepping,
            checks,
        })
    }

    /// The same, with the process's environment, working folder and home.
    ///
    /// # Errors
    ///
    /// As for [`Invocation::new`].
    pub fn of_process(program: &str, version: &str, args: Vec<String>) -> Result<Self, Exit> {
        let text = |word: OsString| word.into_string().ok();
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
            .collect();
        let places = Places {
            folder: PathBuf::from("."),
            home: std::env::home_dir(),
        };
        Self::new(program, version, args, environment, places)
    }

    /// Whether only the help is wanted, which tells of the locustfile's flags too.
    pub fn wants_help(&self) -> bool {
        self.early.help
    }

    /// The help.
    pub fn help(&self, extra: &[ExtraFlag]) -> Exit {
        let own = match &self.stepping {
            Some(steps) => stepping::help(&self.program, steps),
            None if self.checks => format!("{}\n\n", commands::about_check(&self.program)),
            None => String::new(),
        };
        Exit::Shown(own + &flags::render_help(&self.program, extra))
    }

    /// The same with the settings of these files only, the strongest first.
    ///
    /// # Errors
    ///
    /// [`Exit::Usage`] for a file that cannot be read.
    pub fn with_files(mut self, files: &[String]) -> Result<Self, Exit> {
        let layers = files
            .iter()
            .map(|file| read_layer(file, &self.places.folder));
        self.layers = layers.collect::<Result<_, _>>().map_err(Exit::Usage)?;
        Ok(self)
    }

    /// The same with values, by attribute of `parsed_options`, that hold where nobody else sets them.
    /// Attributes that no flag of the table sets are left aside.
    #[must_use]
    pub fn with_defaults(mut self, defaults: Vec<(String, ConfigValue)>) -> Self {
        let table = flags::with_extra(&[]);
        let long = |dest: &str| {
            table
                .iter()
                .find(|flag| flag.dest == dest)
                .map(|flag| flag.long)
        };
        let items = defaults
            .into_iter()
            .filter_map(|(dest, value)| Some((long(&dest)?.to_owned(), value)));
        self.layers.push(Layer {
            file: "set_defaults".to_owned(),
            items: items.collect(),
        });
        self
    }

    /// The locustfiles to load.
    ///
    /// # Errors
    ///
    /// One line about what is not there.
    pub fn locustfiles(&self) -> Result<Vec<PathBuf>, Exit> {
        let given = self.early.locustfile.as_deref();
        let locustfile = options::resolve_locustfile(given, &self.environment, &self.layers);
        find_locustfiles(&locustfile, &self.places.folder)
    }

    /// Every setting, with the flags that the locustfile adds.
    ///
    /// # Errors
    ///
    /// One line about the first mistake.
    pub fn options(&self, extra: &[ExtraFlag]) -> Result<Options, Exit> {
        flags::check_extra(extra).map_err(Exit::Usage)?;
        if self.wants_help() {
            return Err(self.help(extra));
        }
        let given = flags::parse(&self.program, &self.args, extra).map_err(Exit::Usage)?;
        let mut options = options::resolve(&given, &self.environment, &self.layers, extra)
            .map_err(Exit::Usage)?;
        let reports = &mut options.reports;
        let folder = history_place::folder(&self.environment, self.places.home.as_deref());
        reports.history = history_place::complete(reports.history.take(), folder.as_deref());
        options.checks = self.checks;
        if let Some(stepping) = &self.stepping {
            options.stepped = Some(stepping.with(&options));
            options.headless = true;
        }
        Ok(options)
    }
}
