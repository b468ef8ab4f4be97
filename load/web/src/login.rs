//! `--web-login`: one password for the page, and who has given it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The most browsers that are logged in; the oldest is forgotten.
const SESSIONS_MAX: usize = 1_000;
/// The cookie that says who has logged in.
pub(crate) const COOKIE: &str = "acrida_session";

/// The password, and the sessions that gave it.
#[derive(Debug)]
pub(crate) struct Login {
    password: String,
    sessions: Mutex<VecDeque<String>>,
}

impl Login {
    pub(crate) fn new(password: String) -> Self {
        Self {
            password,
            sessions: Mutex::default(),
        }
    }

    /// A new session, if the password is right.
    pub(crate) fn enter(&self, password: &str) -> Option<String> {
        if !same(password.as_bytes(), self.password.as_bytes()) {
            return None;
        }
        let session = random_text();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.len() == SESSIONS_MAX {
            sessions.pop_front();
        }
        sessions.push_back(session.clone());
        Some(session)
    }

    /// Whether a request with these cookies has logged in.
    pub(crate) fn knows(&self, cookies: &str) -> bool {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let values = cookies
            .split(';')
            .filter_map(|cookie| cookie.trim().split_once('='));
        let mut own = values.filter(|(name, _)| *name == COOKIE);
        own.any(|(_, value)| {
            sessions
                .iter()
                .any(|session| same(session.as_bytes(), value.as_bytes()))
        })
    }
}

/// Takes as long whether the first or the last byte differs.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// 128 bits that nobody can guess, in hexadecimal.
///
/// # Panics
///
/// If the system has no randomness.
pub(crate) fn random_text() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_gave_the_password_is_known() {
        let login = Login::new("sesame".to_owned());
        assert_eq!(login.enter("sesam"), None);
        assert_eq!(login.enter(""), None);
        let session = login.enter("sesame").expect("it is right");
        assert!(login.knows(&format!("a=b; {COOKIE}={session}")));
        for cookies in ["", "acrida_session=", "acrida_session=x", &session] {
            assert!(!login.knows(cookies), "{cookies}");
        }
    }
}
