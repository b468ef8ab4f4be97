//! What goes over connections, and how long they live.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use acrida_http::Limits;

use crate::support::{Browser, answer, get, read_request, serve, serve_answers, text};

/// Answers with the number of the connection.
fn counting() -> u16 {
    let connections = AtomicU64::new(0);
    serve(move |mut stream: TcpStream| {
        let number = connections.fetch_add(1, Ordering::SeqCst).to_string();
        while let Some((head, _)) = read_request(&mut stream) {
            let close = head.starts_with("GET /close ");
            let headers = if close { "Connection: close\r\n" } else { "" };
            let sent = stream.write_all(&answer("200 OK", headers, number.as_bytes()));
            sent.expect("the client listens");
            if close {
                return;
            }
        }
    })
}

#[test]
fn a_connection_is_used_again_until_it_closes() {
    let (browser, port) = (Browser::new(), counting());
    let numbers = ["/a", "/b", "/close", "/c", "/d"]
        .map(|path| text(&browser.get(&format!("http://127.0.0.1:{port}{path}"))));
    assert_eq!(numbers, ["0", "0", "0", "1", "1"]);
}

#[test]
fn users_do_not_share_connections() {
    let (browser, port) = (Browser::new(), counting());
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(text(&browser.get(&url)), "0");
    let other = Browser {
        session: browser.client.session(),
        client: Arc::clone(&browser.client),
        seen: Arc::clone(&browser.seen),
    };
    assert_eq!(text(&other.get(&url)), "1");
    assert_eq!(text(&browser.get(&url)), "0");
}

#[test]
fn users_of_a_pool_share_connections_but_no_cookies() {
    let (browser, port) = (Browser::new(), counting());
    let url = format!("http://127.0.0.1:{port}/");
    let member = || Browser {
        session: browser.client.session_in(7),
        client: Arc::clone(&browser.client),
        seen: Arc::clone(&browser.seen),
    };
    let members = [member(), member()];
    members[0].session.set_cookie(acrida_http::CookieRow {
        name: "a".to_owned(),
        value: "b".to_owned(),
        path: "/".to_owned(),
        ..Default::default()
    });
    for index in [0, 1, 1, 0] {
        assert_eq!(text(&members[index].get(&url)), "0");
    }
    assert_eq!(members[1].session.cookies(), []);
    assert_eq!(text(&browser.get(&url)), "1", "others do not");
}

#[test]
fn a_name_is_looked_up() {
    let (browser, port) = (Browser::new(), counting());
    assert_eq!(
        text(&browser.get(&format!("http://localhost:{port}/"))),
        "0"
    );
}

#[test]
fn requests_say_what_servers_expect() {
    let port = serve_answers(|head, body| answer("200 OK", "", &[head.as_bytes(), body].concat()));
    let browser = Browser::new();
    let mut request = get(&format!("http://127.0.0.1:{port}/a%20b?c"));
    request.method = "POST".into();
    request.body = Some("content".into());
    request.content_type = Some("text/plain".to_owned());
    request.set_basic_auth("u", "p");
    request.cookies = vec![("k".to_owned(), "v".to_owned())];
    let sent = text(&browser.exchange(request));
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "POST /a%20b?c HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Basic dTpw\r\n\
         User-Agent: acrida/{version}\r\nAccept-Encoding: gzip, deflate, br\r\nAccept: */*\r\n\
         Connection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nCookie: k=v\r\n\r\ncontent"
    );
    assert_eq!(sent, expected);
}

#[test]
fn a_body_larger_than_the_socket_takes_arrives_whole() {
    let port = serve_answers(|_, body| answer("200 OK", "", body.len().to_string().as_bytes()));
    let browser = Browser::new();
    let mut request = get(&format!("http://127.0.0.1:{port}/"));
    request.method = "PUT".into();
    request.body = Some(vec![7; 20_000_000].into());
    let finished = browser.exchange(request);
    assert_eq!(text(&finished), "20000000");
    assert!(finished.bytes_sent() > 20_000_000);
}

