//! Calls of the program's own over HTTP: pages of metrics, and webhooks. No redirect is
//! followed, and no proxy of the environment used.

use std::time::Duration;

use ureq::Agent;

/// The body of the answer to a `GET`.
///
/// # Errors
///
/// Why there is none: no connection, a status that is no success, too slow or too long.
pub(crate) fn get(url: &str, patience: Duration, bytes_max: u64) -> Result<String, ureq::Error> {
    let mut answer = agent(patience).get(url).call()?;
    answer
        .body_mut()
        .with_config()
        .limit(bytes_max)
        .read_to_string()
}

/// Posts JSON.
///
/// # Errors
///
/// Why it was not taken: no connection, a status that is no success, or too slow.
pub(crate) fn post_json(url: &str, patience: Duration, body: &str) -> Result<(), ureq::Error> {
    let request = agent(patience)
        .post(url)
        .header("Content-Type", "application/json");
    request.send(body).map(|_| ())
}

fn agent(patience: Duration) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(patience))
        .max_redirects(0)
        .proxy(None)
        .build()
        .new_agent()
}

/// A URL without what stands before an `@` in it.
pub(crate) fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{path}")
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_kept() {
        for (url, expected) in [
            ("http://x:80/a@b", "http://x:80/a@b"),
            ("https://me:secret@x/a", "https://x/a"),
            ("http://me@x", "http://x"),
            ("x", "x"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }
}
