//! The Python boundary.
use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
