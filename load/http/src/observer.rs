//! Who is told of every request that is counted.

use acrida_stats::{Answer, ServerTime};

/// One finished request, as statistics and request log see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// `GET` and the like.
    pub method: &'a str,
    /// What it is counted under.
    pub name: &'a str,
    /// When it finished, in µs since the Unix epoch.
    pub finished_us: u64,
    /// `None`: it is counted, but has no time.
    pub response_time_us: Option<u64>,
    /// Bytes of the answer's body, decompressed.
    pub content_length: u64,
    /// Bytes of head and body sent, redirects included; what TLS adds is not counted.
    pub bytes_sent: u64,
    /// Bytes of heads and bodies received, likewise.
    pub bytes_received: u64,
    /// The error as the failure table shows it; `None` if it succeeded.
    pub failure: Option<&'a str>,
    /// Where the time went, if the server tells.
    pub server: Option<ServerTime>,
    /// What was answered and what should have been, if the submitter knows.
    pub answer: Option<Answer<'a>>,
}

/// Is told of every request as it finishes, on the I/O thread.
pub trait Observer: Send + Sync {
    /// Takes one request. HOT: on the path of every request.
    fn record(&self, record: &Record<'_>);
}
