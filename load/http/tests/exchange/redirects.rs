//! Answers that point elsewhere.

use crate::support::{Browser, answer, get, serve_answers, text};

/// `/N` leads to `/N-1`, and `/0` says what it was asked.
fn stairs() -> u16 {
    serve_answers(|head, body| {
        let number: u32 = head
            .split(['/', ' '])
            .find_map(|part| part.parse().ok())
            .expect("a number in the path");
        match number {
            0 => answer("200 OK", "", &[head.as_bytes(), body].concat()),
            n => answer("302 Found", &format!("Location: /{}\r\n", n - 1), b"moved"),
        }
    })
}

#[test]
fn redirects_are_followed_counted_once_and_remembered() {
    let (browser, port) = (Browser::new(), stairs());
    let mut request = get(&format!("http://127.0.0.1:{port}/3"));
    request.method = "POST".into();
    request.body = Some("content".into());
    let finished = browser.exchange(request);
    assert!(
        text(&finished).starts_with("GET /0 HTTP/1.1\r\n"),
        "{}",
        text(&finished)
    );
    assert_eq!((finished.method(), finished.name()), ("POST", "/3"));
    let history = finished
        .history()
        .iter()
        .map(|step| (step.status, step.url()[step.url().len() - 2..].to_owned()));
    assert_eq!(
        history.collect::<Vec<_>>(),
        [(302, "/3"), (302, "/2"), (302, "/1")].map(|(status, path)| (status, path.to_owned()))
    );
    assert_eq!(
        browser.seen.rows(),
        [("POST".to_owned(), "/3".to_owned(), None)]
    );
}

#[test]
fn redirects_are_not_followed_where_they_are_not_wanted() {
    let (browser, port) = (Browser::new(), stairs());
    let mut request = get(&format!("http://127.0.0.1:{port}/1"));
    request.max_redirects = None;
    assert_eq!(text(&browser.exchange(request)), "moved");
}

#[test]
fn a_chain_beyond_the_limit_fails_as_in_requests() {
    let (browser, port) = (Browser::new(), stairs());
    let within = browser.get(&format!("http://127.0.0.1:{port}/30"));
    assert!(within.result.is_ok());
    let beyond = browser.get(&format!("http://127.0.0.1:{port}/31"));
    let failure = beyond.failure().expect("too many redirects");
    assert_eq!(failure, "TooManyRedirects('Exceeded 30 redirects.')");
}
