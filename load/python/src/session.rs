//! A user's HTTP session. HOT: `submit` is on the path of every request.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use acrida_http::{
    Headers, HttpError, Proxy, Request, Target, TargetError, Timeouts, Tls, TlsChoice, Trust,
    Wording,
};
use bytes::Bytes;
use pyo3::exceptions::{PyOSError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::arrivals::Arrival;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::multipart::Body;
use crate::stream::Stream;
use crate::waiters::{Handover, Waiter};

/// Names and values.
type Pairs = Vec<(String, String)>;

/// Whom requests go through.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Proxies(Arc<acrida_http::Proxies>);

#[pymethods]
impl Proxies {
    /// The URLs of the proxies for http:// and https://, None goes straight;
    /// requests' InvalidProxyURL for what is none.
    #[new]
    #[pyo3(signature = (http, https))]
    fn new(py: Python<'_>, http: Option<&str>, https: Option<&str>) -> PyResult<Self> {
        let parse = |url: Option<&str>| -> PyResult<Option<Arc<Proxy>>> {
            let proxy = url.map(Proxy::parse).transpose();
            let proxy = proxy.map_err(|error| named(py, "InvalidProxyURL", &error.to_string()))?;
            Ok(proxy.map(Arc::new))
        };
        Ok(Self(Arc::new(acrida_http::Proxies {
            http: parse(http)?,
            https: parse(https)?,
        })))
    }
}

/// One user's connections and cookies.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Session {
    engine: Py<Engine>,
    session: acrida_http::Session,
    /// Headers of every request, unless it has its own.
    headers: Mutex<Headers>,
}

impl Session {
    pub(crate) fn new(engine: Py<Engine>, session: acrida_http::Session, headers: Headers) -> Self {
        Self {
            engine,
            session,
            headers: Mutex::new(headers),
        }
    }

    fn own_headers(&self) -> Headers {
        self.headers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[pymethods]
impl Session {
    /// Sends a request. In the event loop's thread: returns a ticket, and calls
    /// `switch` with the finished exchange later. In any other: waits, and returns it.
    #[expect(
        clippy::too_many_arguments,
        reason = "what requests takes, passed on in one call"
    )]
    fn submit(
        &self,
        py: Python<'_>,
        switch: Py<PyAny>,
        method: String,
        base_url: &str,
        url: &str,
        name: Option<String>,
        headers: Option<Pairs>,
        content: Option<Content>,
        content_type: Option<String>,
        credentials: Option<(String, String)>,
        cookies: Option<Pairs>,
        timeout: Option<Timeout>,
        max_redirects: Option<u32>,
        verify: Verify,
        cert: Option<Cert>,
        proxies: Option<PyRef<'_, Proxies>>,
        streams: bool,
        count_now: bool,
        is_fast: bool,
        arrival: Option<PyRef<'_, Arrival>>,
    ) -> PyResult<Py<PyAny>> {
        let target = parse_target(base_url, url)
            .map_err(|error| named(py, error.class(), &error.to_string()))?;
        let (headers, refused) = match headers.map(Headers::new) {
            None => (self.own_headers(), None),
            Some(Ok(headers)) => (headers, None),
            Some(Err(error)) => (self.own_headers(), Some(error)),
        };
        let engine = self.engine.get();
        let mut request = Request {
            method,
            target,
            name,
            headers,
            content_type,
            body: content.map(|content| content.0),
            cookies: cookies.unwrap_or_default(),
            authorization: None,
            timeouts: timeout.map_or_else(Timeouts::default, |timeout| timeout.0),
            max_redirects,
            proxies: proxies.map(|proxies| Arc::clone(&proxies.0)),
            tls: load_tls(engine, verify, cert)?,
            wording: if is_fast {
                Wording::Geventhttpclient
            } else {
                Wording::Requests
            },
            streams,
            due: arrival.map(|arrival| arrival.due),
            verdict_is_open: !count_now,
        };
        let from_url = request.target.credentials.take();
        if let Some((user, password)) = credentials.or(from_url) {
            request.set_basic_auth(&user, &password);
        }
        self.send(py, switch, request, refused)
    }

