//! A finished request as Python sees it, and the promise that it is counted once.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acrida_cli::run::Counter;
use acrida_http::{BodyStream, Finished, HttpError, Observer, Record, Response, Wording};
use acrida_stats::Answer;
use log::warn;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::Text;
use crate::session::{CookieFields, cookie_fields};

/// One finished request.
///
/// What nobody decided about (a `catch_response` block that raised, a user that
/// was stopped meanwhile) is counted by its status when the object is dropped.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Exchange {
    finished: Finished,
    counter: Arc<Counter>,
    counted: AtomicBool,
}

/// One redirect on the way to an answer.
#[pyclass(frozen, module = "acrida._native")]
struct Step {
    response: Response,
    method: String,
}

/// Names and values.
type Pairs = Vec<(String, String)>;

impl Exchange {
    pub(crate) fn new(finished: Finished, counter: Arc<Counter>) -> Self {
        Self {
            counted: AtomicBool::new(!finished.request().verdict_is_open),
            finished,
            counter,
        }
    }

    /// The body, if it is handed over while it arrives.
    pub(crate) fn stream(&self) -> Option<Arc<BodyStream>> {
        self.finished.stream.clone()
    }

    fn response(&self) -> Option<&Response> {
        self.finished.result.as_ref().ok()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if !self.counted.swap(true, Ordering::Relaxed) {
            let failure = self.finished.failure();
            let record = self.finished.record(failure.as_deref());
            tell_of_undecided(&record);
            self.counter.record(&record);
        }
    }
}

/// Says so the first time, because it is a row that Locust's tables do not have.
fn tell_of_undecided(record: &Record) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        warn!(
            target: "locust.user",
            "Nobody decided about a request with catch_response=True, {} {} (no 'with', or its block raised or was ended): \
             such requests are counted by their status. Locust leaves them out",
            record.method,
            record.name,
        );
    }
}

#[pymethods]
impl Exchange {
    /// The status; 0 where there is no answer.
    #[getter]
    fn status(&self) -> u16 {
        self.response().map_or(0, |response| response.status)
    }

    #[getter]
    fn reason(&self) -> Option<String> {
        self.response().map(Response::reason)
    }

