//! The Python boundary: the extension module `acrida._native`.
//!
//! The command enters through `main`, which parses flags, has Python
//! import the locustfile, and drives the run. Python's side executes users: it
//! gets actions and finished requests from an `Engine` and submits
//! requests through a `Session`.

mod actions;
mod arguments;
mod arrivals;
mod engine;
mod entry;
mod exchange;
mod host;
mod ledger;
mod loader;
mod loop_watch;
mod multipart;
mod page;
mod picks;
mod published;
mod session;
mod settings;
mod statistics;
mod stream;
mod waiters;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::arguments::{Options, Unsendable};
    #[pymodule_export]
    use crate::engine::{Engine, remember_log_line};
    #[pymodule_export]
    use crate::entry::main;
    #[pymodule_export]
    use crate::exchange::Exchange;
    #[pymodule_export]
    use crate::ledger::Ledger;
    #[pymodule_export]
    use crate::multipart::{Body, encode_multipart};
    #[pymodule_export]
    use crate::page::WebPage;
    #[pymodule_export]
    use crate::picks::Picks;
    #[pymodule_export]
    use crate::session::{Proxies, Session};
    #[pymodule_export]
    use crate::settings::{find_locustfiles, parse_options};
    #[pymodule_export]
    use crate::statistics::{Failure, Row, Statistics, history_header};
    #[pymodule_export]
    use crate::stream::Stream;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        module.add("DEFAULT_HEADERS", acrida_http::Headers::default_fields())
    }
}
