//! A user's HTTP session. HOT: `submit` is on the path of every request.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use acrida_http::{
    CookieRow, Headers, HttpError, Proxy, Request, Scheme, Tls, TlsChoice, TlsError, Wording, repr,
};
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::arguments::{Content, HeaderFields, Options, Text};
use crate::arrivals::Arrival;
use crate::engine::Engine;
use crate::exchange::Exchange;
use crate::stream::Stream;
use crate::waiters::{Handover, Waiter};

/// Whom requests go through.
#[pyclass(frozen, module = "acrida._native")]
pub(crate) struct Proxies(pub(crate) Arc<acrida_http::Proxies>);

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
    /// Headers of every request, unless it has its own; or why they cannot be sent.
    headers: Mutex<Result<Headers, HttpError>>,
}

impl Session {
    pub(crate) fn new(engine: Py<Engine>, session: acrida_http::Session, headers: Headers) -> Self {
        Self {
            engine,
            session,
            headers: Mutex::new(Ok(headers)),
        }
    }

    fn own_headers(&self) -> Result<Headers, HttpError> {
        self.headers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[pymethods]
impl Session {
    /// Sends a request. In the event loop's thread: returns a ticket, and switches
    /// to `greenlet` with the finished exchange later. In any other: waits, and returns it.
    #[expect(
        clippy::too_many_arguments,
        reason = "what requests takes, passed on in one call"
    )]
    fn submit(
        &self,
        py: Python<'_>,
        greenlet: Py<PyAny>,
        method: &str,
        base_url: &str,
        url: &str,
        name: Option<Text>,
        headers: Option<HeaderFields>,
        content: Option<Content>,
        content_type: Option<String>,
        options: PyRef<'_, Options>,
        count_now: bool,
        arrival: Option<PyRef<'_, Arrival>>,
    ) -> PyResult<Py<PyAny>> {
        let engine = self.engine.get();
        let target = engine.targets.get(base_url, url);
        let target = target.map_err(|error| named(py, error.class(), &error.to_string()))?;
        let is_fast = options.wording == Wording::Geventhttpclient;
        let method = checked_method(method, is_fast)?;
        let headers = match headers {
            None => self.own_headers(),
            Some(fields) => fields.headers(is_fast),
        };
        let (headers, refused) = match headers {
            Ok(headers) => (headers, None),
            // As geventhttpclient, which counts no request then.
            Err(error) if is_fast => return Err(PyValueError::new_err(error.to_string())),
            Err(error) => (engine.default_headers(), Some(error)),
        };
        let (body, refused) = match content {
            None => (None, refused),
            Some(Content::Bytes(bytes)) => (Some(bytes), refused),
            Some(Content::Unsendable(reason)) => (None, Some(HttpError::InvalidJson(reason))),
        };
        let credentials = options.credentials.as_ref();
        let credentials = credentials.or(target.credentials.as_ref()).cloned();
        let mut request = Request {
            method,
            tls: load_tls(engine, &options, target.scheme == Scheme::Https)?,
            target,
            name: name.map(|name| name.0),
            headers,
            content_type,
            body,
            cookies: options.cookies.clone(),
            authorization: None,
            timeouts: options.timeouts,
            max_redirects: options.max_redirects,
            proxies: options.proxies.clone(),
            wording: options.wording,
            streams: options.streams,
            due: arrival.map(|arrival| arrival.due),
            verdict_is_open: !count_now,
        };
        if let Some((user, password)) = credentials {
            request.set_basic_auth(&user, &password);
        }
        self.send(py, greenlet, request, refused)
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
    fn set_headers(&self, headers: HeaderFields, is_fast: bool) {
        *self.headers.lock().unwrap_or_else(PoisonError::into_inner) = headers.headers(is_fast);
    }

    fn cookies(&self) -> Vec<CookieFields> {
        let rows = self.session.cookies().into_iter();
        rows.map(cookie_fields).collect()
    }

    fn set_cookie(
        &self,
        name: String,
        value: String,
        domain: String,
        path: String,
        secure: bool,
        expires: Option<u64>,
    ) {
        self.session.set_cookie(CookieRow {
            name,
            value,
            domain,
            path,
            secure,
            expires,
        });
    }

    /// Removes the cookies that have this domain, path and name, as far as they are
    /// given; says whether there were any.
    #[pyo3(signature = (domain=None, path=None, name=None))]
    fn remove_cookies(&self, domain: Option<&str>, path: Option<&str>, name: Option<&str>) -> bool {
        self.session.remove_cookies(domain, path, name)
    }
}

/// A cookie's name, value, domain, path, whether it is for TLS only, and when it ends, in
/// seconds since 1970.
pub(crate) type CookieFields = (String, String, String, String, bool, Option<u64>);

pub(crate) fn cookie_fields(row: CookieRow) -> CookieFields {
    (
        row.name,
        row.value,
        row.domain,
        row.path,
        row.secure,
        row.expires,
    )
}

impl Session {
    fn send(
        &self,
        py: Python<'_>,
        greenlet: Py<PyAny>,
        request: Request,
        refused: Option<HttpError>,
    ) -> PyResult<Py<PyAny>> {
        let engine = self.engine.get();
        let submit = |ticket| match refused {
            None => self.session.submit(ticket, request),
            Some(error) => self.session.submit_refused(ticket, request, error),
        };
        if engine.is_in_loop_thread() {
            let ticket = engine.waiters().add(Waiter::Greenlet(greenlet));
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

/// The method as it is sent. ValueError, in the words of the client in question, for one
/// that would break the request.
fn checked_method(method: &str, is_fast: bool) -> PyResult<Cow<'static, str>> {
    let usual = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    if let Some(usual) = usual.into_iter().find(|usual| *usual == method) {
        return Ok(usual.into());
    }
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if is_fast && (method.is_empty() || !method.bytes().all(is_token)) {
        let text = format!("invalid HTTP method {}", repr(method));
        return Err(PyValueError::new_err(text));
    }
    match method.bytes().find(|byte| !is_token(*byte)) {
        None => Ok(method.to_owned().into()),
        Some(byte) => Err(PyValueError::new_err(format!(
            "Method cannot contain non-token characters {} (found at least {})",
            repr(method),
            repr(&char::from(byte).to_string())
        ))),
    }
}

/// `None` where the default is wanted, or where nothing is encrypted: who is to be
/// trusted is not looked at there.
fn load_tls(engine: &Engine, options: &Options, is_encrypted: bool) -> PyResult<Option<Tls>> {
    if options.tls == TlsChoice::default() {
        return Ok(None);
    }
    if let Some(loaded) = options.loaded_tls.get() {
        return Ok(Some(loaded.clone()));
    }
    match engine.tls(options.tls.clone()) {
        Err(TlsError::Trust(_)) if !is_encrypted => Ok(None),
        Ok(loaded) => Ok(Some(options.loaded_tls.get_or_init(|| loaded).clone())),
        Err(error) => Err(PyOSError::new_err(error.to_string())),
    }
}
