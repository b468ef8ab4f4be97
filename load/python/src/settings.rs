//! Settings as Python sees them: `environment.parsed_options`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use acrida_cli::config::ConfigValue;
use acrida_cli::exit::Exit;
use acrida_cli::flags::{ExtraFlag, Value};
use acrida_cli::invocation::Invocation;
use acrida_cli::options::Options;
use pyo3::exceptions::PySystemExit;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

use crate::loader::extra_flag;

/// The attributes of `parsed_options` for `args`, `flags` being what a locustfile adds.
/// `config_files` are read instead of those that the command finds; `given_defaults` as for [`defaults`].
///
/// What is wrong is printed as the command would, and SystemExit raised.
#[pyfunction]
#[pyo3(signature = (program, args, flags, config_files, given_defaults))]
pub(crate) fn parse_options<'py>(
    py: Python<'py>,
    program: &str,
    args: Vec<String>,
    flags: Vec<Bound<'py, PyAny>>,
    config_files: Option<Vec<String>>,
    given_defaults: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let flags: PyResult<Vec<ExtraFlag>> = flags.iter().map(extra_flag).collect();
    let flags = flags?;
    let defaults = defaults(given_defaults)?;
    let read = || -> Result<Options, Exit> {
        let mut invocation = Invocation::of_process(program, program, args)?;
        if let Some(files) = &config_files {
            invocation = invocation.with_files(files)?;
        }
        invocation.with_defaults(defaults).options(&flags)
    };
    let options = read().map_err(|exit| ended(py, &exit, program))?;
    parsed_options(py, &options)
}

/// What a locustfile gave to `set_defaults`: texts, or lists of texts, by attribute.
pub(crate) fn defaults(given: &Bound<'_, PyAny>) -> PyResult<Vec<(String, ConfigValue)>> {
    let mut defaults = Vec::new();
    for (dest, value) in given.cast::<PyDict>()? {
        let value = match value.extract::<Vec<String>>() {
            Ok(list) => ConfigValue::List(list),
            Err(_) => ConfigValue::Text(value.extract()?),
        };
        defaults.push((dest.extract()?, value));
    }
    Ok(defaults)
}

/// The files and URLs that `--locustfile` names. What is wrong is printed as the command would,
/// and SystemExit raised.
#[pyfunction]
pub(crate) fn find_locustfiles(py: Python<'_>, given: &str) -> PyResult<Vec<OsString>> {
    let found = acrida_cli::find_locustfiles(given, Path::new(""))
        .map_err(|exit| ended(py, &exit, "acrida"))?;
    Ok(found.into_iter().map(PathBuf::into_os_string).collect())
}

/// Says why the command would end here; the exception ends the program.
fn ended(py: Python<'_>, exit: &Exit, program: &str) -> PyErr {
    match say(py, exit, program) {
        Ok(()) => PySystemExit::new_err(exit.code()),
        Err(error) => error,
    }
}

/// Prints through Python's own streams, which a program may have replaced.
fn say(py: Python<'_>, exit: &Exit, program: &str) -> PyResult<()> {
    let (stream, text) = match exit {
        Exit::Shown(text) => ("stdout", text.clone()),
        Exit::Usage(text) => ("stderr", format!("{program}: error: {text}\n")),
        Exit::Failed(text) => ("stderr", format!("{program}: {text}\n")),
    };
    let stream = py.import("sys")?.getattr(stream)?;
    stream.call_method1("write", (text,)).map(drop)
}

/// Every attribute of `parsed_options`.
pub(crate) fn parsed_options<'py>(
    py: Python<'py>,
    options: &Options,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in &options.all {
        match value {
            Value::None => dict.set_item(name, py.None())?,
            Value::Bool(value) => dict.set_item(name, value)?,
            Value::Int(value) => dict.set_item(name, value)?,
            Value::Float(value) => dict.set_item(name, value)?,
            Value::Text(value) => dict.set_item(name, value)?,
            Value::List(value) => dict.set_item(name, value)?,
        }
    }
    Ok(dict)
}

/// A default value as a locustfile gives it; what the native side has no form for is
/// left to Python.
pub(crate) fn value(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        return Ok(Value::None);
    }
    if let Ok(value) = value.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if let Ok(value) = value.extract::<i64>() {
        return Ok(Value::Int(value));
    }
    if let Ok(value) = value.extract::<f64>() {
        return Ok(Value::Float(value));
    }
    if let Ok(value) = value.extract::<String>() {
        return Ok(Value::Text(value));
    }
    Ok(value.extract().map_or(Value::None, Value::List))
}
