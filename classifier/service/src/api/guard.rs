//! Who may ask, and how often; everyone and always, unless configured otherwise.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::{App, body};
use crate::server::ClientAddress;

/// Addresses that are told apart; others share one allowance.
const ADDRESSES_MAX: usize = 10_000;
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Paths that need no key and are not counted: an orchestrator's, and the page, which asks
/// for the key.
const OPEN: [&str; 7] = [
    "/",
    "/health",
    "/live",
    "/ready",
    "/docs",
    "/openapi.json",
    "/assets/",
];

type Limiter = RateLimiter<
    IpAddr,
    HashMapStateStore<IpAddr>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// Lets requests in.
#[derive(Debug)]
pub(crate) struct Guard {
    /// SHA-256 of the key: comparing digests takes equally long whatever is sent.
    key: Option<[u8; 32]>,
    limiter: Option<Limiter>,
}

impl Guard {
    /// `rate` is requests a second from one address; a second's worth may come at once.
    pub(crate) fn new(key: Option<&str>, rate: Option<u32>) -> Guard {
        let limiter = |rate| {
            RateLimiter::new(
                Quota::per_second(rate),
                HashMapStateStore::default(),
                MonotonicClock,
            )
        };
        Guard {
            key: key.map(digest),
            limiter: rate.and_then(NonZeroU32::new).map(limiter),
        }
    }

    fn check(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        address: IpAddr,
    ) -> Result<(), ApiError> {
        if !method.is_safe() && is_from_another_page(headers) {
            return Err(ApiError::AnotherPage);
        }
        if is_open(path) {
            return Ok(());
        }
        if let Some(limiter) = &self.limiter {
            check_rate(limiter, address)?;
        }
        match self.key {
            Some(key) if sent_key(headers).map(digest) != Some(key) => Err(ApiError::NoKey),
            _ => Ok(()),
        }
    }
}

/// Whether a browser says that a page of another origin had it ask. Such a page could
/// otherwise use its visitor to reach a service that listens on the visitor's machine alone.
/// Source: W3C Fetch Metadata; programs that are no browsers send nothing of it.
fn is_from_another_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    site.is_some_and(|site| site != "same-origin" && site != "none")
}

fn check_rate(limiter: &Limiter, address: IpAddr) -> Result<(), ApiError> {
    if limiter.len() >= ADDRESSES_MAX {
        limiter.retain_recent();
    }
    let known = limiter.len() < ADDRESSES_MAX;
    let address = if known { address } else { OTHERS };
    limiter.check_key(&address).map_err(|early| {
        let wait = early.wait_time_from(MonotonicClock.now());
        ApiError::TooOften(wait.as_secs_f64().ceil().max(1.0) as u64)
    })
}

fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| match open.strip_suffix('/') {
        Some(folder) if !folder.is_empty() => path.starts_with(open),
        _ => path == *open,
    })
}

fn sent_key(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || {
        let (scheme, key) = text(AUTHORIZATION.as_str())?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key)
    };
    text("x-api-key").or_else(bearer)
}

fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Around every route.
pub(crate) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let client = request.extensions().get::<ClientAddress>();
    let address = client.map_or(OTHERS, |client| client.0);
    let checked = app.guard.check(
        request.method(),
        request.uri().path(),
        request.headers(),
        address,
    );
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => {
            body::discard(request.into_body());
            error.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn check(guard: &Guard, path: &str, header: Option<(&'static str, &str)>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, value.parse().unwrap());
        }
        guard.check(&Method::POST, path, &headers, CLIENT).is_ok()
    }

    #[test]
    fn only_the_key_opens_what_is_not_open() {
        let guard = Guard::new(Some("secret"), None);
        for (path, header, may) in [
            ("/predict", None, false),
            ("/predict", Some(("x-api-key", "secret")), true),
            ("/predict", Some(("authorization", "Bearer secret")), true),
            ("/predict", Some(("authorization", "bearer secret")), true),
            ("/predict", Some(("authorization", "Basic secret")), false),
            ("/predict", Some(("authorization", "secret")), false),
            ("/predict", Some(("x-api-key", "Secret")), false),
            ("/predict", Some(("x-api-key", "")), false),
            ("/metrics", None, false),
            ("/nothing", None, false),
            ("/assets", None, false),
            ("/", None, true),
            ("/ready", None, true),
            ("/assets/app.js", None, true),
        ] {
            assert_eq!(check(&guard, path, header), may, "{path} {header:?}");
        }
        assert!(check(&Guard::new(None, None), "/predict", None));
    }

    #[test]
    fn other_pages_may_look_but_not_act() {
        let guard = Guard::new(None, None);
        for (site, may) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
        ] {
            let header = Some(("sec-fetch-site", site));
            assert_eq!(check(&guard, "/retrain", header), may, "{site}");
        }
        let headers = HeaderMap::from_iter([(
            "sec-fetch-site".parse().unwrap(),
            "cross-site".parse().unwrap(),
        )]);
        let look = guard.check(&Method::GET, "/", &headers, CLIENT);
        assert!(look.is_ok());
    }

    #[test]
    fn an_address_may_ask_so_often() {
        let guard = Guard::new(None, Some(3));
        let allowed = (0..20).filter(|_| check(&guard, "/predict", None)).count();
        assert_eq!(allowed, 3);
        assert!(check(&guard, "/health", None), "not counted");
        let other = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        assert!(
            guard
                .check(&Method::POST, "/predict", &HeaderMap::new(), other)
                .is_ok()
        );
    }
}