    /// The body of an exchange, if it is still arriving.
    fn stream_of(&self, py: Python<'_>, exchange: PyRef<'_, Exchange>) -> Option<Stream> {
        let body = exchange.stream()?;
        Some(Stream::new(self.engine.clone_ref(py), body))
    }

    /// Nobody waits for this ticket any more.
    fn abandon(&self, ticket: u64) {
        self.engine.get().waiters().abandon(ticket);
    }

    /// Sets what every request has that brings no headers of its own.
    fn set_headers(&self, py: Python<'_>, headers: Pairs) -> PyResult<()> {
        let headers =
            Headers::new(headers).map_err(|error| named(py, error.class(), &error.to_string()))?;
        *self.headers.lock().unwrap_or_else(PoisonError::into_inner) = headers;
        Ok(())
    }

    /// Name, value, domain and path of each cookie.
    fn cookies(&self) -> Vec<acrida_http::CookieRow> {
        self.session.cookies()
    }

    fn set_cookie(&self, name: String, value: String, domain: String, path: String) {
        self.session.set_cookie((name, value, domain, path));
    }

    fn remove_cookie(&self, name: &str) {
        self.session.remove_cookie(name);
    }

    fn clear_cookies(&self) {
        self.session.clear_cookies();
    }
}

impl Session {
    fn send(
        &self,
        py: Python<'_>,
        switch: Py<PyAny>,
        request: Request,
        refused: Option<HttpError>,
    ) -> PyResult<Py<PyAny>> {
        let engine = self.engine.get();
        let submit = |ticket| match refused {
            None => self.session.submit(ticket, request),
            Some(error) => self.session.submit_refused(ticket, request, error),
        };
        if engine.is_in_loop_thread() {
            let ticket = engine.waiters().add(Waiter::Greenlet(switch));
            submit(ticket);
            engine.wake_soon(py)?;
            return Ok(ticket.into_pyobject(py)?.into_any().unbind());
        }
        let handover = Arc::new(Handover::default());
        let ticket = engine.waiters().add(Waiter::Thread(Arc::clone(&handover)));
        submit(ticket);
        engine.client().wake();
        let exchange: Exchange = py.detach(|| handover.wait());
        Ok(Py::new(py, exchange)?.into_any())
    }
}

/// An absolute URL stands for itself, any other is put behind the base.
fn parse_target(base_url: &str, url: &str) -> Result<Target, TargetError> {
    let is_absolute = |prefix: &str| {
        let start = url.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if is_absolute("http://") || is_absolute("https://") {
        return Target::parse(url);
    }
    Target::parse(&[base_url, url].concat())
}

/// The exception that a locustfile expects under this name.
fn named(py: Python<'_>, class: &str, text: &str) -> PyErr {
    let raised = py
        .import("acrida.http.errors")
        .and_then(|module| module.call_method1("named", (class,)))
        .and_then(|class| class.call1((text,)));
    match raised {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// `None` where the default is wanted.
fn load_tls(engine: &Engine, verify: Verify, cert: Option<Cert>) -> PyResult<Option<Tls>> {
    let choice = TlsChoice {
        trust: verify.0,
        identity: cert.map(|cert| cert.0),
    };
    if choice == TlsChoice::default() {
        return Ok(None);
    }
    let loaded = engine.tls(choice);
    loaded
        .map(Some)
        .map_err(|error| PyOSError::new_err(error.to_string()))
}

/// A body as Python hands it over.
struct Content(Bytes);

impl<'a, 'py> FromPyObject<'a, 'py> for Content {
    type Error = PyErr;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(body) = object.cast::<Body>() {
            return Ok(Self(body.get().0.clone()));
        }
        let bytes = object.cast::<PyBytes>().map_err(PyErr::from)?;
        Ok(Self(Bytes::copy_from_slice(bytes.as_bytes())))
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
