//! Settings as Python sees them: `environment.parsed_options`.

use acrida_cli::flags::Value;
use acrida_cli::options::Options;
use pyo3::prelude::*;
use pyo3::types::PyDict;

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
