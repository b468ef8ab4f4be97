//! What Python's side passes to `submit`, in the forms that requests takes.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acrida_http::{Headers, HttpError, Proxies, Timeouts, Tls, TlsChoice, Trust, Wording};
use bytes::Bytes;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::multipart::Body;
use crate::session;

/// How a request is sent, beside what it says: made once for all requests of a session
/// that do not differ in it.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Options {
    pub(crate) credentials: Option<(String, String)>,
    /// Cookies beside the session's.
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) max_redirects: Option<u32>,
    pub(crate) wording: Wording,
    pub(crate) timeouts: Timeouts,
    pub(crate) tls: TlsChoice,
    /// The same, once it has been loaded.
    pub(crate) loaded_tls: OnceLock<Tls>,
    pub(crate) proxies: Option<Arc<Proxies>>,
    /// Whether the body is handed over while it arrives.
    #[pyo3(get)]
    pub(crate) streams: bool,
}

#[pymethods]
impl Options {
    /// From what requests takes, in its forms.
    #[new]
    #[expect(
        clippy::too_many_arguments,
        reason = "what requests takes, passed on in one call"
    )]
    #[pyo3(signature = (credentials, cookies, max_redirects, is_fast, *, timeout, verify, cert, proxies, stream))]
    fn new(
        credentials: Option<(String, String)>,
        cookies: Option<Vec<(String, String)>>,
        max_redirects: Option<u32>,
        is_fast: bool,
        timeout: Option<Timeout>,
        verify: Verify,
        cert: Option<Cert>,
        proxies: Option<PyRef<'_, session::Proxies>>,
        stream: bool,
    ) -> Self {
        Self {
            credentials,
            cookies: cookies.unwrap_or_default(),
            max_redirects,
            wording: if is_fast {
                Wording::Geventhttpclient
            } else {
                Wording::Requests
            },
            timeouts: timeout.map_or_else(Timeouts::default, |timeout| timeout.0),
            tls: TlsChoice {
                trust: verify.0,
                identity: cert.map(|cert| cert.0),
            },
            loaded_tls: OnceLock::new(),
            proxies: proxies.map(|proxies| Arc::clone(&proxies.0)),
            streams: stream,
        }
    }
}

/// What requests are counted under: a text, or whatever a locustfile gives, as text.
pub(crate) struct Text(pub(crate) String);

impl<'a, 'py> FromPyObject<'a, 'py> for Text {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match object.cast::<PyString>() {
            Ok(text) => Ok(Self(text.to_str()?.to_owned())),
            Err(_) => Ok(Self(object.str()?.to_str()?.to_owned())),
        }
    }
}

/// Names and values of headers. Bytes are Latin-1; what is neither text nor bytes
/// is sent as text by FastHttpUser, and refused by HttpUser.
pub(crate) struct HeaderFields {
    fields: Vec<(String, String)>,
    /// What is wrong with the first value that is no text.
    no_text: Option<String>,
}

impl HeaderFields {
    /// What is sent; FastHttpUser drops white space in front of a value.
    pub(crate) fn headers(self, is_fast: bool) -> Result<Headers, HttpError> {
        match self.no_text {
            Some(reason) if !is_fast => Err(HttpError::InvalidHeader(reason)),
            _ if is_fast => {
                let fields = self.fields.into_iter();
                let trimmed = fields.map(|(name, value)| (name, value.trim_start().to_owned()));
                Headers::new(trimmed.collect())
            }
            _ => Headers::new(self.fields),
        }
    }

    fn add(&mut self, pair: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair.extract()?;
        let value = match text_of(&value)? {
            Some(text) => text,
            None => {
                let reason = format!(
                    "Header part ({}) from ({}, {}) must be of type str or bytes, not {}",
                    value.repr()?,
                    name.repr()?,
                    value.repr()?,
                    value.get_type().repr()?
                );
                self.no_text.get_or_insert(reason);
                value.str()?.to_str()?.to_owned()
            }
        };
        self.fields
            .push((Text::extract(name.as_borrowed())?.0, value));
        Ok(())
    }
}

/// `None` for what is neither text nor bytes.
fn text_of(value: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(Some(text.to_str()?.to_owned()));
    }
    let bytes = value.cast::<PyBytes>().ok();
    Ok(bytes.map(|bytes| bytes.as_bytes().iter().copied().map(char::from).collect()))
}

impl<'a, 'py> FromPyObject<'a, 'py> for HeaderFields {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let pairs = object.cast::<PyList>().map_err(PyErr::from)?;
        let mut headers = Self {
            fields: Vec::with_capacity(pairs.len()),
            no_text: None,
        };
        for pair in pairs.iter() {
            headers.add(&pair)?;
        }
        Ok(headers)
    }
}

/// A body that cannot be made: the request fails with InvalidJSONError.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Unsendable(String);

#[pymethods]
impl Unsendable {
    /// For the reason given.
    #[new]
    fn new(reason: String) -> Self {
        Self(reason)
    }

    fn __len__(&self) -> usize {
        0
    }
}

/// A body as Python hands it over.
pub(crate) enum Content {
    /// It can be sent.
    Bytes(Bytes),
    /// It cannot, for a reason that the failure table tells.
    Unsendable(String),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Content {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(body) = object.cast::<Body>() {
            return Ok(Self::Bytes(body.get().0.clone()));
        }
        if let Ok(unsendable) = object.cast::<Unsendable>() {
            return Ok(Self::Unsendable(unsendable.get().0.clone()));
        }
        let bytes = object.cast::<PyBytes>().map_err(PyErr::from)?;
        Ok(Self::Bytes(Bytes::copy_from_slice(bytes.as_bytes())))
    }
}

/// `timeout=`: a number, or a pair for connecting and reading.
struct Timeout(Timeouts);

impl<'a, 'py> FromPyObject<'a, 'py> for Timeout {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let (connect, read) = match object.cast::<PyTuple>() {
            Ok(pair) => pair.extract::<(Option<f64>, Option<f64>)>()?,
            Err(_) => {
                let both = object.extract::<f64>()?;
                (Some(both), Some(both))
            }
        };
        let limit = |seconds: Option<f64>| match seconds {
            Some(seconds) if seconds <= 0.0 => Err(PyValueError::new_err(format!(
                "Attempted to set connect timeout to {seconds}, but the timeout cannot be set to a value less than or equal to 0."
            ))),
            // What no clock can say is as good as none.
            Some(seconds) => Ok(Duration::try_from_secs_f64(seconds).ok()),
            None => Ok(None),
        };
        Ok(Self(Timeouts {
            connect: limit(connect)?,
            read: limit(read)?,
        }))
    }
}

/// `verify=`: a truth value, or the path of a file with certificates.
struct Verify(Trust);

impl<'a, 'py> FromPyObject<'a, 'py> for Verify {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(on) = object.extract::<bool>() {
            return Ok(Self(if on {
                Trust::Authorities
            } else {
                Trust::Anybody
            }));
        }
        let path = object.extract::<PathBuf>();
        path.map(|path| Self(Trust::File(path)))
            .map_err(|_| PyTypeError::new_err("verify= takes True, False or the path of a file"))
    }
}

/// `cert=`: one file for certificate and key, or a pair.
struct Cert((PathBuf, PathBuf));

impl<'a, 'py> FromPyObject<'a, 'py> for Cert {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(path) = object.extract::<PathBuf>() {
            return Ok(Self((path.clone(), path)));
        }
        Ok(Self(object.extract()?))
    }
}
