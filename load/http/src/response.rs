//! What came back.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use crate::cookies::{CookieRow, Jar};
use crate::head;
use crate::incoming::Received;
use crate::target::Target;

/// One answer, kept as it came: headers are read when somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status, such as 200.
    pub status: u16,
    /// Where it came from.
    target: Arc<Target>,
    /// From the first byte sent of its request to its last byte, in µs.
    pub elapsed_us: u64,
    raw: Vec<u8>,
    head_length: usize,
    tells_time: bool,
    sets_cookies: bool,
}

impl Response {
    pub(crate) fn new(received: Received, target: Arc<Target>, elapsed_us: u64) -> Self {
        Self {
            status: received.status,
            target,
            elapsed_us,
            raw: received.raw,
            head_length: received.head_length,
            tells_time: received.tells_time,
            sets_cookies: received.sets_cookies,
        }
    }

    /// The URL that it came from.
    pub fn url(&self) -> Cow<'_, str> {
        self.target.shown()
    }

    /// The text beside the status.
    pub fn reason(&self) -> String {
        head::fields(self.head()).0
    }

    /// Every header in order, as Latin-1.
    pub fn headers(&self) -> Vec<(String, String)> {
        head::fields(self.head()).1
    }

    /// The values of every header called `name`.
    pub fn header(&self, name: &str) -> Vec<String> {
        let headers = self.headers().into_iter();
        headers
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The cookies that it sets, without those that it removes.
    pub fn cookies(&self) -> Vec<CookieRow> {
        let mut jar = Jar::default();
        let set = self.header("set-cookie");
        for header in &set {
            jar.take_in(header, &self.target, SystemTime::now(), set.len());
        }
        jar.rows()
    }

    /// The body, decompressed.
    pub fn body(&self) -> &[u8] {
        &self.raw[self.head_length..]
    }

    /// What follows `name` in the first line of the head that begins so. Quicker than
    /// reading all of them.
    pub(crate) fn line(&self, name: &str) -> Option<&str> {
        let rest = self.head().split(|byte| *byte == b'\n').find_map(|line| {
            let (begin, rest) = line.split_at_checked(name.len())?;
            begin.eq_ignore_ascii_case(name.as_bytes()).then_some(rest)
        });
        std::str::from_utf8(rest?).ok()
    }

    /// Whether it says where the server's time went.
    pub(crate) fn tells_time(&self) -> bool {
        self.tells_time
    }

    /// Whether it sets cookies.
    pub(crate) fn sets_cookies(&self) -> bool {
        self.sets_cookies
    }

    fn head(&self) -> &[u8] {
        &self.raw[..self.head_length]
    }
}
