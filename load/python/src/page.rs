//! The web page of a program of one's own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use acrida_cli::exit::Exit;
use acrida_cli::flags;
use acrida_cli::options::{self, Options};
use acrida_cli::run::{Behind, Extension, OwnPage, PagePort, PageSetup};
use acrida_report::locust_json::Percentiles;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::engine::Engine;
use crate::loader::page_shape;
use crate::settings::value;

/// A page, from the taking of its port to its end.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct WebPage {
    options: Options,
    #[pyo3(get)]
    port: u16,
    stage: Mutex<Stage>,
}

enum Stage {
    Bound(PagePort),
    Served(OwnPage),
    Over,
}

impl WebPage {
    fn replace(&self, stage: Stage) -> Stage {
        let mut now = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *now, stage)
    }
}

#[pymethods]
impl WebPage {
    /// Takes a port. `words` are flags as on a command line, `settings` what else the page
    /// tells of `parsed_options`. ValueError for a flag that means nothing, OSError if the
    /// port is in use.
    #[new]
    fn new(words: Vec<String>, settings: &Bound<'_, PyDict>) -> PyResult<Self> {
        let read = || {
            let given = flags::parse("acrida", &words, &[])?;
            options::resolve(&given, &BTreeMap::new(), &[], &[])
        };
        let mut options = read().map_err(PyValueError::new_err)?;
        for (name, setting) in settings {
            let (name, setting) = (name.extract::<String>()?, value(&setting)?);
            match options.all.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = setting,
                None => options.all.push((name, setting)),
            }
        }
        let port = PagePort::bind(&options).map_err(|exit| PyOSError::new_err(text(exit)))?;
        Ok(Self {
            options,
            port: port.number(),
            stage: Mutex::new(Stage::Bound(port)),
        })
    }

    /// Serves the page of `engine`, which has to decide already; returns its URL.
    ///
    /// `percentiles` are those of files, of the page's charts and of its rows, `extension`
    /// as for [`Extension`]. RuntimeError if it is too early or too late for it, OSError if
    /// the system refuses a thread.
    fn serve(
        &self,
        py: Python<'_>,
        engine: &Engine,
        locustfile: String,
        shapes: Vec<Bound<'_, PyAny>>,
        percentiles: (Vec<f64>, Vec<f64>, Vec<f64>),
        extension: Option<(PathBuf, bool)>,
    ) -> PyResult<String> {
        let no_time = |why: &str| PyRuntimeError::new_err(format!("the web page {why}"));
        let control = engine.control().ok_or_else(|| no_time("has no runner"))?;
        let (of_files, to_chart, to_statistics) = percentiles;
        let setup = PageSetup {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            locustfile,
            extra_options: Vec::new(),
            shapes: shapes.iter().map(page_shape).collect::<PyResult<_>>()?,
            chosen: Percentiles {
                to_chart,
                to_statistics,
            },
            extension: extension.map(|(folder, logs_in)| Extension { folder, logs_in }),
        };
        let Stage::Bound(port) = self.replace(Stage::Over) else {
            return Err(no_time("is served already, or was stopped"));
        };
        let behind = Behind {
            control,
            collector: Arc::clone(engine.ledger().collector()),
            host: engine.host(),
        };
        let page = py
            .detach(|| port.serve(&self.options, setup, &of_files, behind))
            .map_err(|exit| PyOSError::new_err(text(exit)))?;
        let url = page.url().to_owned();
        self.replace(Stage::Served(page));
        Ok(url)
    }

    /// Ends the page; its port is free again.
    fn stop(&self, py: Python<'_>) {
        let stage = self.replace(Stage::Over);
        py.detach(|| match stage {
            Stage::Served(page) => page.stop(),
            Stage::Bound(_) | Stage::Over => {}
        });
    }
}

fn text(exit: Exit) -> String {
    match exit {
        Exit::Shown(text) | Exit::Usage(text) | Exit::Failed(text) => text,
    }
}