    /// Where the answer came from.
    #[getter]
    fn url(&self) -> Option<Cow<'_, str>> {
        self.response().map(Response::url)
    }

    #[getter]
    fn headers(&self) -> Pairs {
        self.response().map(Response::headers).unwrap_or_default()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.response()
            .map(|response| PyBytes::new(py, response.body()))
    }

    /// The cookies that the answer sets.
    #[getter]
    fn cookies(&self) -> Vec<CookieFields> {
        self.response().map(cookies).unwrap_or_default()
    }

    #[getter]
    fn elapsed_us(&self) -> u64 {
        self.response().map_or(0, |response| response.elapsed_us)
    }

    #[getter]
    fn history(&self) -> Vec<Step> {
        let steps = self.finished.history().iter();
        let step = |response: &Response| Step {
            response: response.clone(),
            method: self.finished.method().to_owned(),
        };
        steps.map(step).collect()
    }

    /// Why there is no answer: the class in `requests.exceptions`, its text, and the
    /// `repr()` of what caused it.
    #[getter]
    fn failure(&self) -> Option<(&'static str, String, String)> {
        let error = self.finished.result.as_ref().err()?;
        let cause = self.finished.failure().unwrap_or_default();
        Some((error.class(), error.to_string(), cause))
    }

    /// The exception of the system or of Python's own library that caused the
    /// failure; None where there is no such.
    fn cause(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Err(error) = &self.finished.result else {
            return Ok(None);
        };
        let made = |module: &str, class: &str, arguments: Bound<'_, PyAny>| {
            let class = py.import(module)?.getattr(class)?;
            PyResult::Ok(Some(class.call1((arguments,))?.unbind()))
        };
        let is_fast = self.finished.request().wording == Wording::Geventhttpclient;
        match error {
            HttpError::Broken { .. } | HttpError::Disconnected | HttpError::BadStatusLine(_)
                if is_fast =>
            {
                Ok(None)
            }
            HttpError::Connect { errno, .. } | HttpError::Broken { errno } => {
                let reason = py.import("os")?.call_method1("strerror", (*errno,))?;
                let error = py.get_type::<PyOSError>().call1((*errno, reason))?;
                Ok(Some(error.unbind()))
            }
            HttpError::Resolve { code, reason, .. } => {
                let class = py.import("socket")?.getattr("gaierror")?;
                Ok(Some(class.call1((*code, reason.as_str()))?.unbind()))
            }
            HttpError::Disconnected => {
                let text = "Remote end closed connection without response";
                made(
                    "http.client",
                    "RemoteDisconnected",
                    text.into_pyobject(py)?.into_any(),
                )
            }
            HttpError::BadStatusLine(line) => made(
                "http.client",
                "BadStatusLine",
                line.into_pyobject(py)?.into_any(),
            ),
            _ => Ok(None),
        }
    }

    /// Whether it counts as a failure unless somebody decides otherwise.
    #[getter]
    fn is_failure(&self) -> bool {
        self.finished.failure().is_some()
    }

    #[getter]
    fn name(&self) -> &str {
        self.finished.name()
    }

    #[getter]
    fn method(&self) -> &str {
        self.finished.method()
    }

    /// The URL that was asked for, before redirects.
    #[getter]
    fn request_url(&self) -> &str {
        &self.finished.target().url
    }

    /// Method and URL of the last request, after redirects.
    #[getter]
    fn sent_method(&self) -> &str {
        &self.finished.request().method
    }

    #[getter]
    fn sent_url(&self) -> &str {
        &self.finished.request().target.url
    }

    #[getter]
    fn request_body<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let body = self.finished.request().body.as_ref();
        body.map(|body| PyBytes::new(py, body))
    }

    /// The headers that were sent, without what is derived while sending.
    #[getter]
    fn request_headers(&self) -> Pairs {
        let request = self.finished.request();
        let mut fields = request.headers.fields().to_vec();
        let more = [
            ("Content-Type", request.content_type.clone()),
            (
                "Content-Length",
                request.body.as_ref().map(|body| body.len().to_string()),
            ),
            ("Authorization", request.authorization.clone()),
        ];
        for (name, value) in more {
            let missing = !fields
                .iter()
                .any(|(given, _)| given.eq_ignore_ascii_case(name));
            if let (Some(value), true) = (value, missing) {
                fields.push((name.to_owned(), value));
            }
        }
        fields
    }

    #[getter]
    fn content_length(&self) -> u64 {
        self.finished.content_length()
    }

    #[getter]
    fn response_time_ms(&self) -> f64 {
        self.finished.response_time_us as f64 / 1000.0
    }

    /// It is not counted: another one is, that it belongs to.
    fn discard(&self) {
        self.counted.store(true, Ordering::Relaxed);
    }

    /// Counts the request as a `catch_response` block decided; only the first time.
    /// `answer` as in [`checked`].
    #[pyo3(signature = (method, name, response_time_ms, content_length, failure, answer))]
    fn record(
        &self,
        method: Text,
        name: Text,
        response_time_ms: Option<f64>,
        content_length: f64,
        failure: Option<&str>,
        answer: Option<(String, String, bool)>,
    ) -> PyResult<()> {
        let response_time_us = response_time_ms.map(micros).transpose()?;
        if !self.counted.swap(true, Ordering::Relaxed) {
            self.counter.record(&Record {
                method: &method.0,
                name: &name.0,
                response_time_us,
                content_length: bytes(content_length),
                answer: answer.as_ref().map(checked),
                ..self.finished.record(failure)
            });
        }
        Ok(())
    }
}

#[pymethods]
impl Step {
    #[getter]
    fn status(&self) -> u16 {
        self.response.status
    }

    #[getter]
    fn reason(&self) -> String {
        self.response.reason()
    }

    #[getter]
    fn url(&self) -> Cow<'_, str> {
        self.response.url()
    }

    #[getter]
    fn headers(&self) -> Pairs {
        self.response.headers()
    }

    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.response.body())
    }

    #[getter]
    fn cookies(&self) -> Vec<CookieFields> {
        cookies(&self.response)
    }

    #[getter]
    fn elapsed_us(&self) -> u64 {
        self.response.elapsed_us
    }

    #[getter]
    fn history(&self) -> Vec<Step> {
        Vec::new()
    }

    #[getter]
    fn sent_method(&self) -> &str {
        &self.method
    }

    #[getter]
    fn sent_url(&self) -> Cow<'_, str> {
        self.response.url()
    }

    #[getter]
    fn request_body(&self) -> Option<Vec<u8>> {
        None
    }

    #[getter]
    fn request_headers(&self) -> Pairs {
        Vec::new()
    }
}

fn cookies(response: &Response) -> Vec<CookieFields> {
    response.cookies().into_iter().map(cookie_fields).collect()
}

/// An answer that was checked: what was expected, what was answered, and whether it was
/// another request's.
pub(crate) fn checked((expected, answered, mixed_up): &(String, String, bool)) -> Answer<'_> {
    Answer {
        expected,
        answered,
        mixed_up: *mixed_up,
    }
}

/// Milliseconds as Python has them, in whole µs; what is below 0 counts as 0.
/// ValueError for what is no time.
pub(crate) fn micros(ms: f64) -> PyResult<u64> {
    if !ms.is_finite() {
        let text = format!("response_time={ms}, expected milliseconds or None");
        return Err(PyValueError::new_err(text));
    }
    Ok((ms * 1000.0).round() as u64)
}

/// A number of bytes as locustfiles give it; what is below 0 counts as 0.
pub(crate) fn bytes(length: f64) -> u64 {
    length as u64
}
