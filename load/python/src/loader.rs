//! Loading locustfiles, by Python.

use std::cell::RefCell;
use std::path::PathBuf;

use acrida_cli::command::{Loaded, Loader};
use acrida_cli::exit::Exit;
use acrida_cli::flags::{ExtraFlag, Kind};
use acrida_cli::options::Options;
use acrida_cli::run::Shape;
use acrida_cli::task_ratio::{ClassTasks, TaskShare};
use acrida_engine::UserClass;
use pyo3::exceptions::{PyException, PySystemExit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::settings;

/// Imports locustfiles into this process's interpreter.
pub(crate) struct PythonLoader<'py> {
    pub(crate) py: Python<'py>,
    /// The user classes, in the order of the files.
    pub(crate) classes: RefCell<Vec<Bound<'py, PyAny>>>,
    /// The load shapes, in the order of the locustfiles.
    shapes: RefCell<Vec<Bound<'py, PyAny>>>,
}

impl<'py> PythonLoader<'py> {
    /// Nothing is loaded yet.
    pub(crate) fn new(py: Python<'py>) -> Self {
        Self {
            py,
            classes: RefCell::default(),
            shapes: RefCell::default(),
        }
    }

    /// The load shapes of the locustfiles; a run follows the first.
    pub(crate) fn shapes(&self) -> Vec<Bound<'py, PyAny>> {
        self.shapes.borrow().clone()
    }

    /// The classes with these numbers.
    pub(crate) fn chosen(&self, chosen: &[usize]) -> Vec<Bound<'py, PyAny>> {
        let classes = self.classes.borrow();
        chosen.iter().map(|index| classes[*index].clone()).collect()
    }

    fn import(&self, locustfiles: &[PathBuf]) -> PyResult<Vec<String>> {
        // As texts: a `Path` of Python's would take a slash out of a URL.
        let paths: Vec<_> = locustfiles.iter().map(|path| path.as_os_str()).collect();
        let loaded = self
            .py
            .import("acrida.loading")?
            .call_method1("load", (paths,))?;
        let (users, shapes) = loaded.extract::<(Bound<'py, PyDict>, Vec<Bound<'py, PyAny>>)>()?;
        *self.shapes.borrow_mut() = shapes;
        let mut names = Vec::new();
        for (name, class) in users {
            names.push(name.extract()?);
            self.classes.borrow_mut().push(class);
        }
        Ok(names)
    }

    fn flags(&self) -> PyResult<Vec<ExtraFlag>> {
        let flags = self.py.import("acrida.run")?.call_method0("custom_flags")?;
        flags.try_iter()?.map(|flag| extra_flag(&flag?)).collect()
    }

    /// Tells what went wrong; a `sys.exit` in a locustfile ends the program as it says.
    fn explain(&self, error: PyErr) -> Exit {
        if error.is_instance_of::<PySystemExit>(self.py) {
            error.print(self.py);
        }
        Exit::Failed(error.value(self.py).to_string())
    }
}

impl Loader for PythonLoader<'_> {
    fn load(&self, locustfiles: &[PathBuf]) -> Result<Loaded, Exit> {
        let user_classes = self
            .import(locustfiles)
            .map_err(|error| self.explain(error))?;
        let flags = self.flags().map_err(|error| self.explain(error))?;
        let defaults = self
            .py
            .import("acrida.run")
            .and_then(|module| settings::defaults(&module.call_method0("defaults_of_flags")?))
            .map_err(|error| self.explain(error))?;
        Ok(Loaded {
            user_classes,
            flags,
            defaults,
        })
    }

    fn tasks(&self, chosen: &[usize], options: &Options) -> Vec<ClassTasks> {
        let classes = self.chosen(chosen);
        let apply = || -> PyResult<Vec<ClassTasks>> {
            let module = self.py.import("acrida.run")?;
            let tags = (options.tags.clone(), options.exclude_tags.clone());
            let arguments = (classes.clone(), options.equal_weights, tags.0, tags.1);
            module.call_method1("apply_task_options", arguments)?;
            classes.iter().map(share).collect()
        };
        apply().unwrap_or_else(|error| {
            error.print(self.py);
            Vec::new()
        })
    }
}

/// A user class, with how often it does what.
pub(crate) fn share(class: &Bound<'_, PyAny>) -> PyResult<ClassTasks> {
    Ok(ClassTasks {
        class: described(class)?,
        tasks: shares(&class.getattr("tasks")?)?,
    })
}

/// A flag of a locustfile, from what `Flag.native` in Python gives.
pub(crate) fn extra_flag(flag: &Bound<'_, PyAny>) -> PyResult<ExtraFlag> {
    type Native<'py> = (
        String,
        Option<char>,
        String,
        Option<String>,
        String,
        Vec<String>,
        Bound<'py, PyAny>,
        String,
    );
    let (long, short, dest, env, kind, choices, default, help): Native<'_> = flag.extract()?;
    Ok(ExtraFlag {
        long,
        short,
        dest,
        env,
        kind: match &*kind {
            "switch" => Kind::Switch,
            "switch-off" => Kind::SwitchOff,
            "append" => Kind::Append,
            "words" => Kind::Words,
            "int" => Kind::Int,
            "float" => Kind::Float,
            _ => Kind::Text,
        },
        choices,
        default: settings::value(&default)?,
        help,
    })
}

/// What the engine has to know about a user class.
pub(crate) fn described(class: &Bound<'_, PyAny>) -> PyResult<UserClass> {
    let name: String = class.getattr("__name__")?.extract()?;
    let fixed_count: i64 = class.getattr("fixed_count")?.extract()?;
    Ok(UserClass {
        weight: class.getattr("weight")?.extract().map_err(|error: PyErr| {
            PyException::new_err(format!("the weight of {name} is no number: {error}"))
        })?,
        fixed_count: u64::try_from(fixed_count).unwrap_or(0),
        name,
    })
}

/// What the web page has to know about a load shape.
pub(crate) fn page_shape(shape: &Bound<'_, PyAny>) -> PyResult<Shape> {
    Ok(Shape {
        name: shape.get_type().name()?.extract()?,
        uses_common_options: shape.getattr("use_common_options")?.is_truthy()?,
    })
}

/// Each task once, with its share among all.
fn shares(tasks: &Bound<'_, PyAny>) -> PyResult<Vec<TaskShare>> {
    let mut counts: Vec<(Bound<'_, PyAny>, u32)> = Vec::new();
    let mut total = 0;
    for task in tasks.try_iter()? {
        let task = task?;
        total += 1;
        match counts.iter_mut().find(|(known, _)| known.is(&task)) {
            Some((_, count)) => *count += 1,
            None => counts.push((task, 1)),
        }
    }
    let share = |(task, count): (Bound<'_, PyAny>, u32)| {
        let below = task.getattr_opt("tasks")?;
        Ok(TaskShare {
            name: task.getattr("__name__")?.extract()?,
            share: f64::from(count) / f64::from(total),
            tasks: below.map_or_else(|| Ok(Vec::new()), |tasks| shares(&tasks))?,
        })
    };
    counts.into_iter().map(share).collect()
}
