//! Settings as Python sees them: `environment.parsed_options`.

use acrida_cli::flags::Value;
use acrida_cli::options::Options;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict};

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
