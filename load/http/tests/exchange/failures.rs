//! Requests without an answer, in the words of Locust's failure table.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use acrida_http::{Headers, Timeouts};

use crate::support::{Browser, get, read_request, serve};

/// Sends `bytes` after each request, and closes.
fn sends(bytes: &'static [u8]) -> u16 {
    serve(move |mut stream: TcpStream| {
        read_request(&mut stream);
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Both);
    })
}

fn failure(port: u16) -> Option<String> {
    Browser::new()
        .get(&format!("http://127.0.0.1:{port}/x"))
        .failure()
}

#[test]
fn broken_answers_are_named_as_locust_names_them() {
    // Expected texts: printed by Locust 2.47.0 for the same answers.
    for (bytes, expected) in [
        (
            &b""[..],
            "RemoteDisconnected('Remote end closed connection without response')",
        ),
        (b"garbage\r\n\r\n", "BadStatusLine('garbage\\r\\n')"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc",
            "ChunkedEncodingError(ProtocolError('Connection broken: IncompleteRead(3 bytes read, 97 more expected)', \
             IncompleteRead(3 bytes read, 97 more expected)))",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
            "ContentDecodingError(DecodeError('Received response with content-encoding: gzip, but failed to decode it.', \
             error('Error -3 while decompressing data: incorrect header check')))",
        ),
        (
            b"HTTP/1.1 500 It's bad\r\nContent-Length: 0\r\n\r\n",
            "HTTPError(\"500 Server Error: It's bad for url: /x\")",
        ),
    ] {
        assert_eq!(failure(sends(bytes)).as_deref(), Some(expected));
    }
    assert_eq!(
        failure(sends(b"HTTP/1.1 200 OK\r\n\r\nup to the end")),
        None
    );
}

#[test]
fn nobody_there_is_a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let expected = "ConnectionRefusedError(111, 'Connection refused')";
    assert_eq!(failure(port).as_deref(), Some(expected));
}

#[test]
fn a_name_without_an_address_is_said() {
    let finished = Browser::new().get("http://no-such-host.invalid/");
    let failure = finished.failure().expect("no such host");
    assert!(failure.starts_with("gaierror(-"), "{failure}");
}

#[test]
fn a_server_that_says_nothing_times_out() {
    let port = serve(
        |mut stream: TcpStream| {
            while read_request(&mut stream).is_some() {}
        },
    );
    let mut request = get(&format!("http://127.0.0.1:{port}/x"));
    request.timeouts = Timeouts {
        connect: Some(Duration::from_secs(10)),
        read: Some(Duration::from_millis(50)),
    };
    let finished = Browser::new().exchange(request);
    let expected = format!(
        "ReadTimeout(ReadTimeoutError(\"HTTPConnectionPool(host='127.0.0.1', port={port}): Read timed out. (read timeout=0.05)\"))"
    );
    assert_eq!(finished.failure(), Some(expected));
    assert!(finished.response_time_us >= 50_000);
}

#[test]
fn a_header_that_cannot_be_sent_reaches_no_server_and_is_counted() {
    let browser = Browser::new();
    let error = Headers::new(vec![("a".to_owned(), "b\r\nc".to_owned())]).expect_err("a line end");
    browser
        .session
        .submit_refused(7, get("http://127.0.0.1:1/x"), error);
    browser.client.wake();
    let rows = loop {
        let rows = browser.seen.rows();
        if !rows.is_empty() {
            break rows;
        }
        std::thread::yield_now();
    };
    assert!(
        rows[0]
            .2
            .as_ref()
            .is_some_and(|text| text.starts_with("InvalidHeader(")),
        "{rows:?}"
    );
}

#[test]
fn what_is_open_when_the_client_closes_is_told() {
    let port = serve(
        |mut stream: TcpStream| {
            while read_request(&mut stream).is_some() {}
        },
    );
    let browser = Browser::new();
    browser
        .session
        .submit(1, get(&format!("http://127.0.0.1:{port}/")));
    browser.client.wake();
    assert_eq!(browser.client.close(), 1);
    assert_eq!(browser.seen.rows(), []);
}