#[test]
fn cookies_come_back_and_stay_with_their_user() {
    let port = serve_answers(|head, _| {
        let cookie = head.lines().find(|line| line.starts_with("Cookie:"));
        answer(
            "200 OK",
            "Set-Cookie: id=1; Path=/\r\n",
            cookie.unwrap_or("none").as_bytes(),
        )
    });
    let browser = Browser::new();
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(text(&browser.get(&url)), "none");
    assert_eq!(text(&browser.get(&url)), "Cookie: id=1");
    let name = |row: acrida_http::CookieRow| row.name;
    assert_eq!(
        browser
            .session
            .cookies()
            .into_iter()
            .map(name)
            .collect::<Vec<_>>(),
        ["id"]
    );
    assert!(browser.session.remove_cookies(None, None, None));
    assert_eq!(text(&browser.get(&url)), "none");
}

#[test]
fn a_body_beyond_the_limit_fails_with_the_limit_named() {
    let port = serve_answers(|_, _| answer("200 OK", "", &[0; 2000]));
    let browser = Browser::with_limits(Limits {
        max_body: 1000,
        ..Limits::default()
    });
    let finished = browser.get(&format!("http://127.0.0.1:{port}/"));
    let error = finished.result.expect_err("too much").to_string();
    assert!(error.contains("1000 bytes"), "{error}");
}

#[test]
fn what_is_counted_is_what_was_answered() {
    let port = serve_answers(|head, _| {
        let status = if head.starts_with("GET /no") {
            "404 Not Found"
        } else {
            "200 OK"
        };
        answer(status, "", b"x")
    });
    let browser = Browser::new();
    let base = format!("http://127.0.0.1:{port}");
    browser.get(&format!("{base}/yes?q=1"));
    let mut named = get(&format!("{base}/no"));
    named.name = Some("[named]".to_owned());
    browser.exchange(named);
    let mut open = get(&format!("{base}/open"));
    open.verdict_is_open = true;
    browser.exchange(open);
    let failure = "HTTPError('404 Client Error: Not Found for url: [named]')".to_owned();
    let get = || "GET".to_owned();
    let expected = [
        (get(), "/yes?q=1".to_owned(), None),
        (get(), "[named]".to_owned(), Some(failure)),
    ];
    assert_eq!(browser.seen.rows(), expected);
}

/// Answers the first request of each connection with a redirect to `/b`, or with its
/// number to `/b` itself, and ends as `end` does, without announcing it.
fn ending(end: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> u16 {
    let connections = AtomicU64::new(0);
    serve(move |mut stream: TcpStream| {
        let number = connections.fetch_add(1, Ordering::SeqCst).to_string();
        let Some((head, _)) = read_request(&mut stream) else {
            return;
        };
        let redirects = !head.contains(" /b ");
        let (status, headers) = match redirects {
            true => ("307 Temporary Redirect", "Location: /b\r\n"),
            false => ("200 OK", ""),
        };
        let sent = stream.write_all(&answer(status, headers, number.as_bytes()));
        sent.expect("the client listens");
        if redirects {
            end(&mut stream);
        }
    })
}

#[test]
fn a_request_that_met_the_end_of_its_connection_is_sent_again() {
    // Many times: the end comes before, while or after the request is sent.
    let (browser, port) = (Browser::new(), ending(|_| {}));
    for round in 0..200 {
        let finished = browser.get(&format!("http://127.0.0.1:{port}/a"));
        assert_eq!(text(&finished), (2 * round + 1).to_string());
        assert_eq!(finished.history().len(), 1);
    }
    assert!(
        browser
            .seen
            .rows()
            .iter()
            .all(|(_, _, failure)| failure.is_none())
    );
}

#[test]
fn a_request_that_was_read_before_the_end_of_its_connection_has_failed() {
    let port = ending(|stream| drop(read_request(stream)));
    let finished = Browser::new().get(&format!("http://127.0.0.1:{port}/a"));
    let expected = "RemoteDisconnected('Remote end closed connection without response')";
    assert_eq!(finished.failure().as_deref(), Some(expected));
    assert_eq!(finished.history().len(), 1);
}

#[test]
fn a_body_that_may_have_been_read_in_part_is_not_sent_again() {
    let port = ending(|stream| {
        // A byte of the request, then the end.
        let read = stream.read(&mut [0]);
        assert_eq!(read.expect("a request"), 1);
    });
    let mut request = get(&format!("http://127.0.0.1:{port}/a"));
    request.method = "POST".into();
    request.body = Some("content".into());
    assert!(Browser::new().exchange(request).failure().is_some());
}
