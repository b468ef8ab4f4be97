//! How much an answer may bring.

/// Bounds of what one exchange may take. What exceeds one fails, with its limit named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of an answer's status line and headers.
    pub max_head: usize,
    /// Header lines of an answer. At most 256.
    pub max_headers: usize,
    /// Bytes of an answer's body, compressed and not.
    pub max_body: usize,
    /// Cookies of one session; the oldest goes first.
    pub max_cookies: usize,
    /// Idle connections of one session.
    pub max_idle: usize,
    /// Idle connections that sessions share.
    pub max_shared_idle: usize,
}

impl Default for Limits {
    /// What requests allows where it has a limit; 256 MiB for a body.
    fn default() -> Self {
        Self {
            max_head: 256 * 1024,
            max_headers: 100,
            max_body: 256 * 1024 * 1024,
            max_cookies: 300,
            max_idle: 10,
            max_shared_idle: 1_000,
        }
    }
}
