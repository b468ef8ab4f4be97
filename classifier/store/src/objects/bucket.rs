//! A bucket of an S3-compatible store.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusty_s3::{Bucket as Address, Credentials, S3Action, UrlStyle};
use sha2::{Digest, Sha256};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::error::StoreError;

/// How long a signed address can be used.
const SIGNED_FOR: Duration = Duration::from_secs(300);
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Whether it answers at all is known after this long, and for how long that is taken for so.
const SEEN_WITHIN: Duration = Duration::from_millis(1_500);
const SEEN_FOR: Duration = Duration::from_secs(1);
/// Pauses before each further attempt, when the store was busy or not to be reached.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];
/// Of an object, no more is read; uploads and models are far smaller.
const OBJECT_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Of what a store says about an error, no more is read.
const ERROR_BYTES_MAX: u64 = 64 * 1024;

/// Which bucket to use, and how.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// `s3://BUCKET` or `s3://BUCKET/FOLDER`.
    pub url: String,
    /// Such as `http://127.0.0.1:9000`; `None` for Amazon's own.
    pub endpoint: Option<String>,
    /// Such as `eu-central-1`.
    pub region: String,
}

pub(crate) struct Bucket {
    address: Address,
    credentials: Credentials,
    /// Before every key: empty, or with a slash at its end.
    prefix: String,
    agent: Agent,
    /// When it was last asked whether it answers, and whether it did.
    seen: Mutex<Option<(Instant, bool)>>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Bucket({})", self.place(""))
    }
}

impl Bucket {
    /// Credentials are those of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`.
    pub(super) fn open(config: &BucketConfig) -> Result<Bucket, StoreError> {
        let wrong = |why: &str| StoreError::Configuration(format!("{}: {why}", config.url));
        let path = config.url.strip_prefix("s3://");
        let path = path.ok_or_else(|| wrong("expected s3://BUCKET or s3://BUCKET/FOLDER"))?;
        let (name, folder) = path.split_once('/').unwrap_or((path, ""));
        let folder = folder.trim_matches('/');
        if name.is_empty() {
            return Err(wrong("expected the name of a bucket behind s3://"));
        }
        let (endpoint, style) = match &config.endpoint {
            Some(endpoint) => (endpoint.clone(), UrlStyle::Path),
            None => (
                format!("https://s3.{}.amazonaws.com", config.region),
                UrlStyle::VirtualHost,
            ),
        };
        let parsed = endpoint.parse();
        let parsed = parsed.map_err(|error| {
            wrong(&format!(
                "the endpoint {endpoint:?} is no web address: {error}"
            ))
        })?;
        let address = Address::new(parsed, style, name.to_owned(), config.region.clone());
        let credentials = Credentials::from_env().ok_or_else(|| {
            wrong("the credentials are missing: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        })?;
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_global(Some(ANSWER_WITHIN))
            .max_redirects(0)
            .build();
        let bucket = Bucket {
            address: address.map_err(|error| wrong(&error.to_string()))?,
            credentials,
            prefix: match folder {
                "" => String::new(),
                folder => format!("{folder}/"),
            },
            agent: agent.into(),
            seen: Mutex::new(None),
        };
        bucket.check()?;
        Ok(bucket)
    }

    /// Whether it can be used at all, asked while somebody looks.
    fn check(&self) -> Result<(), StoreError> {
        let url = self.address.head_bucket(Some(&self.credentials));
        let url = url.sign(SIGNED_FOR);
        let reply = self.ask(|| self.agent.head(url.as_str()).call())?;
        self.expect_success("the bucket", reply).map(drop)
    }

    /// Whether it answers now, or did a moment ago: however many ask, it is asked once a second.
    pub(super) fn answers(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((when, answered)) = *seen
            && when.elapsed() < SEEN_FOR
        {
            return answered;
        }
        let url = self.address.head_bucket(Some(&self.credentials));
        let request = self.agent.head(url.sign(SIGNED_FOR).as_str()).config();
        let reply = request.timeout_global(Some(SEEN_WITHIN)).build().call();
        let answered = reply.is_ok_and(|reply| reply.status().is_success());
        *seen = Some((Instant::now(), answered));
        answered
    }

    pub(super) fn place(&self, key: &str) -> String {
        format!("s3://{}/{}{key}", self.address.name(), self.prefix)
    }

    pub(super) fn put(&self, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let object = self.object(key);
        let checksum = base64(&Sha256::digest(bytes));
        let mut action = self.address.put_object(Some(&self.credentials), &object);
        // The store compares it with what arrived.
        let headers = action.headers_mut();
        headers.insert("x-amz-checksum-sha256", checksum.clone());
        let url = action.sign(SIGNED_FOR);
        let reply = self.ask(|| {
            let request = self.agent.put(url.as_str());
            let request = request.header("x-amz-checksum-sha256", &checksum);
            request.send(bytes)
        })?;
        self.expect_success(key, reply).map(drop)
    }

    pub(super) fn get(&self, key: &str) -> Result<Vec<u8>, StoreError> {
        let object = self.object(key);
        let action = self.address.get_object(Some(&self.credentials), &object);
        let url = action.sign(SIGNED_FOR);
        let reply = self.ask(|| self.agent.get(url.as_str()).call())?;
        let mut reply = self.expect_success(key, reply)?;
        let body = reply.body_mut().with_config().limit(OBJECT_BYTES_MAX);
        body.read_to_vec()
            .map_err(|error| StoreError::Bucket(error.into()))
    }

    pub(super) fn remove(&self, key: &str) {
        let object = self.object(key);
        let action = self.address.delete_object(Some(&self.credentials), &object);
        let url = action.sign(SIGNED_FOR);
        // The caller has no use for what comes of it.
        let _ = self.ask(|| self.agent.delete(url.as_str()).call());
    }

    fn object(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// Every request may be repeated: objects never change.
    fn ask(
        &self,
        send: impl Fn() -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, StoreError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let reply = send();
            let worth_repeating = match &reply {
                Ok(reply) => {
                    reply.status().is_server_error()
                        || reply.status() == StatusCode::TOO_MANY_REQUESTS
                }
                // What took its whole time would take it again.
                Err(ureq::Error::Timeout(_)) => false,
                Err(_) => true,
            };
            match pauses.next() {
                Some(pause) if worth_repeating => sleep(pause),
                _ => return reply.map_err(|error| StoreError::Bucket(error.into())),
            }
        }
    }

    fn expect_success(
        &self,
        what: &str,
        mut reply: Response<Body>,
    ) -> Result<Response<Body>, StoreError> {
        let status = reply.status();
        if status.is_success() {
            return Ok(reply);
        }
        if status == StatusCode::INSUFFICIENT_STORAGE {
            return Err(StoreError::NoSpace);
        }
        let body = reply.body_mut().with_config().limit(ERROR_BYTES_MAX);
        let body = body.read_to_string().unwrap_or_default();
        let code = between(&body, "<Code>", "</Code>").unwrap_or_default();
        let hint = match status {
            StatusCode::NOT_FOUND => ": it is not there",
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ": the credentials do not do",
            _ => "",
        };
        let why = format!("{what}: {status} {code}");
        let why = io::Error::other(format!("{}{hint}", why.trim_end()));
        Err(StoreError::Bucket(why.into()))
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    Some(rest.split_once(end)?.0)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
